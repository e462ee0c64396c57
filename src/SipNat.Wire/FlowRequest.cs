namespace SipNat.Wire;

/// <summary>
/// What a core asks of the shell: a connection to a remote address, or the end of a flow. The answer comes by
/// <see cref="IProtocolCore.HandleFlow"/>; a connection is known again by its transport and remote address.
/// </summary>
/// <param name="Flow">The flow to close; ignored for <see cref="FlowRequestKind.Connect"/>.</param>
public readonly record struct FlowRequest(
    FlowRequestKind Kind,
    FlowId Flow,
    TransportProtocol Transport,
    TransportAddress Remote)
{
    /// <summary>
    /// What the certificate of the remote side has to be made out to, for TLS; a connection with TLS is not made without
    /// it. After a redirection it is the name of the server that one began with (RFC 8489 §10). Over WebSocket it is the host
    /// that is asked for, also without TLS.
    /// </summary>
    public string? TlsName { get; init; }
}

public enum FlowRequestKind
{
    Connect,
    Close,
}
