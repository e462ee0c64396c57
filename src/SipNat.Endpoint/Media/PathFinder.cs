using SipNat.Endpoint.Addressing;
using SipNat.Media.Streams;
using SipNat.Traversal.Ice;
using SipNat.Traversal.Turn;
using SipNat.Wire;

namespace SipNat.Endpoint.Media;

/// <summary>
/// The ways of one pair of media sockets to its peer that are more than sending to an address: an ICE agent, and the
/// addresses that TURN servers lend. Begins anew when a path dies or the public address changes.
/// </summary>
internal sealed partial class PathFinder
{
    // Of media that flowed, with packets 20 to 60 ms apart.
    private static readonly TimeSpan Silence = TimeSpan.FromMilliseconds(500);

    // A candidate that comes after the description is worth another exchange only where those that were told do not do.
    private static readonly TimeSpan LateCandidates = TimeSpan.FromSeconds(2);

    private readonly IceAgent? _agent;
    private readonly bool _isRelayOnly;
    private readonly MediaRelay?[] _relays = new MediaRelay?[IceOptions.MaxComponents];
    private readonly MediaRelay[] _asked = [];
    private readonly Outbox _byRelay = new();
    private readonly Queue<PathEvent> _events = new();
    private IceCredentials? _remote;
    private Instant? _silentAt;
    private Instant? _heardAt;
    private Instant? _tellAt;
    private Instant _begunAt;
    private bool _changed;
    private bool _isDropped;

    public PathFinder(Instant now, PathNeeds needs, MediaPlaneOptions options, IRelayFlows? relays, Random random, int version = 1)
    {
        (Version, _begunAt, _isRelayOnly) = (version, now, options.IsRelayOnly);
        if (needs.IceComponents > 0 && options.Ice is not IceMode.Off)
        {
            _agent = new(
                new()
                {
                    Components = needs.IceComponents,
                    IsLite = options.Ice is IceMode.Lite,
                    IsRelayOnly = options.IsRelayOnly,
                    ChecksPrivateAddresses = needs.IsLocalPeer,
                    ConsentInterval = options.ConsentInterval,
                    ConsentTimeout = options.ConsentTimeout,
                },
                needs.Role,
                random);
            _wantsSockets = !_isRelayOnly;
        }

        if (relays is null) return;

        var components = _agent is null ? IceOptions.MaxComponents : needs.IceComponents;
        for (var component = 1; component <= components; component++) _relays[component - 1] = new(component, relays);
        _asked = [.. _relays.OfType<MediaRelay>()];
        foreach (var relay in _asked) relay.Start(now);
    }

    /// <summary>What is to be sent by sockets and connections.</summary>
    public Outbox Outbox { get; } = new();

    /// <summary>Grows whenever the peer has to be told the description again.</summary>
    public int Version { get; private set; }

    /// <summary>What to tell the peer; null where ICE is not used.</summary>
    public IceDescription? Description => _isDropped ? null : _agent?.Describe();

    /// <summary>Whether a relay may yet be had.</summary>
    public bool IsAsking => _asked.Any(r => r.IsAsking);

    public Instant? Deadline
    {
        get
        {
            var deadline = Instant.Earlier(HasAgent ? _agent!.Deadline : null, Instant.Earlier(_settleAt, Instant.Earlier(_silentAt, _tellAt)));
            foreach (var relay in _asked) deadline = Instant.Earlier(deadline, relay.Deadline);
            return deadline;
        }
    }

    private bool HasAgent => _agent is not null && !_isDropped;

    /// <summary>The address that a relay lends to a component; null where none does.</summary>
    public RelayedAddress? RelayOf(int component) =>
        _relays[component - 1] is { Address.IsNone: false } relay ? new(relay.Address, relay.Server) : null;

    /// <summary>The path of RTP that ICE has found; null while there is none.</summary>
    public MediaPath? MediaPath => HasAgent && _agent!.PathOf(1) is { } path
        ? new(path.Local.Address, path.Local.Type, path.Remote, path.Peer.Type)
        : null;

    public bool TryTake(out PathEvent happened) => _events.TryDequeue(out happened!);

    /// <summary>Whether something that signalling was told of the addresses has changed; asking clears it.</summary>
    public bool TakeChanged()
    {
        var changed = _changed;
        _changed = false;
        return changed;
    }

