using SipNat.Sip.Sdp;

namespace SipNat.Server.Options;

/// <summary>The codecs of calls, by the names that settings have for them.</summary>
internal static class CodecNames
{
    /// <summary>In order of preference: what sounds better first.</summary>
    public static readonly IReadOnlyList<string> Default = ["G722", "PCMU", "PCMA"];

    private static readonly Dictionary<string, PayloadFormat> Known = new(StringComparer.OrdinalIgnoreCase)
    {
        ["PCMU"] = PayloadFormat.Pcmu,
        ["PCMA"] = PayloadFormat.Pcma,
        // 16 kHz of audio; its clock says 8000 for ever (RFC 3551 §4.5.2).
        ["G722"] = new("G722", 8000, StaticPayloadType: 9),
        ["L16"] = new("L16", 16000),
    };

    /// <summary>Codecs in order of preference, separated by commas.</summary>
    public static Parsed<IReadOnlyList<string>?> Parse(string text)
    {
        var names = text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return names.Length > 0 && names.All(Known.ContainsKey)
            ? names
            : Parsed.Not<IReadOnlyList<string>?>($"must be codecs in order of preference, such as 'PCMU,PCMA'; there are {string.Join(", ", Known.Keys)}.");
    }

    /// <summary>With what goes beside audio: digits, and silence of the other side's.</summary>
    public static IReadOnlyList<PayloadFormat> FormatsOf(IReadOnlyList<string> names) =>
        [.. names.Distinct(StringComparer.OrdinalIgnoreCase).Select(name => Known[name]), PayloadFormat.ComfortNoise, PayloadFormat.TelephoneEvent];
}
