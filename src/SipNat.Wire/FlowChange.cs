namespace SipNat.Wire;

/// <summary>What the shell tells a core about one of its flows.</summary>
/// <param name="Kind">What happened.</param>
/// <param name="Transport">The transport of the flow.</param>
/// <param name="Local">The concrete local address, never a wildcard; none where a connection was refused.</param>
/// <param name="Remote">The peer of a connection; none for UDP, except for <see cref="FlowChangeKind.SendFailed"/>,
/// where it is the destination that the kernel rejected.</param>
public readonly record struct FlowChange(
    FlowChangeKind Kind,
    TransportProtocol Transport,
    TransportAddress Local,
    TransportAddress Remote)
{
    /// <summary>Whether the peer made the connection: its local address is one that others can connect to as well.</summary>
    public bool IsAccepted { get; init; }

    /// <summary>
    /// The <see cref="FlowRequest.TlsName"/> that the connection was asked for with, and that its certificate has proved
    /// where it opened; null where the peer made it, and without TLS.
    /// </summary>
    public string? TlsName { get; init; }

    /// <summary>Why a connection was refused, where there is more to say than that nobody is there; it may hold words of the peer's.</summary>
    public string? Reason { get; init; }

    /// <summary>Whether it is about a connection that was asked for. Where TLS is on it the name counts: who proved one name has not proved another.</summary>
    public bool IsAbout(TransportProtocol transport, TransportAddress remote, string? tlsName) =>
        Transport == transport && Remote == remote && (!transport.IsEncrypted || string.Equals(TlsName, tlsName, StringComparison.OrdinalIgnoreCase));
}

public enum FlowChangeKind
{
    /// <summary>The flow carries messages from now on.</summary>
    Opened,

    /// <summary>The flow is gone; nothing more comes from it and what is sent to it is dropped.</summary>
    Closed,

    /// <summary>A connection that a core asked for could not be made; the flow never opened.</summary>
    Refused,

    /// <summary>The kernel rejected a datagram (no route, port unreachable). The flow stays open.</summary>
    SendFailed,
}
