using SipNat.Traversal.Stun;
using SipNat.Wire;

namespace SipNat.Endpoint.Addressing;

/// <summary>One socket and one peer: which address of the socket is the peer told?</summary>
public readonly record struct AddressQuestion
{
    /// <summary>Decides which configured port forward applies.</summary>
    public AddressUse Use { get; init; }

    /// <summary>What the socket speaks: a router maps the ports of UDP and of TCP apart.</summary>
    public TransportProtocol Transport { get; init; }

    /// <summary>The signalling source of the peer, or where the request will go; never what the peer wrote.</summary>
    public TransportAddress Peer { get; init; }

    /// <summary>The concrete local address of the socket.</summary>
    public TransportAddress Local { get; init; }

    /// <summary>How a STUN server sees this very socket; null while unknown.</summary>
    public SocketMapping? Mapping { get; init; }

    /// <summary>What a TURN server lends this very socket; null where none does.</summary>
    public RelayedAddress? Relayed { get; init; }

    /// <summary>
    /// An external address known from before or from another socket, none without one. Its port is that of this
    /// socket, or 0 where it came from another one.
    /// </summary>
    public TransportAddress LastKnown { get; init; }

    /// <summary>Whether what a TURN server lends is told before any other address that is not local.</summary>
    public bool PrefersRelay { get; init; }

    /// <summary>Kinds of addresses that were found not to work; one of them is told only where there is no other.</summary>
    public AddressKindSet Avoided { get; init; }
}

/// <summary>An address that a TURN server lends.</summary>
/// <param name="Address">Where peers reach us.</param>
/// <param name="Server">Who lends it.</param>
public readonly record struct RelayedAddress(TransportAddress Address, TransportAddress Server);

public enum AddressUse
{
    /// <summary>Contact and Via.</summary>
    Signalling,

    /// <summary>RTP and RTCP: c=, m= and a=rtcp.</summary>
    Media,
}

/// <summary>How one socket is seen from outside.</summary>
/// <param name="Mapped">The address and port that the server saw.</param>
/// <param name="Server">Who saw it.</param>
/// <param name="VariesByDestination">Another server saw another one: nobody else can use this port (RFC 4787 §4.1).</param>
public readonly record struct SocketMapping(TransportAddress Mapped, TransportAddress Server, bool VariesByDestination)
{
    /// <summary>What the client of the socket knows; null while it has no answer.</summary>
    public static SocketMapping? Of(StunBindingClient client) =>
        client is { Mapped: { } mapped, Server: { } server }
            ? new(mapped, server, client.VariesByDestination is true)
            : null;
}
