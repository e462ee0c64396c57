using SipNat.Wire;

namespace SipNat.Sip.Sdp;

/// <summary>
/// The sockets for one m-line as the peer is to see them. <paramref name="Index"/> is the m-line's place, from 0.
/// Where RTCP is multiplexed the second address is not used.
/// </summary>
public sealed record LocalMedia(int Index, TransportAddress Rtp, TransportAddress Rtcp)
{
    /// <summary>
    /// What else the m-line says of these sockets: the attributes of ICE (RFC 8839 §5), and our key, which makes an offer
    /// RTP/SAVP (RFC 4568).
    /// </summary>
    public IReadOnlyList<SdpAttribute> Attributes { get; init; } = [];
}
