using System.Diagnostics;
using System.Globalization;
using SipNat.Wire;

namespace SipNat.Traversal.Stun;

/// <summary>What a <see cref="StunBindingClient"/> found out about its socket. The set is closed: switch over it.</summary>
public abstract record StunBindingEvent
{
    private StunBindingEvent(FlowId flow, Instant at) => (Flow, At) = (flow, at);

    /// <summary>The socket.</summary>
    public FlowId Flow { get; }

    public Instant At { get; }

    /// <summary>The socket is seen from outside as <paramref name="Mapped"/>; also when it is seen so again after silence.</summary>
    public sealed record MappingLearned(
        FlowId Flow, TransportAddress Local, TransportAddress Mapped, TransportAddress Server, Instant At)
        : StunBindingEvent(Flow, At);

    /// <summary>The mapping is another one: the NAT restarted, the line changed, or the old mapping had expired.</summary>
    public sealed record MappingChanged(
        FlowId Flow, TransportAddress Local, TransportAddress Previous, TransportAddress Mapped, TransportAddress Server, Instant At)
        : StunBindingEvent(Flow, At);

    /// <summary>
    /// The mapping has another port at the same address, after a <paramref name="Silence"/> in which it ended: it is kept
    /// alive at intervals of at most <paramref name="Bound"/> from here on. Follows on <see cref="MappingChanged"/>.
    /// </summary>
    public sealed record MappingEnded(FlowId Flow, TransportAddress Local, TimeSpan Silence, TimeSpan Bound, Instant At)
        : StunBindingEvent(Flow, At);

    /// <summary>Two servers see two mappings: an address learned from a server is of no use to anybody else.</summary>
    public sealed record MappingDependsOnDestination(
        FlowId Flow,
        TransportAddress Mapped,
        TransportAddress Server,
        TransportAddress OtherMapped,
        TransportAddress OtherServer,
        Instant At)
        : StunBindingEvent(Flow, At);

    /// <summary>The server that answered so far is silent; all servers are asked again.</summary>
    public sealed record MappingLost(FlowId Flow, TransportAddress Mapped, TransportAddress Server, Instant At)
        : StunBindingEvent(Flow, At);

    /// <summary>No server gave a mapping; they are asked again after a keepalive interval.</summary>
    public sealed record NoAnswer(FlowId Flow, IReadOnlyList<TransportAddress> Servers, Instant At) : StunBindingEvent(Flow, At);

    /// <summary>A server answered without a mapping.</summary>
    /// <param name="Flow">The socket.</param>
    /// <param name="Server">The server.</param>
    /// <param name="Code">Its error code, 300–699; 0 for a response that cannot be used.</param>
    /// <param name="At">When.</param>
    public sealed record ServerRefused(FlowId Flow, TransportAddress Server, int Code, Instant At) : StunBindingEvent(Flow, At);
}

public static class StunBindingEventText
{
    public static string Explain(this StunBindingEvent happened) => happened switch
    {
        StunBindingEvent.MappingLearned(_, var local, var mapped, var server, _) =>
            $"STUN server {server} sees {local} as {mapped}.",
        StunBindingEvent.MappingChanged(_, var local, var previous, var mapped, var server, _) =>
            $"STUN server {server} sees {local} as {mapped}, before as {previous}.",
        StunBindingEvent.MappingEnded(_, var local, var silence, var bound, _) => string.Create(
            CultureInfo.InvariantCulture,
            $"The NAT gave {local} another port within {silence.TotalSeconds:F0} s: a silent mapping does not live so long there, and is kept alive every {KeepaliveInterval.Describe(bound)} from here on."),
        StunBindingEvent.MappingDependsOnDestination(_, var mapped, var server, var otherMapped, var otherServer, _) =>
            $"The NAT maps per destination: STUN server {server} sees {mapped}, {otherServer} sees {otherMapped}.",
        StunBindingEvent.MappingLost(_, var mapped, var server, _) =>
            $"STUN server {server}, which saw {mapped}, does not answer.",
        StunBindingEvent.NoAnswer(_, var servers, _) =>
            $"No STUN server gave an address; asked {string.Join(", ", servers)}.",
        StunBindingEvent.ServerRefused(_, var server, 0, _) => $"STUN server {server} sent a response that cannot be used.",
        StunBindingEvent.ServerRefused(_, var server, var code, _) => $"STUN server {server} refused with {code}.",
        _ => throw new UnreachableException(),
    };
}
