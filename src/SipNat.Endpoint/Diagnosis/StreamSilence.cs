using SipNat.Media.Streams;
using SipNat.Wire;

namespace SipNat.Endpoint.Diagnosis;

/// <summary>A stream that should be sending and brings nothing, as far as its media port knows.</summary>
/// <param name="Index">Its place among the m-lines, from 0.</param>
/// <param name="At">When it was noticed.</param>
/// <param name="Lasted">Since it was agreed on, or since its last packet.</param>
/// <param name="HeardFor">From its first packet to its last; null where it never brought one.</param>
/// <param name="HasSent">Whether the system let anything out that would open the pinhole of the RTP port.</param>
/// <param name="ControlFrom">Where its RTCP comes from; none where there is none.</param>
/// <param name="PeerSaysSent">RTP packets that the peer has sent by its last sender report (RFC 3550 §6.4.1); null without one.</param>
/// <param name="Sources">Every source that sent RTP to the port.</param>
public sealed record StreamSilence(
    int Index,
    Instant At,
    TimeSpan Lasted,
    TimeSpan? HeardFor,
    bool HasSent,
    TransportAddress ControlFrom,
    uint? PeerSaysSent,
    IReadOnlyList<SourceSeen> Sources);
