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

    /// <summary>Encoding names are compared in any case (RFC 4855 §3).</summary>
    public bool Matches(SdpRtpmap map) =>
        ClockRate == map.ClockRate && Channels == map.Channels && string.Equals(Name, map.EncodingName, StringComparison.OrdinalIgnoreCase);
}

/// <summary>A payload type number (0–127) and what it stands for in one media stream.</summary>
public sealed record PayloadMapping(int PayloadType, PayloadFormat Format);
