using SipNat.Server.Codecs;
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
        ["Opus"] = new(NativeCodecs.Opus, 48_000, Channels: 2),
        ["G729"] = new(NativeCodecs.G729, 8000, StaticPayloadType: 18),
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
    /// <remarks>A codec whose library is not installed is left out; of none that is left G.711 takes the place.</remarks>
    public static IReadOnlyList<PayloadFormat> FormatsOf(IReadOnlyList<string> names)
    {
        List<PayloadFormat> codecs = [.. names.Distinct(StringComparer.OrdinalIgnoreCase).Where(name => !NativeCodecs.IsMissing(name)).Select(name => Known[name])];
        return codecs.Count > 0
            ? [.. codecs, PayloadFormat.ComfortNoise, PayloadFormat.TelephoneEvent]
            : [PayloadFormat.Pcmu, PayloadFormat.Pcma, PayloadFormat.ComfortNoise, PayloadFormat.TelephoneEvent];
    }
}
