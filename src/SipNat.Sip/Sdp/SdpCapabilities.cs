namespace SipNat.Sip.Sdp;

/// <summary>What is taken, in order of our preference (used where the offer is ours; an answer keeps the peer's order).</summary>
public sealed record SdpCapabilities(IReadOnlyList<PayloadFormat> Formats)
{
    /// <summary>G.711 both ways, comfort noise and telephone events.</summary>
    public static readonly SdpCapabilities G711 =
        new([PayloadFormat.Pcmu, PayloadFormat.Pcma, PayloadFormat.ComfortNoise, PayloadFormat.TelephoneEvent]);

    public PayloadFormat? Find(SdpRtpmap map) => Formats.FirstOrDefault(format => format.Matches(map));
}
