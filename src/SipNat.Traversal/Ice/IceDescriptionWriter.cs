using System.Globalization;
using System.Text;

namespace SipNat.Traversal.Ice;

/// <summary>The attribute lines of a description, as names and values (RFC 8839 §5).</summary>
public static class IceDescriptionWriter
{
    /// <summary>
    /// <c>ice-lite</c> belongs to the session; everything else may stand in the medium, where it is most widely read.
    /// </summary>
    public static IEnumerable<(string Name, string? Value)> Write(IceDescription description)
    {
        if (description.IsLite) yield return ("ice-lite", null);
        yield return ("ice-ufrag", description.Credentials.UserFragment);
        yield return ("ice-pwd", description.Credentials.Password);
        if (description.Options.Count > 0) yield return ("ice-options", string.Join(' ', description.Options));
        foreach (var candidate in description.Candidates) yield return ("candidate", CandidateText.Write(candidate));
        if (description.RemoteCandidates.Count > 0) yield return ("remote-candidates", RemoteCandidates(description));
        if (description.IsComplete && description.Options.Contains("trickle", StringComparer.Ordinal)) yield return ("end-of-candidates", null);
    }

    private static string RemoteCandidates(IceDescription description)
    {
        var text = new StringBuilder();
        foreach (var (component, address) in description.RemoteCandidates)
        {
            if (text.Length > 0) text.Append(' ');
            text.Append(CultureInfo.InvariantCulture, $"{component} {address.AddressText} {address.Port}");
        }

        return text.ToString();
    }
}