    /// <summary>Which way a component takes.</summary>
    /// <param name="usesRelay">Whether the peer was told the relayed address as the one address.</param>
    public PathRoute RouteOf(int component, bool usesRelay)
    {
        if (HasAgent)
        {
            if (_agent!.PathOf(component) is { } path) return new(RouteKind.Ice, path.Flow, path.Remote, IsOfRelay(path.Flow) ? _byRelay : null);
            if (_agent.State is not IceState.Failed) return new(RouteKind.Searching, default, default, null);
        }

        return usesRelay && _relays[component - 1] is { Address.IsNone: false } relay
            ? new(RouteKind.Plain, relay.Flow, default, _byRelay)
            : new(RouteKind.Plain, default, default, null);
    }

    /// <summary>Media of the peer, by their looks, came from where ICE knows nobody.</summary>
    public void HandleUnproven(Instant now, FlowId flow, TransportAddress from)
    {
        if (HasAgent) _agent!.HandleUnproven(now, flow, from);
    }

    /// <summary>What ICE knows of the source of a packet.</summary>
    public SourceStanding StandingOf(FlowId flow, int component, TransportAddress from) =>
        !HasAgent ? SourceStanding.ByPolicy
        : _agent!.Accepts(flow, from) ? SourceStanding.Validated
        : _agent.PathOf(component) is null ? SourceStanding.ByPolicy
        : SourceStanding.Foreign;

    /// <summary>
    /// The peer's description; null where it does without ICE. Nothing is sent to its candidates before its ACK: only that
    /// proves that it is where its INVITE said.
    /// </summary>
    public void SetRemote(Instant now, IceDescription? description, bool acknowledged)
    {
        if (!HasAgent || (description is not null && !acknowledged)) return;
        if (description is null)
        {
            (_isDropped, _silentAt, _tellAt) = (true, null, null);
            SettleBy(now);
            return;
        }

        if (description.Credentials != _remote) _begunAt = now;
        _remote = description.Credentials;
        _agent!.SetRemote(now, description);
    }

    /// <summary>Begins anew, as the peer asks or as a path died; a relay's address stays.</summary>
    public void Restart(Instant now)
    {
        if (_agent is null) return;

        _isDropped = false;
        _agent.Restart();
        (_remote, _tellAt, _silentAt, _heardAt, _settleAt) = (null, null, null, null, null);
        _wantsSockets = !_isRelayOnly;
        Version++;
        _changed = true;
    }

    /// <summary>The peer is told another address than the relayed one: it is given back.</summary>
    public void ReleaseRelays(Instant now)
    {
        foreach (var relay in _asked) relay.Release(now);
        Forward(now);
    }

    /// <summary>Who may send to the relays where ICE does not say so.</summary>
    public void Permit(Instant now, TransportAddress peer)
    {
        if (peer.IsNone || peer.IsUnspecified) return;
        foreach (var relay in _asked) relay.Permit(now, peer);
    }

    /// <summary>The same for an address that a component's packets go to, with the least overhead.</summary>
    public void Bind(Instant now, int component, TransportAddress peer)
    {
        Permit(now, peer);
        if (!peer.IsNone && !peer.IsUnspecified) (_relays[component - 1] ?? _relays[0])?.Bind(now, peer);
    }

    /// <summary>A packet of a component came; silence after it is looked into.</summary>
    public void Heard(Instant now, bool isExpected)
    {
        _heardAt = isExpected && HasAgent ? now : null;
        if (_heardAt is not null) _silentAt ??= now + Silence;
    }

    /// <summary>Takes a packet of a relay out of its wrapping.</summary>
    /// <param name="relayFlow">The flow by which the relay is named.</param>
    public TurnInput TryUnwrap(Instant now, FlowId flow, TransportAddress from, ReadOnlySpan<byte> datagram, out FlowId relayFlow, out TurnPacket packet)
    {
        foreach (var relay in _relays)
        {
            if (relay is null) continue;

            var input = relay.TryHandle(now, flow, from, datagram, out packet);
            relayFlow = relay.Flow;
            if (input is not TurnInput.NotMine) return input;
        }

        relayFlow = default;
        packet = default;
        return TurnInput.NotMine;
    }

    /// <summary>Which component a relay's flow carries; 0 for none of this port.</summary>
    public int ComponentOf(FlowId flow) => flow == _relays[0]?.Flow ? 1 : flow == _relays[1]?.Flow ? 2 : 0;

    public bool TryHandle(Instant now, FlowId flow, TransportAddress from, ReadOnlySpan<byte> datagram) =>
        HasAgent && _agent!.TryHandle(now, flow, from, datagram);

    public void HandleFlow(Instant now, FlowId flow, FlowChange change)
    {
        foreach (var relay in _asked) relay.HandleFlow(now, flow, change);
    }

