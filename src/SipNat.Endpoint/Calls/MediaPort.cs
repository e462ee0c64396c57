using SipNat.Endpoint.Addressing;
using SipNat.Traversal.Stun;
using SipNat.Wire;

namespace SipNat.Endpoint.Calls;

/// <summary>
/// A bound pair of media sockets with what STUN servers see of them. It is opened and mapped before a session needs it,
/// and serves one session only.
/// </summary>
internal sealed class MediaPort
{
    private readonly StunBindingClient _rtp;
    private readonly StunBindingClient _rtcp;
    private Instant _openedAt;

    public MediaPort(Instant now, MediaPortFlows flows, StunBindingOptions stun, Random random)
    {
        (Flows, _openedAt) = (flows, now);
        _rtp = new(flows.Rtp, flows.LocalRtp, stun, random);
        _rtcp = new(flows.Rtcp, flows.LocalRtcp, stun, random);
        _rtp.Start(now);
        _rtcp.Start(now);
    }

    public MediaPortFlows Flows { get; }

    /// <summary>The session that owns the pair; null while it is spare.</summary>
    public MediaSession? Owner { get; set; }

    /// <summary>Its place among the ports of its owner.</summary>
    public int Index { get; set; }

    /// <summary>ICE and relays, where the session asked for them.</summary>
    public PathFinder? Paths { get; private set; }

    /// <summary>Connections of its relays.</summary>
    public RelayFlows? Relays { get; private set; }

    public Instant? Deadline => Instant.Earlier(Instant.Earlier(_rtp.Deadline, _rtcp.Deadline), Paths?.Deadline);

    public MediaPortAddresses Addresses => new(
        AddressesOf(_rtp, 1),
        AddressesOf(_rtcp, 2),
        MappingAwaited: (_rtp.HasServers && (_rtp.LastMapped is null || _rtcp.LastMapped is null)) || Paths is { IsAsking: true },
        _openedAt,
        Paths?.Description,
        Paths?.Version ?? 0);

    /// <summary>Whether a relay is of use to a peer that does without ICE: what STUN servers see is not, or not known.</summary>
    public bool IsHardToReach => SocketMapping.Of(_rtp) is null or { VariesByDestination: true };

    /// <summary>Looks for more ways to the peer, or looks again.</summary>
    /// <param name="relays">Who opens the flows of relays; null where none is to be asked for.</param>
    public void Gather(Instant now, PathNeeds needs, MediaPlaneOptions options, RelayFlows? relays, Random random)
    {
        if (Paths is { Description: not null } || (Paths is not null && needs.IceComponents == 0))
        {
            if (needs.IceComponents > 0) Paths.Restart(now);
            return;
        }

        var former = Paths;
        former?.ReleaseRelays(now);
        if (relays is not null) _openedAt = now;
        (Relays, Paths) = (relays ?? Relays, new(now, Flows, needs, options, relays, random, (former?.Version ?? 0) + 1));
        if (former is not null) Paths.Outbox.TakeAllFrom(former.Outbox);
        Learn(now, _rtp);
        Learn(now, _rtcp);
    }

    /// <summary>Takes an answer of a STUN server, or a check of the peer; false leaves the datagram to somebody else.</summary>
    public bool TryHandle(Instant now, FlowId flow, TransportAddress from, ReadOnlySpan<byte> datagram) =>
        (flow == Flows.Rtp && _rtp.TryHandle(now, from, datagram))
        || (flow == Flows.Rtcp && _rtcp.TryHandle(now, from, datagram))
        || Paths?.TryHandle(now, flow, from, datagram) is true;

    public void HandleTimeout(Instant now, Outbox outbox)
    {
        if (Paths?.HandleTimeout(now) is true) Refresh(now);
        _rtp.HandleTimeout(now, outbox);
        _rtcp.HandleTimeout(now, outbox);
        if (Paths is not null) outbox.TakeAllFrom(Paths.Outbox);
    }

    /// <summary>Which component a flow carries: 1 is RTP, 2 is RTCP; 0 for a flow of another port.</summary>
    public int ComponentOf(FlowId flow) => flow == Flows.Rtp ? 1 : flow == Flows.Rtcp ? 2 : Paths?.ComponentOf(flow) ?? 0;

    /// <summary>Asks how the sockets are seen at once.</summary>
    public void Refresh(Instant now)
    {
        _rtp.Refresh(now);
        _rtcp.Refresh(now);
    }

    /// <summary>Whether what is known of the addresses has changed; asking clears it.</summary>
    public bool TakeChanged(Instant now) => Drain(now, _rtp) | Drain(now, _rtcp) | Paths?.TakeChanged() is true;

    private SocketAddresses AddressesOf(StunBindingClient client, int component) =>
        new(client.Local, SocketMapping.Of(client), client.LastMapped ?? default, Paths?.RelayOf(component));

    private bool Drain(Instant now, StunBindingClient client)
    {
        var changed = false;
        while (client.TryTake(out var happened))
        {
            changed |= happened is StunBindingEvent.MappingLearned or StunBindingEvent.MappingChanged
                or StunBindingEvent.MappingDependsOnDestination;
        }

        if (changed) Learn(now, client);
        return changed;
    }

    private void Learn(Instant now, StunBindingClient client)
    {
        if (client is { Mapped: { } mapped, Server: { } server }) Paths?.SetMapping(now, client.Flow, mapped, server);
    }
}
