using System.Net.Sockets;
using SipNat.Traversal.Stun;
using SipNat.Wire;

namespace SipNat.Traversal.Turn;

/// <summary>A TURN server, and what is asked of it.</summary>
public sealed record TurnServerOptions
{
    public required TransportAddress Server { get; init; }

    /// <summary>How the server is reached; the relay itself is always UDP.</summary>
    public TransportProtocol Transport { get; init; } = TransportProtocol.Udp;

    /// <summary>
    /// The name that its certificate has to have, where it is reached by TLS; that of the first server also after
    /// ALTERNATE-SERVER (RFC 8489 §10). Null otherwise.
    /// </summary>
    public string? TlsName { get; init; }

    /// <summary>Null for a server that asks for none.</summary>
    public StunCredentials? Credentials { get; init; }

    /// <summary>The family of the relayed address (REQUESTED-ADDRESS-FAMILY, RFC 8656 §18.6): IPv4 or IPv6.</summary>
    public AddressFamily RelayedFamily { get; init; } = AddressFamily.InterNetwork;

    /// <summary>LIFETIME that is asked for: 10 minutes, the RFC's default; the server may grant less or more.</summary>
    public TimeSpan Lifetime { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>
    /// Over UDP the mapping of a NAT towards the server is kept alive by a Binding indication, at 80–100 % of this bound.
    /// </summary>
    public TimeSpan KeepaliveBound { get; init; } = KeepaliveInterval.DefaultBound;
}
