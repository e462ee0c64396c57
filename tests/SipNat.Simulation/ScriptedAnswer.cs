using System.Globalization;
using SipNat.Wire;

namespace SipNat.Simulation;

/// <summary>One m-line of the recorder's SDP, as far as a recording client needs it.</summary>
/// <param name="Rtp">Where media goes; none where the line is refused or has no usable address.</param>
/// <param name="Rtcp">Where reports go.</param>
public sealed record ScriptedAnswer(TransportAddress Rtp, TransportAddress Rtcp, string Direction, string? Label, bool HasRtcpMux)
{
    /// <summary>Reads the m-lines of an SDP, in order.</summary>
    public static IReadOnlyList<ScriptedAnswer> Read(string sdp)
    {
        var sections = $"\n{sdp.ReplaceLineEndings("\n")}".Split("\nm=");
        var sessionAddress = ConnectionOf(sections[0]) ?? "";
        return [.. sections.Skip(1).Select(section => ReadMedia(section, sessionAddress))];
    }

    private static ScriptedAnswer ReadMedia(string section, string sessionAddress)
    {
        var port = int.Parse(section.Split(' ')[1], NumberStyles.None, CultureInfo.InvariantCulture);
        var host = ConnectionOf(section) ?? sessionAddress;
        _ = TransportAddress.TryParse(host.Contains(':', StringComparison.Ordinal) ? $"[{host}]" : host, out var address);
        var isMuxed = HasLine(section, "a=rtcp-mux");
        var rtcpPort = Attribute(section, "rtcp") is { } rtcp ? int.Parse(rtcp.Split(' ')[0], CultureInfo.InvariantCulture) : port + 1;
        var direction = new[] { "recvonly", "sendonly", "inactive" }.FirstOrDefault(name => HasLine(section, $"a={name}")) ?? "sendrecv";
        var isUsable = port != 0 && !address.IsNone;
        return new(
            isUsable ? address.WithPort(port) : default,
            isUsable ? address.WithPort(isMuxed ? port : rtcpPort) : default,
            direction,
            Attribute(section, "label"),
            isMuxed);
    }

    private static string? ConnectionOf(string section) =>
        section.Split('\n').Where(line => line.StartsWith("c=IN IP", StringComparison.Ordinal)).Select(line => line.Split(' ')[^1].Trim()).FirstOrDefault();

    private static bool HasLine(string section, string line) => section.Split('\n').Any(candidate => candidate.Trim() == line);

    private static string? Attribute(string section, string name) =>
        section.Split('\n').Where(line => line.StartsWith($"a={name}:", StringComparison.Ordinal)).Select(line => line[(name.Length + 3)..].Trim()).FirstOrDefault();
}