    /// <summary>Does what is due, and afterwards moves everything to where it is sent and told.</summary>
    /// <returns>Whether the mapping of the sockets is in doubt.</returns>
    public bool HandleTimeout(Instant now)
    {
        var isDoubted = _silentAt <= now && HandleSilence(now);
        if (_tellAt <= now) TellLate(now);
        Settle(now);
        foreach (var relay in _asked) relay.HandleTimeout(now);
        if (HasAgent) _agent!.HandleTimeout(now);
        DrainRelays(now);
        DrainAgent(now);
        Forward(now);
        return isDoubted;
    }

    private bool HandleSilence(Instant now)
    {
        _silentAt = null;
        if (_heardAt is not { } heard) return false;
        if (heard + Silence > now)
        {
            _silentAt = heard + Silence;
            return false;
        }

        _heardAt = null;
        if (!HasAgent || _agent!.PathOf(1) is not { } path) return false;

        // Is it the peer, or the server between?
        if (IsOfRelay(path.Flow)) _relays[0]!.Ask(now);
        _agent.HandleSilence(now, 1);
        return true;
    }

    private void NoteCandidates(Instant now)
    {
        if (_remote is null) _changed = true;
        else if (HasAgent && _agent!.PathOf(1) is null) _tellAt ??= now + LateCandidates;
    }

    private void TellLate(Instant now)
    {
        _tellAt = null;
        if (!HasAgent || _agent!.PathOf(1) is not null) return;

        Version++;
        _changed = true;
    }

    private void DrainRelays(Instant now)
    {
        foreach (var relay in _asked)
        {
            var former = relay.Flow;
            var had = !relay.Address.IsNone;
            if (relay.Drain(now, out var told))
            {
                if (told is not null) _events.Enqueue(told);
                if (had) _agent?.RemoveRelayed(former);
                if (!relay.Address.IsNone) _agent?.AddRelayed(now, relay.Flow, relay.Component, relay.Address, relay.Mapped, relay.Server);
                _changed |= !HasAgent;
                if (had && HasAgent && _agent!.PathOf(relay.Component)?.Flow == former) Restart(now);
                else NoteCandidates(now);
            }

            Outbox.TakeAllFrom(relay.Outbox);
        }
    }

    private void DrainAgent(Instant now)
    {
        if (_agent is null) return;

        while (_agent.TryTake(out var happened)) Handle(now, happened);
        while (_agent.Outbox.TryTake(out var transmit))
        {
            if (IsOfRelay(transmit.Flow)) SendByRelay(now, transmit);
            else Outbox.Add(transmit.Flow, transmit.Destination, transmit.Payload);
            _agent.Outbox.Release(transmit);
        }
    }

    private void Handle(Instant now, IceEvent happened)
    {
        switch (happened)
        {
            case IceEvent.PathChanged(var component, var path, _):
                if (IsOfRelay(path.Flow)) _relays[component - 1]!.Bind(now, path.Remote);
                _events.Enqueue(new PathEvent.Changed(component, path));
                break;
            case IceEvent.Connected:
                _tellAt = null;
                SettleBy(now + SettlingTime);
                _events.Enqueue(new PathEvent.Connected(now - _begunAt));
                break;
            case IceEvent.Failed(var pairs, _):
                SettleBy(now + SettlingTime);
                _events.Enqueue(new PathEvent.Failed(pairs));
                break;
            case IceEvent.ConsentLost(var component, var path, _):
                _events.Enqueue(new PathEvent.Lost(component, path));
                if (_agent!.State is not IceState.New) Restart(now);
                break;
            case IceEvent.PermissionWanted(var flow, var peer, _):
                foreach (var relay in _asked)
                {
                    if (relay.Flow == flow) relay.Permit(now, peer);
                }

                break;
        }
    }

    /// <summary>Wraps what streams have sent by relays.</summary>
    public void Forward(Instant now)
    {
        while (_byRelay.TryTake(out var transmit))
        {
            SendByRelay(now, transmit);
            _byRelay.Release(transmit);
        }

        foreach (var relay in _asked) Outbox.TakeAllFrom(relay.Outbox);
    }

    private void SendByRelay(Instant now, Transmit transmit)
    {
        foreach (var relay in _asked)
        {
            if (relay.Flow != transmit.Flow) continue;

            relay.Send(now, transmit.Destination, transmit.Payload);
            Outbox.TakeAllFrom(relay.Outbox);
        }
    }
}
