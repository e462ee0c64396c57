using SipNat.Wire;

namespace SipNat.Endpoint.Media;

/// <summary>Which way the packets of a component take.</summary>
/// <param name="Kind">What is known.</param>
/// <param name="Flow">The flow to send on; the socket's own where it is the default.</param>
/// <param name="Remote">Where to; none where the destination is decided without ICE.</param>
/// <param name="Outbox">Where packets by a relay are queued; null for a socket's.</param>
internal readonly record struct PathRoute(RouteKind Kind, FlowId Flow, TransportAddress Remote, Outbox? Outbox);

internal enum RouteKind
{
    /// <summary>As without ICE: to the described or learned address.</summary>
    Plain,

    /// <summary>ICE looks for a path: nothing but checks is sent.</summary>
    Searching,

    /// <summary>On a path that ICE found.</summary>
    Ice,
}
