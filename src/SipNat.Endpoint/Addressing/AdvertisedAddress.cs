using SipNat.Wire;

namespace SipNat.Endpoint.Addressing;

/// <summary>The address that a peer is told, and why.</summary>
public readonly record struct AdvertisedAddress(TransportAddress Address, AddressKind Kind, AddressReason Reason)
{
    /// <summary>One line for logs and people.</summary>
    public string Explain() => Reason.Explain();
}

/// <summary>Where an advertised address comes from.</summary>
public enum AddressKind
{
    /// <summary>The socket's own.</summary>
    Host,

    /// <summary>The configuration, or the metadata service of a cloud.</summary>
    Configured,

    /// <summary>The port of a configured forward, with a configured or a learned address.</summary>
    Forwarded,

    /// <summary>The router, which was asked for the port.</summary>
    Mapped,

    /// <summary>A STUN server, asked from this socket.</summary>
    ServerReflexive,

    /// <summary>An external address that was seen before or on another socket.</summary>
    LastKnown,

    /// <summary>A TURN server.</summary>
    Relayed,
}
