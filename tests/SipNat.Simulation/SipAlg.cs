using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using SipNat.Wire;

namespace SipNat.Simulation;

/// <summary>
/// The application layer gateway of a consumer router: in whatever looks like SIP it exchanges one address for the
/// other, in Via, Contact, c= and o=, and repairs Content-Length. Media ports it does not understand.
/// </summary>
internal static class SipAlg
{
    private static readonly string[] RewrittenLines = ["Via:", "v:", "Contact:", "m:", "Record-Route:", "c=", "o=", "INVITE ", "BYE ", "ACK ", "OPTIONS ", "UPDATE "];

    // What the kernel's gateway translates beside those, with the port that belongs to the address.
    private static readonly string[] PartyLines = ["From:", "f:", "To:", "t:", "Call-ID:", "i:"];

    public static void Rewrite(Packet packet, TransportAddress original, TransportAddress translated, SipAlgKind kind)
    {
        if (!LooksLikeSip(packet.Bytes)) return;

        var text = Encoding.Latin1.GetString(packet.Bytes);
        var lines = text.Split("\r\n");
        for (var i = 0; i < lines.Length; i++)
        {
            if (kind is SipAlgKind.Thorough && Begins(lines[i], PartyLines)) lines[i] = ReplaceParty(lines[i], original, translated);
            if (!Begins(lines[i], RewrittenLines)) continue;

            var withPort = Replace(lines[i], $"{original.HostText}:{original.Port}", translated.ToString());
            lines[i] = Replace(withPort, original.AddressText, translated.AddressText);
        }

        packet.Replace(Encoding.Latin1.GetBytes(RepairContentLength(string.Join("\r\n", lines))));
    }

    private static bool Begins(string line, string[] starts) => starts.Any(start => line.StartsWith(start, StringComparison.OrdinalIgnoreCase));

    private static bool LooksLikeSip(ReadOnlySpan<byte> bytes)
    {
        var end = bytes.IndexOf("\r\n"u8);
        return end > 0 && bytes[..end].IndexOf("SIP/2.0"u8) >= 0;
    }

    // A port is added where there is none, and the one that was added stays on the way back.
    private static string ReplaceParty(string line, TransportAddress original, TransportAddress translated) =>
        Replace(line, original.AddressText, Regex.IsMatch(line, Regex.Escape(original.AddressText) + ":[0-9]") ? translated.AddressText : translated.ToString());

    // 192.168.1.1 is not found in 192.168.1.10.
    private static string Replace(string line, string original, string translated) =>
        Regex.Replace(line, $@"(?<![0-9.]){Regex.Escape(original)}(?![0-9])", translated);

    private static string RepairContentLength(string text)
    {
        const string Name = "\r\nContent-Length:";
        var bodyStart = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        var header = text.IndexOf(Name, StringComparison.OrdinalIgnoreCase);
        if (bodyStart < 0 || header < 0 || header > bodyStart) return text;

        var valueStart = header + Name.Length;
        var valueEnd = text.IndexOf("\r\n", valueStart, StringComparison.Ordinal);
        var length = (text.Length - bodyStart - 4).ToString(CultureInfo.InvariantCulture);
        return $"{text[..valueStart]} {length}{text[valueEnd..]}";
    }
}
