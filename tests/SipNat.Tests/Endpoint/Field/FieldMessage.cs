using System.Globalization;
using System.Text;
using SipNat.Simulation.Srtp;

namespace SipNat.Tests.Endpoint.Field;

/// <summary>One message of tests/corpora/siprec, byte for byte, with as much of its SDP as a sender of RTP needs.</summary>
internal sealed class FieldMessage
{
    /// <summary>Stands in the files for the tag that the recorder gives: as long as one, so that no length changes.</summary>
    private const string TagPlaceholder = "TO-TAG-OF-RECORDER-0";

    private readonly byte[] _bytes;

    private FieldMessage(string name, byte[] bytes)
    {
        (Name, _bytes) = (name, bytes);
        var text = Encoding.Latin1.GetString(bytes);
        Method = text[..Math.Max(0, text.IndexOf(' ', StringComparison.Ordinal))];
        CallId = Header(text, "call-id", "i") ?? "";
        Host = Header(text, "via", "v")?.Split(' ')[^1].Split(';')[0].Split(':')[0] ?? "";
        Media = ReadMedia(BodyOf(text));
    }

    /// <summary>The file's name without its ending.</summary>
    public string Name { get; }

    public string Method { get; }

    public string CallId { get; }

    /// <summary>The address in its Via, which is that of the sender.</summary>
    public string Host { get; }

    /// <summary>The m-lines of its SDP, in order; none where it has no SDP.</summary>
    public IReadOnlyList<FieldMedia> Media { get; }

    /// <summary>The messages of one case in their order: <c>case-1-invite.dat</c>, <c>case-2-bye.dat</c>.</summary>
    public static IReadOnlyList<FieldMessage> LoadCase(string name)
    {
        var folder = Path.Combine(AppContext.BaseDirectory, "corpora", "siprec");
        return [.. Directory.GetFiles(folder, $"{name}-*.dat")
            .Where(path => char.IsAsciiDigit(Path.GetFileName(path)[name.Length + 1]))
            .Order(StringComparer.Ordinal)
            .Select(path => new FieldMessage(Path.GetFileNameWithoutExtension(path), File.ReadAllBytes(path)))];
    }

    /// <summary>The bytes with the recorder's tag in its place.</summary>
    public byte[] Bytes(string recorderTag) =>
        Encoding.Latin1.GetBytes(Encoding.Latin1.GetString(_bytes).Replace(TagPlaceholder, recorderTag, StringComparison.Ordinal));

    private static string? Header(string text, string name, string compactName)
    {
        foreach (var line in text.Split('\n'))
        {
            if (line.Trim().Split(':', 2) is [var field, var value] && field.Trim().ToLowerInvariant() is var found && (found == name || found == compactName)) return value.Trim();
        }

        return null;
    }

    private static string BodyOf(string text)
    {
        var body = text[(text.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..];
        return int.TryParse(Header(text, "content-length", "l"), out var length) ? body[..length] : body;
    }

    private static List<FieldMedia> ReadMedia(string text)
    {
        var media = new List<FieldMedia>();
        var (direction, isZero) = ("sendrecv", false);
        foreach (var line in text.Split('\n').Select(l => l.TrimEnd('\r')))
        {
            if (line.StartsWith("v=0", StringComparison.Ordinal)) media.Clear();
            if (line.StartsWith("m=", StringComparison.Ordinal) && line.Split(' ') is [_, var port, _, var format, ..])
            {
                media.Add(new(int.Parse(port.Split('/')[0], CultureInfo.InvariantCulture), int.TryParse(format, out var pt) ? pt : 0, direction, isZero));
            }

            if (line is "a=sendonly" or "a=sendrecv" or "a=recvonly" or "a=inactive")
            {
                if (media.Count == 0) direction = line[2..];
                else media[^1] = media[^1] with { Direction = line[2..] };
            }

            // The first key is the one that is answered.
            if (line.StartsWith("a=crypto:", StringComparison.Ordinal) && media is [.., { Protection: null } secured] && line.Split(' ', ':', '|') is [_, _, var suite, _, var key, ..])
            {
                media[^1] = secured with { Protection = new(suite, Convert.FromBase64String(key)) };
            }

            if (line.StartsWith("c=IN IP", StringComparison.Ordinal))
            {
                var zero = line.EndsWith(" 0.0.0.0", StringComparison.Ordinal);
                if (media.Count == 0) isZero = zero;
                else media[^1] = media[^1] with { IsUnspecified = zero };
            }
        }

        return media;
    }
}

/// <summary>An m-line of a peer's SDP.</summary>
internal sealed record FieldMedia(int Port, int PayloadType, string Direction, bool IsUnspecified)
{
    /// <summary>What encrypts its packets; null where nothing does.</summary>
    public PlainSrtp? Protection { get; init; }

    public bool Sends => Port != 0 && !IsUnspecified && Direction is "sendonly" or "sendrecv";
}
