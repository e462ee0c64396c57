using SipNat.Wire;

namespace SipNat.Endpoint.Media;

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

    /// <summary>Close both sockets of a pair; nothing more is heard of it.</summary>
    public sealed record Close(MediaPortFlows Flows) : MediaPortRequest;
}
