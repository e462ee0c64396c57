namespace SipNat.Server.Transport;

/// <summary>What connections carry, and whom those with TLS are made to.</summary>
public sealed record ConnectionOptions
{
    public StreamFraming Framing { get; init; } = StreamFraming.Sip;

    /// <summary>
    /// Whether a message that finds no room in the queue of a connection is dropped. Otherwise the connection ends: SIP
    /// over a connection sends nothing twice.
    /// </summary>
    public bool DropsWhenFull { get; init; }

    public TlsTrust Trust { get; init; } = TlsTrust.System;

    /// <summary>The pages whose scripts may open a WebSocket: <c>https://phone.example</c>. What names none is no browser.</summary>
    public IReadOnlyList<string> WebSocketOrigins { get; init; } = [];

    /// <summary>Who we are to those that connect with TLS; null where nothing listens for them.</summary>
    public TlsServer? Server { get; init; }
}
