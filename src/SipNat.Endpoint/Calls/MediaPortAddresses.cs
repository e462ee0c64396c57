using SipNat.Endpoint.Addressing;
using SipNat.Wire;

namespace SipNat.Endpoint.Calls;

/// <summary>What is known of the addresses of one pair of media sockets.</summary>
/// <param name="Rtp">The RTP socket.</param>
/// <param name="Rtcp">The RTCP socket.</param>
/// <param name="MappingAwaited">Whether a STUN server was asked and nothing was learned yet.</param>
/// <param name="OpenedAt">When the pair was bound, so that nobody waits for a mapping that had its time.</param>
public sealed record MediaPortAddresses(SocketAddresses Rtp, SocketAddresses Rtcp, bool MappingAwaited, Instant OpenedAt);

/// <summary>The addresses of one socket.</summary>
/// <param name="Local">The internal address that it is bound to.</param>
/// <param name="Mapping">How a STUN server sees it; null while unknown.</param>
/// <param name="LastMapped">How it was seen last; none where it never was.</param>
public readonly record struct SocketAddresses(TransportAddress Local, SocketMapping? Mapping, TransportAddress LastMapped);
