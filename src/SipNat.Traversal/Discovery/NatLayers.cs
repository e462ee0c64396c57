using SipNat.Wire;

namespace SipNat.Traversal.Discovery;

/// <summary>How many NATs are on the way, from what the router says of itself and from who answers on the way.</summary>
/// <param name="Local">Our own address.</param>
/// <param name="External">How a STUN server sees us; none where it is not known.</param>
public sealed record NatLayers(TransportAddress Local, TransportAddress External)
{
    // RFC 6598: what providers use between their NAT and their customers' routers, and nobody else.
    private static readonly NetworkPrefix Shared = NetworkPrefix.Parse("100.64.0.0/10");

    // The servers' word, and the router's, count as much as that of three sockets.
    private const int Certain = 3;
    private const int Likely = 2;

    /// <summary>The router's own address outside (PCP, NAT-PMP, UPnP); none where it does not say.</summary>
    public TransportAddress Router { get; init; }

    /// <summary>
    /// Who answered for each hop towards a server on the internet, in order from our own router; none for a hop that is
    /// silent. The last one is the server where it was reached.
    /// </summary>
    public IReadOnlyList<TransportAddress> Hops { get; init; } = [];

    /// <summary>Whether the last of <see cref="Hops"/> is the server.</summary>
    public bool IsServerReached { get; init; }

    /// <summary>
    /// 0, 1 or 2; two stands for more as well. A private second hop proves nothing, as routers are also chained without
    /// translating, and neither does a public one, behind which a provider may still translate.
    /// </summary>
    public Measured<int> Count =>
        External.IsNone ? default
        : External.HasSameAddress(Local) ? Measured<int>.Of(0, Certain)
        : Router.HasSameAddress(External) ? Measured<int>.Of(1, Certain)
        : Router.IsPrivate ? Measured<int>.Of(2, Certain)
        : !Shared.Contains(Local) && Hops.Any(Shared.Contains) ? Measured<int>.Of(2, Likely)
        : IsServerReached && Hops.Count == 2 ? Measured<int>.Of(1, Certain)
        : default;
}
