using System.Globalization;

namespace SipNat.Sip.Sdp;

/// <summary>What a payload type number (0–127) stands for (RFC 8866 §6.6). The clock rate is in Hz.</summary>
public sealed record SdpRtpmap(int PayloadType, string EncodingName, int ClockRate, int Channels = 1)
{
    // RFC 3551 §6, the audio rows of table 4 and CN (RFC 3389 §4).
    private static readonly SdpRtpmap[] Static =
    [
        new(0, "PCMU", 8000), new(3, "GSM", 8000), new(4, "G723", 8000), new(5, "DVI4", 8000), new(6, "DVI4", 16000),
        new(7, "LPC", 8000), new(8, "PCMA", 8000), new(9, "G722", 8000), new(10, "L16", 44100, 2), new(11, "L16", 44100),
        new(12, "QCELP", 8000), new(13, "CN", 8000), new(14, "MPA", 90000), new(15, "G728", 8000), new(16, "DVI4", 11025),
        new(17, "DVI4", 22050), new(18, "G729", 8000),
    ];

    /// <summary>Reads an attribute's value: <c>0 PCMU/8000</c> or <c>10 L16/44100/2</c>.</summary>
    public static SdpRtpmap? Read(string value)
    {
        var space = value.AsSpan().IndexOfAny(' ', '\t');
        if (space < 0 || !TryReadNumber(value.AsSpan(0, space), 127, out var payloadType)) return null;

        var encoding = value.AsSpan(space).Trim();
        Span<Range> ranges = stackalloc Range[4];
        var fields = encoding.Split(ranges, '/');
        if (fields is not (2 or 3) || encoding[ranges[0]].IsEmpty) return null;
        if (!TryReadNumber(encoding[ranges[1]], int.MaxValue, out var clockRate) || clockRate == 0) return null;

        var channels = 1;
        if (fields == 3 && (!TryReadNumber(encoding[ranges[2]], 255, out channels) || channels == 0)) return null;

        return new(payloadType, encoding[ranges[0]].ToString(), clockRate, channels);
    }

    /// <summary>The assignment of RFC 3551 §6 for a number that needs no rtpmap; null for all others.</summary>
    public static SdpRtpmap? OfStatic(int payloadType) => Array.Find(Static, map => map.PayloadType == payloadType);

    /// <summary>The attribute's value.</summary>
    public override string ToString() =>
        Channels == 1 ? $"{PayloadType} {EncodingName}/{ClockRate}" : $"{PayloadType} {EncodingName}/{ClockRate}/{Channels}";

    private static bool TryReadNumber(ReadOnlySpan<char> text, int max, out int number) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number <= max;
}
