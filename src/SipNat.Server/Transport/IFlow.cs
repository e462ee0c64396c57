using SipNat.Wire;

namespace SipNat.Server.Transport;

/// <summary>One socket or connection of a <see cref="CoreHost"/>.</summary>
internal interface IFlow
{
    FlowId Id { get; }

    TransportProtocol Transport { get; }

    /// <summary>The concrete local address, never a wildcard.</summary>
    TransportAddress Local { get; }

    /// <summary>The peer of a connection; none for UDP.</summary>
    TransportAddress Remote { get; }

    /// <summary>Whether the peer made the connection; false for UDP.</summary>
    bool IsAccepted { get; }

    /// <summary>What the peer's certificate was seen to name; null where nothing of the kind was asked.</summary>
    string? TlsName { get; }

    /// <summary>Hands one datagram or message to the kernel or to the connection's queue. Never blocks, never throws.</summary>
    SendOutcome Send(TransportAddress destination, ReadOnlySpan<byte> payload);

    /// <summary>Begins the end of the flow; its receive loop ends soon after.</summary>
    void Close();
}

/// <summary>Who is handed what a flow brings.</summary>
internal interface IFlowSink
{
    /// <summary>One message, valid during the call.</summary>
    void Receive(FlowId flow, TransportAddress from, ReadOnlySpan<byte> message);
}

/// <summary>What became of one send. A metric's tag.</summary>
internal enum SendOutcome
{
    Sent,

    /// <summary>No room in the kernel or in the connection's queue: lost, as a network may lose it.</summary>
    Dropped,

    /// <summary>The kernel rejected it (no route, too long, closed).</summary>
    Failed,
}
