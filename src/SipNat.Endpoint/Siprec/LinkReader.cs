using System.Text;
using SipNat.Sip.Messages;

namespace SipNat.Endpoint.Siprec;

/// <summary>Finds the names of a call in what a recording client sends.</summary>
internal static class LinkReader
{
    // A name as short as these is a counter that another call may have as well.
    private const int MinLength = 4;
    private const int MaxLength = 256;
    private const int SessionIdLength = 32;

    // In User-to-User: a protocol discriminator, then the tag and length of the id (8 bytes).
    private const string UcidTag = "FA08";
    private const int UcidLength = 16;

    /// <summary>The names in the headers of a request.</summary>
    public static IEnumerable<RecordingLink> InHeaders(StoredSipMessage request) => Meaningful(Headers(request));

    /// <summary>The names in a metadata document, its extensions among them.</summary>
    public static IEnumerable<RecordingLink> InMetadata(RecordingMetadataDocument document) => Meaningful(Metadata(document));

    private static IEnumerable<RecordingLink> Headers(StoredSipMessage request)
    {
        if (request.Uri(SipHeader.From) is { } from && from.TryGetParameter("x-refci", out var reference))
        {
            yield return new(LinkKinds.CallReference, reference);
        }

        foreach (var value in request.Headers(SipHeader.UserToUser))
        {
            if (UcidOf(value) is { } ucid) yield return new(LinkKinds.Ucid, ucid);
        }

        foreach (var value in request.Headers(SipHeader.CallInfo))
        {
            var close = value.IndexOf('>', StringComparison.Ordinal);
            if (close > 1 && value[0] == '<' && value.AsSpan(close).Contains("conversation", StringComparison.OrdinalIgnoreCase))
            {
                yield return new(LinkKinds.Conversation, value[1..close]);
            }
        }
    }

    private static IEnumerable<RecordingLink> Metadata(RecordingMetadataDocument document)
    {
        foreach (var group in document.Groups) yield return new(LinkKinds.Group, group.Id);
        foreach (var session in document.Sessions)
        {
            yield return new(LinkKinds.Session, session.Id);
            foreach (var group in session.Groups) yield return new(LinkKinds.Group, group);
            foreach (var id in session.SipSessionIds.SelectMany(HalvesOf)) yield return new(LinkKinds.SipSessionId, id);
        }

        foreach (var extension in document.Extensions)
        {
            if (MetadataElementReader.Read(Encoding.UTF8.GetBytes(extension.Xml), out var element) is not MetadataDefect.None) continue;

            foreach (var link in Extension(element!)) yield return link;
        }
    }

    private static IEnumerable<RecordingLink> Extension(MetadataElement element)
    {
        var text = element.Text ?? "";
        if (element.Key is "ucid") yield return new(LinkKinds.Ucid, UcidOf(text) ?? text);
        else if (element.Key is "gcid") yield return new(LinkKinds.Gcid, text);
        else if (element.Key is "exttrackingid") yield return new(LinkKinds.ExtTrackingId, text);

        foreach (var link in element.Children.SelectMany(Extension)) yield return link;
    }

    // local-uuid;remote=remote-uuid; all zeros stand for an end that is not known yet (RFC 7989 §5).
    private static IEnumerable<string> HalvesOf(string id) =>
        id.Split(';').Select(half => half.Trim()).Select(half => half.StartsWith("remote=", StringComparison.OrdinalIgnoreCase) ? half["remote=".Length..] : half)
            .Where(half => half.Length == SessionIdLength && half.All(char.IsAsciiHexDigit) && half.Any(c => c != '0'))
            .Select(half => half.ToLowerInvariant());

    private static string? UcidOf(string value)
    {
        var hex = value.Split(';')[0].Trim().ToUpperInvariant();
        var at = hex.IndexOf(UcidTag, StringComparison.Ordinal);
        if (at < 0 || at + UcidTag.Length + UcidLength > hex.Length) return null;

        var ucid = hex.Substring(at + UcidTag.Length, UcidLength);
        return ucid.All(char.IsAsciiHexDigit) ? ucid : null;
    }

    // An id that was made up for a client that gave none has a colon and a number, and is no name of anything.
    private static IEnumerable<RecordingLink> Meaningful(IEnumerable<RecordingLink> links) =>
        links.Where(l => l.Value.Length is >= MinLength and <= MaxLength && !l.Value.StartsWith("session:", StringComparison.Ordinal) && !l.Value.StartsWith("group:", StringComparison.Ordinal));
}
