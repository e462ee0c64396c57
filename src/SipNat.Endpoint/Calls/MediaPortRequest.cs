using SipNat.Wire;

namespace SipNat.Endpoint.Calls;

/// <summary>What a <see cref="MediaPlane"/> asks of the owner of its sockets. The set is closed: switch over it.</summary>
public abstract record MediaPortRequest
{
    private MediaPortRequest()
    {
    }

    /// <summary>
    /// Bind a pair on this internal address, RTP even and RTCP on the next port; answered by
    /// <see cref="MediaPlane.HandlePortBound"/> or <see cref="MediaPlane.HandlePortRefused"/>.
    /// </summary>
    public sealed record Bind(TransportAddress Local) : MediaPortRequest;

    /// <summary>
    /// Make a connection to a TURN server under an id that the plane chose. Messages cut by
    /// <see cref="Traversal.Turn.TurnFrame"/> come by <see cref="MediaPlane.HandleDatagram"/>, its opening and its end by
    /// <see cref="MediaPlane.HandleFlow"/>; what is sent before it is open waits for it.
    /// </summary>
    /// <param name="TlsName">The name that the server's certificate has to have; null for TCP alone.</param>
    public sealed record Connect(FlowId Flow, TransportProtocol Transport, TransportAddress Local, TransportAddress Server, string? TlsName) : MediaPortRequest;

    /// <summary>Close a connection; nothing more is heard of it.</summary>
    public sealed record Disconnect(FlowId Flow) : MediaPortRequest;

    /// <summary>Close both sockets of a pair; nothing more is heard of it.</summary>
    public sealed record Close(MediaPortFlows Flows) : MediaPortRequest;
}
