using SipNat.Traversal.Turn;
using SipNat.Wire;

namespace SipNat.Endpoint.Media;

/// <summary>
/// The relayed address of one media socket: the TURN servers that are asked for one, and the packets that go by the one
/// that lends it. Each address has a flow of its own, by which ICE and the streams name it.
/// </summary>
internal sealed class MediaRelay
{
    // A check for each candidate of a peer while its permission is asked for.
    private const int MaxHeld = 32;
    private static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LastRetry = TimeSpan.FromMinutes(1);

    private readonly IRelayFlows _flows;
    private readonly Queue<(TransportAddress Peer, byte[] Packet)> _held = new();
    private readonly List<string> _failures = [];
    private IReadOnlyList<TurnAllocation> _allocations;
    private TurnRace _race;
    private Instant? _retryAt;
    private TimeSpan _retry = FirstRetry;
    private bool _isReleased;
    private bool _saidNone;

    public MediaRelay(int component, IRelayFlows flows)
    {
        (Component, _flows) = (component, flows);
        _allocations = flows.OpenAllocations(component);
        _race = new(_allocations);
    }

    public int Component { get; }

    /// <summary>Names the address in use; no socket has this id.</summary>
    public FlowId Flow { get; private set; }

    /// <summary>The address lent; none while there is none.</summary>
    public TransportAddress Address { get; private set; }

    /// <summary>How the server sees the socket.</summary>
    public TransportAddress Mapped { get; private set; }

    public TransportAddress Server { get; private set; }

    /// <summary>Whether a server may yet lend an address.</summary>
    public bool IsAsking => Address.IsNone && _allocations.Any(a => a.State is TurnAllocationState.Allocating);

    public Outbox Outbox => _race.Outbox;

    public Instant? Deadline => Instant.Earlier(_race.Deadline, _retryAt);

    public void Start(Instant now) => _race.Start(now);

    /// <summary>Gives the address back; nothing is sent by it from here on.</summary>
    public void Release(Instant now)
    {
        (_isReleased, _retryAt, Address) = (true, null, default);
        _race.Release(now);
    }

    public void HandleTimeout(Instant now)
    {
        _race.HandleTimeout(now);
        if (_retryAt > now || _retryAt is null) return;

        // A connection that ended takes its allocation with it: others are made by new ones.
        _retryAt = null;
        _allocations = _flows.OpenAllocations(Component);
        var former = _race;
        _race = new(_allocations);
        _race.Outbox.TakeAllFrom(former.Outbox);
        _race.Start(now);
    }

    public void HandleFlow(Instant now, FlowId flow, FlowChange change) => _race.HandleFlow(now, flow, change);

    public TurnInput TryHandle(Instant now, FlowId flow, TransportAddress from, ReadOnlySpan<byte> datagram, out TurnPacket packet) =>
        _race.TryHandle(now, flow, from, datagram, out packet);

    /// <summary>Asks the server now whether it is there: nothing comes from it any more.</summary>
    public void Ask(Instant now) => _race.Ask(now);

    /// <summary>Lets packets of an address in.</summary>
    public void Permit(Instant now, TransportAddress peer) => _race.Winner?.Permit(now, peer);

    /// <summary>The same, by a channel: for the peer that media go to.</summary>
    public void Bind(Instant now, TransportAddress peer) => _race.Winner?.Bind(now, peer);

    /// <summary>Sends by the relay; what is too early for its permission waits for it.</summary>
    public void Send(Instant now, TransportAddress peer, ReadOnlySpan<byte> packet)
    {
        if (_race.Winner is not { } winner || Address.IsNone || winner.TrySend(now, peer, packet)) return;
        if (winner.Permit(now, peer) && _held.Count < MaxHeld) _held.Enqueue((peer, packet.ToArray()));
    }

    /// <summary>Takes in what happened to the allocations; true where the address is another one, or there is none to be had.</summary>
    public bool Drain(Instant now, out PathEvent? told)
    {
        told = null;
        var before = Address;
        while (_race.TryTake(out var happened)) Handle(now, happened);

        if (_isReleased) return false;
        if (!Address.IsNone)
        {
            _saidNone = false;
            if (Address != before) told = new PathEvent.Relayed(Component, Address, Server);
        }
        else if (!IsAsking && !_saidNone)
        {
            _saidNone = true;
            told = new PathEvent.NoRelay(Component, _failures.Count == 0 ? "none was asked" : string.Join(" ", _failures));
        }

        return Address != before || told is not null;
    }

    private void Handle(Instant now, TurnEvent happened)
    {
        switch (happened)
        {
            case TurnEvent.Allocated(var server, var relayed, var mapped, _, _) when _race.Winner?.Relayed == relayed:
                _failures.Clear();
                _retry = FirstRetry;
                (Flow, Address, Mapped, Server) = (_flows.DrawFlow(), relayed, mapped, server);
                break;
            case TurnEvent.Lost(_, var relayed, var reason, _) when relayed == Address:
                Address = default;
                _held.Clear();
                if (reason is TurnLoss.FlowClosed) RetryLater(now);
                break;
            case TurnEvent.Failed failed:
                if (_failures.Count < TurnRace.MaxServers) _failures.Add(failed.Explain());
                if (failed.Reason is TurnFailure.FlowClosed) RetryLater(now);
                break;
            case TurnEvent.Redirected(var server, _):
                Follow(now, server);
                break;
            case TurnEvent.PeerPermitted(var peer, _):
                SendHeld(now, peer);
                break;
        }
    }

    private void Follow(Instant now, TransportAddress server)
    {
        for (var i = 0; i < _allocations.Count; i++)
        {
            if (_allocations[i].State is TurnAllocationState.Redirected) _allocations[i].Continue(now, _flows.Connect(i, server, _allocations[i].TlsName));
        }
    }

    // Only where no other server lends an address, or is about to.
    private void RetryLater(Instant now)
    {
        if (_isReleased || _retryAt is not null || _race.Winner is not null || IsAsking) return;

        _retryAt = now + _retry;
        _retry = _retry * 2 < LastRetry ? _retry * 2 : LastRetry;
        _failures.Clear();
    }

    private void SendHeld(Instant now, TransportAddress permitted)
    {
        for (var waiting = _held.Count; waiting > 0; waiting--)
        {
            var (peer, packet) = _held.Dequeue();
            if (peer.HasSameAddress(permitted)) _race.Winner?.TrySend(now, peer, packet);
            else _held.Enqueue((peer, packet));
        }
    }
}

/// <summary>Who gives a relay its flows: sockets that are there, connections that are made, and names for addresses.</summary>
internal interface IRelayFlows
{
    /// <summary>One allocation for each server, not started, each on its socket or on a connection that is being made.</summary>
    IReadOnlyList<TurnAllocation> OpenAllocations(int component);

    /// <summary>A connection to another server than the one configured at a place, which named it (ALTERNATE-SERVER).</summary>
    /// <param name="tlsName">What its certificate has to be made out to, over TLS.</param>
    FlowId Connect(int place, TransportAddress server, string? tlsName);

    /// <summary>An id that no socket has.</summary>
    FlowId DrawFlow();
}
