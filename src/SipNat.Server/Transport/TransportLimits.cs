using SipNat.Wire;

namespace SipNat.Server.Transport;

/// <summary>Caps and timeouts of SIP connections.</summary>
public sealed record TransportLimits
{
    /// <summary>Connections at the same time, accepted and made.</summary>
    public int MaxConnections { get; init; } = 8192;

    /// <summary>Accepted connections of one source address at the same time. A load balancer is one source.</summary>
    public int MaxConnectionsPerSource { get; init; } = 4096;

    /// <summary>Whoever is in them may have as many as that; null for everybody.</summary>
    public IReadOnlyList<NetworkPrefix>? AllowedNetworks { get; init; }

    /// <summary>Accepted connections of one source address outside the allowed networks.</summary>
    public int MaxConnectionsPerStranger { get; init; } = 8;

    /// <summary>Accepted connections of all of them: the others always find room.</summary>
    public int MaxConnectionsOfStrangers { get; init; } = 512;

    /// <summary>Connections being made at the same time.</summary>
    public int MaxConnecting { get; init; } = 256;

    /// <summary>How long a peer may take for its first message, and for a message that it has begun.</summary>
    public TimeSpan MessageTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a connection may take to be made.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(4);

    /// <summary>Accepted connections at the same time that carry nothing yet: TLS is being begun on them.</summary>
    public int MaxHandshakes { get; init; } = 256;

    /// <summary>Of those, the ones of one source address.</summary>
    public int MaxHandshakesPerSource { get; init; } = 64;

    /// <summary>Of those, the ones of one source address outside the allowed networks.</summary>
    public int MaxHandshakesPerStranger { get; init; } = 2;

    /// <summary>How long a peer may take until its connection carries messages.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Bytes waiting for one peer to read; past that the connection is closed.</summary>
    public int MaxQueuedBytes { get; init; } = 1024 * 1024;
}
