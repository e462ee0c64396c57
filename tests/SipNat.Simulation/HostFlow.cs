using SipNat.Wire;

namespace SipNat.Simulation;

/// <summary>A UDP socket, or one end of a connection, of a simulated host.</summary>
internal sealed class HostFlow(FlowId id, TransportProtocol transport, SimulatedHost host, HostCore owner)
{
    public FlowId Id { get; } = id;

    public TransportProtocol Transport { get; } = transport;

    public SimulatedHost Host { get; } = host;

    public HostCore Owner { get; } = owner;

    public required TransportAddress Local { get; init; }

    /// <summary>The peer of a connection; none for UDP.</summary>
    public TransportAddress Remote { get; init; }

    /// <summary>What the peer's certificate would have to name; null where the peer made the connection.</summary>
    public string? TlsName { get; set; }

    /// <summary>Whether messages pass: at once for UDP, after the handshake for a connection.</summary>
    public bool IsOpen { get; set; }

    public int MessagesSent { get; set; }

    public int MessagesReceived { get; set; }

    /// <summary>When the last segment on its way arrives; a later one never overtakes it.</summary>
    public Instant LastArrival { get; set; }
}

/// <summary>One of the cores that run on a host, with the moment at which it will be woken.</summary>
internal sealed class HostCore(IProtocolCore core)
{
    public IProtocolCore Core { get; } = core;

    public Instant? Armed { get; set; }

    public bool IsDetached { get; set; }
}
