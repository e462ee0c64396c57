using System.Diagnostics;
using SipNat.Wire;

namespace SipNat.Endpoint.Addressing;

/// <summary>
/// Where a request inside a dialog goes. By RFC 3261 §12.2.1.1 that is the first route or the remote target; a peer
/// behind a NAT often writes an address there that leads nowhere, and the flow of its own requests leads back to it.
/// </summary>
/// <param name="Kind">Which way.</param>
/// <param name="Destination">The address, on the peer's flow informative only for connections; none for <see cref="RequestRouteKind.None"/>.</param>
/// <param name="Reason">Why.</param>
public readonly record struct RequestRoute(RequestRouteKind Kind, TransportAddress Destination, RequestRouteReason Reason)
{
    public static RequestRoute Choose(in RequestRouteQuestion question, LocalNetworks localNetworks)
    {
        var (target, source) = (question.Target, question.PeerSource);
        var unusable = localNetworks.Judge(target, source);
        if (unusable is not UnusableAddress.None) return Back(question, From(unusable));

        // The connection that the peer opened crosses its NAT; one that we would open rarely does (RFC 3261 §18.1.1).
        if (question.Transport.IsReliable && question.FlowIsOpen && target.HasSameAddress(source))
        {
            return new(RequestRouteKind.PeerFlow, source, RequestRouteReason.ConnectionIsOpen);
        }

        return new(RequestRouteKind.Target, target, RequestRouteReason.TargetIsReachable);
    }

    public string Explain() => Reason switch
    {
        RequestRouteReason.TargetIsReachable => $"the target {Destination}",
        RequestRouteReason.ConnectionIsOpen => $"the connection with {Destination} is open",
        RequestRouteReason.TargetMissing => $"the target has no address: {Way}",
        RequestRouteReason.TargetUnspecified => $"the target's address is unspecified: {Way}",
        RequestRouteReason.TargetMulticast => $"the target is a group address: {Way}",
        RequestRouteReason.TargetLoopback => $"the target is a loopback address of another machine: {Way}",
        RequestRouteReason.TargetPrivate => $"the target is a private address of another network: {Way}",
        _ => throw new UnreachableException(),
    };

    private string Way => Kind is RequestRouteKind.PeerFlow ? $"back to {Destination}, where the peer's requests come from" : "no way to the peer";

    private static RequestRoute Back(in RequestRouteQuestion question, RequestRouteReason reason) =>
        question.FlowIsOpen && !question.PeerSource.IsNone
            ? new(RequestRouteKind.PeerFlow, question.PeerSource, reason)
            : new(RequestRouteKind.None, default, reason);

    private static RequestRouteReason From(UnusableAddress unusable) => unusable switch
    {
        UnusableAddress.Missing => RequestRouteReason.TargetMissing,
        UnusableAddress.Unspecified => RequestRouteReason.TargetUnspecified,
        UnusableAddress.Multicast => RequestRouteReason.TargetMulticast,
        UnusableAddress.Loopback => RequestRouteReason.TargetLoopback,
        UnusableAddress.PrivateOutside => RequestRouteReason.TargetPrivate,
        _ => throw new UnreachableException(),
    };
}

/// <summary>What is known about the way to the peer of a dialog.</summary>
public readonly record struct RequestRouteQuestion
{
    /// <summary>The first route or the remote target; none where its host is a name that is not resolved.</summary>
    public TransportAddress Target { get; init; }

    /// <summary>The source of the peer's last request in the dialog.</summary>
    public TransportAddress PeerSource { get; init; }

    /// <summary>The transport of that request.</summary>
    public TransportProtocol Transport { get; init; }

    /// <summary>Whether its flow still is; a UDP socket is open for as long as we listen.</summary>
    public bool FlowIsOpen { get; init; }
}

public enum RequestRouteKind
{
    /// <summary>To the target, as the RFC has it.</summary>
    Target,

    /// <summary>To the source of the peer's last request, on the flow that brought it.</summary>
    PeerFlow,

    /// <summary>Neither leads anywhere.</summary>
    None,
}

public enum RequestRouteReason
{
    TargetIsReachable,

    /// <summary>The target has the address at the other end of an open connection.</summary>
    ConnectionIsOpen,

    TargetMissing,
    TargetUnspecified,
    TargetMulticast,

    /// <summary>Loopback, written by another machine.</summary>
    TargetLoopback,

    /// <summary>Private, while the peer is outside the local networks.</summary>
    TargetPrivate,
}
