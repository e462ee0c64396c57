using SipNat.Endpoint.Addressing;
using SipNat.Traversal.Ice;
using SipNat.Wire;

namespace SipNat.Endpoint.Media;

/// <summary>What is known of the addresses of one pair of media sockets.</summary>
/// <param name="Rtp">The RTP socket.</param>
/// <param name="Rtcp">The RTCP socket.</param>
/// <param name="MappingAwaited">Whether a STUN or TURN server was asked and nothing was learned yet.</param>
/// <param name="OpenedAt">When the pair was bound, or a relay was asked for, so that nobody waits for what had its time.</param>
/// <param name="Ice">What the peer is to be told by ICE; null where no agent was asked for, or ICE is not used.</param>
/// <param name="IceVersion">Grows whenever the peer has to be told <paramref name="Ice"/> anew.</param>
public sealed record MediaPortAddresses(
    SocketAddresses Rtp, SocketAddresses Rtcp, bool MappingAwaited, Instant OpenedAt, IceDescription? Ice = null, int IceVersion = 0);

/// <summary>The addresses of one socket.</summary>
/// <param name="Local">The internal address that it is bound to.</param>
/// <param name="Mapping">How a STUN server sees it; null while unknown.</param>
/// <param name="LastMapped">How it was seen last; none where it never was.</param>
/// <param name="Relayed">What a TURN server lends it; null where none does.</param>
public readonly record struct SocketAddresses(
    TransportAddress Local, SocketMapping? Mapping, TransportAddress LastMapped, RelayedAddress? Relayed = null);
