using SipNat.Wire;

namespace SipNat.Endpoint.Media;

/// <summary>
/// What a <see cref="MediaPlane"/> asks of the owner of its connections to TURN servers, before it sends by them. The set is
/// closed: switch over it.
/// </summary>
public abstract record MediaConnectionRequest
{
    private MediaConnectionRequest()
    {
    }

    /// <summary>
    /// Make a connection under an id that the plane chose. Messages cut by <see cref="Traversal.Turn.TurnFrame"/> come by
    /// <see cref="MediaPlane.HandleDatagram"/>, its opening and its end by <see cref="MediaPlane.HandleFlow"/>; what is sent
    /// before it is open waits for it.
    /// </summary>
    /// <param name="TlsName">The name that the server's certificate has to have; null for TCP alone.</param>
    public sealed record Connect(FlowId Flow, TransportProtocol Transport, TransportAddress Local, TransportAddress Server, string? TlsName) : MediaConnectionRequest;

    /// <summary>Close a connection, once what was sent by it has left; nothing more is heard of it.</summary>
    public sealed record Disconnect(FlowId Flow) : MediaConnectionRequest;
}
