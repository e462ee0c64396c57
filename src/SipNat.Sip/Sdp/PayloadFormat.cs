namespace SipNat.Sip.Sdp;

/// <summary>
/// A payload format that this endpoint takes. The clock rate is in Hz; <paramref name="StaticPayloadType"/> is the
/// number of RFC 3551 §6 where there is one. A supplement (comfort noise, DTMF events) is taken beside audio, never alone.
/// </summary>
public sealed record PayloadFormat(string Name, int ClockRate, int Channels = 1, int? StaticPayloadType = null, bool IsSupplement = false)
{
    public static readonly PayloadFormat Pcmu = new("PCMU", 8000, StaticPayloadType: 0);

    public static readonly PayloadFormat Pcma = new("PCMA", 8000, StaticPayloadType: 8);

    /// <summary>RFC 3389.</summary>
    public static readonly PayloadFormat ComfortNoise = new("CN", 8000, StaticPayloadType: 13, IsSupplement: true);

    /// <summary>RFC 4733.</summary>
    public static readonly PayloadFormat TelephoneEvent = new("telephone-event", 8000, IsSupplement: true);

    // RFC 2198, RFC 3389, RFC 4588, RFC 4733, RFC 5109, RFC 8627 and their kin: what goes beside audio.
    private static readonly string[] Companions = ["CN", "telephone-event", "tone", "red", "rtx", "parityfec", "ulpfec", "flexfec", "rtploopback", "encaprtp"];

    /// <summary>It is not decoded: whoever takes it keeps the packets.</summary>
    public bool IsKept { get; init; }

    /// <summary>Whether an encoding name of an audio medium is that of a codec.</summary>
    public static bool IsCodec(string encodingName) => !Companions.Contains(encodingName, StringComparer.OrdinalIgnoreCase);

    /// <summary>A format of which the packets are kept.</summary>
    public static PayloadFormat Kept(SdpRtpmap map) => new(map.EncodingName, map.ClockRate, map.Channels) { IsKept = true };

    /// <summary>Encoding names are compared in any case (RFC 4855 §3).</summary>
    public bool Matches(SdpRtpmap map) =>
        ClockRate == map.ClockRate && Channels == map.Channels && string.Equals(Name, map.EncodingName, StringComparison.OrdinalIgnoreCase);
}

/// <summary>A payload type number (0–127) and what it stands for in one media stream.</summary>
public sealed record PayloadMapping(int PayloadType, PayloadFormat Format);
