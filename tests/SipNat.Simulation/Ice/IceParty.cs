using SipNat.Traversal.Ice;
using SipNat.Traversal.Stun;
using SipNat.Wire;

namespace SipNat.Simulation.Ice;

/// <summary>
/// An agent with its sockets: asks STUN servers how they are seen, lends addresses of a <see cref="SimulatedRelay"/>, and
/// keeps what happened. Components take the host's UDP flows in the order in which these open, once for each address of
/// the host; the first address is preferred.
/// </summary>
public sealed partial class IceParty : IProtocolCore
{
    // Far above what a network numbers its flows with.
    private const int FirstRelayFlow = 1_000_000;

    private readonly List<StunBindingClient> _clients = [];
    private readonly List<IceEvent> _events = [];
    // By the id of each relay, the socket that asked for it; one of each socket is current.
    private readonly Dictionary<FlowId, FlowId> _relays = [];
    private readonly Dictionary<FlowId, (FlowId Relay, TransportAddress Relayed)> _lent = [];
    private readonly IReadOnlyList<TransportAddress> _servers;
    private readonly TransportAddress _relay;
    private readonly Random _random;
    private readonly Dictionary<FlowId, int> _components = [];
    private int _lastRelayFlow = FirstRelayFlow;

    public IceParty(IceRole role, int seed, IceOptions? options = null, IReadOnlyList<TransportAddress>? servers = null, TransportAddress relay = default)
    {
        (_servers, _relay, _random) = (servers ?? [], relay, new Random(seed));
        Agent = new(options ?? new(), role, _random);
    }

    public IceAgent Agent { get; }

    /// <summary>Everything that the agent told, in order.</summary>
    public IReadOnlyList<IceEvent> Events => _events;

    /// <summary>When the agent told something last.</summary>
    public Instant LastEvent => _events.Count == 0 ? default : _events[^1].At;

    /// <summary>Whether <see cref="Sent"/> is kept.</summary>
    public bool KeepsSent { get; init; } = true;

    /// <summary>What the agent sent, by the address that it sent to.</summary>
    public List<(Instant At, TransportAddress To, byte[] Bytes)> Sent { get; } = [];

    public Outbox Outbox { get; } = new();

    public Instant? Deadline
    {
        get
        {
            var deadline = Agent.Deadline;
            foreach (var client in _clients) deadline = Instant.Earlier(deadline, client.Deadline);
            return deadline;
        }
    }

    /// <summary>Whether every socket knows its mapping, or has no server to ask.</summary>
    public bool IsGathered => _clients.TrueForAll(client => !client.HasServers || client.Mapped is not null)
        && (_relay.IsNone || _clients.TrueForAll(client => client.Local.Family != _relay.Family || _lent.ContainsKey(client.Flow)));

    public void HandleFlow(Instant now, FlowId flow, FlowChange change)
    {
        if (change.Kind is not FlowChangeKind.Opened) return;

        var component = (_components.Count % Agent.Components) + 1;
        _components.Add(flow, component);
        Agent.AddHost(now, flow, component, change.Local, Candidate.MaxLocalPreference - ((_components.Count - 1) / Agent.Components));
        var client = new StunBindingClient(flow, change.Local, new() { Servers = _servers }, _random);
        _clients.Add(client);
        client.Start(now);
        Allocate(client);
        Drain(now);
    }

    /// <summary>
    /// Asks all servers anew, as when the network has changed. A relay that sees this side from another address lends
    /// another one: the former is dropped.
    /// </summary>
    public void Regather(Instant now)
    {
        foreach (var client in _clients)
        {
            client.Refresh(now);
            Allocate(client);
        }

        Drain(now);
    }

    public void HandleDatagram(Instant now, FlowId flow, TransportAddress from, ReadOnlySpan<byte> datagram)
    {
        if (from == _relay && !_relay.IsNone) HandleRelay(now, flow, datagram);
        else if (!TryClient(now, flow, from, datagram)) Receive(now, flow, from, datagram);
        Drain(now);
    }

    public void HandleTimeout(Instant now)
    {
        foreach (var client in _clients) client.HandleTimeout(now, Outbox);
        Agent.HandleTimeout(now);
        Drain(now);
    }

    public bool TryTakeRequest(out FlowRequest request)
    {
        request = default;
        return false;
    }

    /// <summary>Moves what the agent did from outside, such as a restart, to where it is sent and seen.</summary>
    public void Drain(Instant now)
    {
        foreach (var client in _clients)
        {
            while (client.TryTake(out var happened)) Learn(happened);
        }

        while (Agent.Outbox.TryTake(out var transmit))
        {
            if (KeepsSent) Sent.Add((now, transmit.Destination, transmit.Payload.ToArray()));
            ObserveSent(transmit);
            Send(transmit.Flow, transmit.Destination, transmit.Payload);
            Agent.Outbox.Release(transmit);
        }

        while (Agent.TryTake(out var happened)) Observe(happened);
    }

    private bool TryClient(Instant now, FlowId flow, TransportAddress from, ReadOnlySpan<byte> datagram)
    {
        foreach (var client in _clients)
        {
            if (client.Flow == flow && client.TryHandle(now, from, datagram)) return true;
        }

        return false;
    }

    private void Learn(StunBindingEvent happened)
    {
        if (happened is StunBindingEvent.MappingLearned learned) Agent.SetServerReflexive(learned.Flow, learned.Mapped, learned.Server);
        else if (happened is StunBindingEvent.MappingChanged changed) Agent.SetServerReflexive(changed.Flow, changed.Mapped, changed.Server);
    }

    private void Allocate(StunBindingClient client)
    {
        if (client.Local.Family == _relay.Family) Outbox.Add(client.Flow, _relay, SimulatedRelay.Allocate());
    }

    private void Send(FlowId flow, TransportAddress to, ReadOnlySpan<byte> bytes)
    {
        if (_relays.TryGetValue(flow, out var socket)) Outbox.Add(socket, _relay, SimulatedRelay.Wrap(to, bytes));
        else Outbox.Add(flow, to, bytes);
    }

    private void HandleRelay(Instant now, FlowId socket, ReadOnlySpan<byte> datagram)
    {
        if (SimulatedRelay.TryReadAllocated(datagram, out var relayed, out var mapped)) Borrow(now, socket, relayed, mapped);
        else if (SimulatedRelay.TryUnwrap(datagram, out var peer, out var payload) && _lent.TryGetValue(socket, out var lent)) Receive(now, lent.Relay, peer, payload);
    }

    private void Borrow(Instant now, FlowId socket, TransportAddress relayed, TransportAddress mapped)
    {
        if (_lent.TryGetValue(socket, out var former))
        {
            if (former.Relayed == relayed) return;

            _relays.Remove(former.Relay);
            Agent.RemoveRelayed(former.Relay);
        }

        var relay = new FlowId(++_lastRelayFlow);
        (_relays[relay], _lent[socket]) = (socket, (relay, relayed));
        Agent.AddRelayed(now, relay, _components[socket], relayed, mapped, _relay);
    }
}
