using SipNat.Endpoint.Addressing;
using SipNat.Wire;

namespace SipNat.Endpoint.Diagnosis;

/// <summary>Everything that one endpoint can know of a silent stream.</summary>
public sealed record SilenceEvidence
{
    public required StreamSilence Silence { get; init; }

    /// <summary>Where the peer's requests come from.</summary>
    public required TransportAddress SignallingSource { get; init; }

    /// <summary>Whether no NAT of ours lies between: a local network, or this machine.</summary>
    public required bool PeerIsLocal { get; init; }

    /// <summary>The RTP address of the peer's description; none where it gave none.</summary>
    public required TransportAddress Described { get; init; }

    /// <summary>The session's address in that description where the medium has another one; none where they agree.</summary>
    public TransportAddress SessionConnection { get; init; }

    /// <summary>The RTP address that the peer was told, and why.</summary>
    public required AdvertisedAddress Advertised { get; init; }

    /// <summary>The local address of the RTP socket.</summary>
    public required TransportAddress Local { get; init; }

    /// <summary>How a STUN server sees the RTP socket; null while unknown.</summary>
    public SocketMapping? Mapping { get; init; }

    /// <summary>Whether STUN servers were asked on the RTP socket and none has ever answered.</summary>
    public bool StunIsSilent { get; init; }

    /// <summary>The local address of the flow that brings the peer's requests; none where it is closed.</summary>
    public TransportAddress SignallingLocal { get; init; }

    /// <summary>Where the registrar of the account saw us; none for what belongs to no account.</summary>
    public TransportAddress SeenByProvider { get; init; }

    /// <summary>Whether there are STUN servers to be asked.</summary>
    public bool StunIsKnown { get; init; }

    /// <summary>The public address that STUN servers saw for a SIP socket of the media address; none where they saw none.</summary>
    public TransportAddress SignallingMapped { get; init; }
}
