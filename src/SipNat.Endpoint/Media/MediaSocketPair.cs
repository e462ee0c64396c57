using SipNat.Endpoint.Addressing;
using SipNat.Traversal.Ice;
using SipNat.Traversal.Stun;
using SipNat.Wire;

namespace SipNat.Endpoint.Media;

/// <summary>Two bound media sockets, with what STUN servers see of them. Opened and mapped before a session needs them.</summary>
internal sealed class MediaSocketPair
{
    private readonly StunBindingClient _rtp;
    private readonly StunBindingClient _rtcp;
    private bool _isResting;
    private StunBindingEvent.MappingEnded? _ended;

    public MediaSocketPair(Instant now, MediaPortFlows flows, StunBindingOptions stun, Random random)
    {
        Flows = flows;
        _rtp = new(flows.Rtp, flows.LocalRtp, stun, random);
        _rtcp = new(flows.Rtcp, flows.LocalRtcp, stun, random);
        _rtp.Start(now);
        _rtcp.Start(now);
    }

    public MediaPortFlows Flows { get; }

    /// <summary>0–65535: its place among the addresses that ICE tells (RFC 8445 §5.1.2.1).</summary>
    public int LocalPreference { get; set; } = Candidate.MaxLocalPreference;

    /// <summary>The longest time between two packets that keep the mapping of the RTP socket alive.</summary>
    public TimeSpan RtpKeepalive => _rtp.KeepaliveBound;

    /// <summary>The same for RTCP.</summary>
    public TimeSpan RtcpKeepalive => _rtcp.KeepaliveBound;

    public Instant? Deadline => Instant.Earlier(_rtp.Deadline, _rtcp.Deadline);

    /// <summary>Whether a STUN server was asked and nothing was learned yet.</summary>
    public bool IsMappingAwaited => _rtp.HasServers && (_rtp.LastMapped is null || _rtcp.LastMapped is null);

    /// <summary>Whether what STUN servers see is of no use to a peer without ICE, or not known.</summary>
    public bool IsHardToReach => SocketMapping.Of(_rtp) is null or { VariesByDestination: true };

    /// <param name="component">1 is RTP, 2 is RTCP.</param>
    /// <param name="relayed">What a TURN server lends to it.</param>
    public SocketAddresses AddressesOf(int component, RelayedAddress? relayed)
    {
        var client = component == 1 ? _rtp : _rtcp;
        return new(client.Local, SocketMapping.Of(client), client.LastMapped ?? default, relayed);
    }

    /// <summary>Which component a flow carries; 0 for a flow of another pair.</summary>
    public int ComponentOf(FlowId flow) => flow == Flows.Rtp ? 1 : flow == Flows.Rtcp ? 2 : 0;

    /// <summary>Takes an answer of a STUN server; false leaves the datagram to somebody else.</summary>
    public bool TryHandle(Instant now, FlowId flow, TransportAddress from, ReadOnlySpan<byte> datagram) =>
        (flow == Flows.Rtp && _rtp.TryHandle(now, from, datagram)) || (flow == Flows.Rtcp && _rtcp.TryHandle(now, from, datagram));

    public void HandleTimeout(Instant now, Outbox outbox)
    {
        _rtp.HandleTimeout(now, outbox);
        _rtcp.HandleTimeout(now, outbox);
    }

    /// <summary>Asks how the sockets are seen at once, unless nobody has use for it.</summary>
    public void Refresh(Instant now)
    {
        if (_isResting) return;

        _rtp.Refresh(now);
        _rtcp.Refresh(now);
    }

    /// <summary>The longest time between two packets that keep the mappings alive, as lifetimes were measured.</summary>
    public void LimitKeepalive(Instant now, TimeSpan bound)
    {
        _rtp.LimitKeepalive(now, bound);
        _rtcp.LimitKeepalive(now, bound);
    }

    /// <summary>What was learned from a mapping that ended between two keepalives; null where none did since this was asked.</summary>
    public StunBindingEvent.MappingEnded? TakeEnded()
    {
        var ended = _ended;
        _ended = null;
        return ended;
    }

    /// <summary>Nothing is sent any more that keeps the mapping alive: the sockets stay open for bad times.</summary>
    public void Rest()
    {
        _isResting = true;
        _rtp.Stop();
        _rtcp.Stop();
    }

    /// <summary>The sockets are of use again.</summary>
    public void Wake(Instant now)
    {
        if (!_isResting) return;

        _isResting = false;
        Refresh(now);
    }

    /// <summary>Tells ICE how the sockets are seen, and whether that has changed; asking clears it.</summary>
    public bool TakeChanged(Instant now, PathFinder? paths) => Drain(now, _rtp, paths) | Drain(now, _rtcp, paths);

    /// <summary>Tells ICE how the sockets are seen.</summary>
    public void Tell(Instant now, PathFinder paths)
    {
        Tell(now, _rtp, paths);
        Tell(now, _rtcp, paths);
    }

    private bool Drain(Instant now, StunBindingClient client, PathFinder? paths)
    {
        var changed = false;
        while (client.TryTake(out var happened))
        {
            if (happened is StunBindingEvent.MappingEnded ended) _ended = ended;
            changed |= happened is StunBindingEvent.MappingLearned or StunBindingEvent.MappingChanged
                or StunBindingEvent.MappingDependsOnDestination;
        }

        if (changed && paths is not null) Tell(now, client, paths);
        return changed;
    }

    private static void Tell(Instant now, StunBindingClient client, PathFinder paths)
    {
        if (client is { Mapped: { } mapped, Server: { } server }) paths.SetMapping(now, client.Flow, mapped, server);
    }
}
