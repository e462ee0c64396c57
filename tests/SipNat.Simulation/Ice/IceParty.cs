using SipNat.Traversal.Ice;
using SipNat.Traversal.Stun;
using SipNat.Wire;

namespace SipNat.Simulation.Ice;

/// <summary>
/// An agent with its sockets: asks STUN servers how they are seen, lends addresses of a <see cref="SimulatedRelay"/>, and
/// keeps what happened. Components take the host's UDP flows in the order in which these open.
/// </summary>
public sealed class IceParty : IProtocolCore
{
    // Far above what a network numbers its flows with.
    private const int FirstRelayFlow = 1_000_000;

    private readonly List<StunBindingClient> _clients = [];
    private readonly List<IceEvent> _events = [];
    private readonly Dictionary<FlowId, (FlowId Socket, TransportAddress Relay)> _relays = [];
    private readonly IReadOnlyList<TransportAddress> _servers;
    private readonly TransportAddress _relay;
    private readonly Random _random;
    private readonly Dictionary<FlowId, int> _components = [];

    public IceParty(IceRole role, int seed, IceOptions? options = null, IReadOnlyList<TransportAddress>? servers = null, TransportAddress relay = default)
    {
        (_servers, _relay, _random) = (servers ?? [], relay, new Random(seed));
        Agent = new(options ?? new(), role, _random);
    }

    public IceAgent Agent { get; }

    /// <summary>Everything that the agent told, in order.</summary>
    public IReadOnlyList<IceEvent> Events => _events;

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
        && (_relay.IsNone || _relays.Count == _components.Count);

    public void HandleFlow(Instant now, FlowId flow, FlowChange change)
    {
        if (change.Kind is not FlowChangeKind.Opened) return;

        var component = (_components.Count % Agent.Components) + 1;
        _components.Add(flow, component);
        Agent.AddHost(now, flow, component, change.Local);
        var client = new StunBindingClient(flow, change.Local, new() { Servers = _servers }, _random);
        _clients.Add(client);
        client.Start(now);
        if (!_relay.IsNone) Outbox.Add(flow, _relay, SimulatedRelay.Allocate());
        Drain(now);
    }

    public void HandleDatagram(Instant now, FlowId flow, TransportAddress from, ReadOnlySpan<byte> datagram)
    {
        if (from == _relay && !_relay.IsNone) HandleRelay(now, flow, datagram);
        else if (!_clients.Exists(client => client.Flow == flow) || !TryClient(now, flow, from, datagram)) Agent.TryHandle(now, flow, from, datagram);
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
            Sent.Add((now, transmit.Destination, transmit.Payload.ToArray()));
            if (_relays.TryGetValue(transmit.Flow, out var relay)) Outbox.Add(relay.Socket, relay.Relay, SimulatedRelay.Wrap(transmit.Destination, transmit.Payload));
            else Outbox.Add(transmit.Flow, transmit.Destination, transmit.Payload);
            Agent.Outbox.Release(transmit);
        }

        while (Agent.TryTake(out var happened)) _events.Add(happened);
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

    private void HandleRelay(Instant now, FlowId flow, ReadOnlySpan<byte> datagram)
    {
        var relayFlow = new FlowId(FirstRelayFlow + flow.Value);
        if (SimulatedRelay.TryReadAllocated(datagram, out var relayed, out var mapped))
        {
            if (_relays.TryAdd(relayFlow, (flow, _relay))) Agent.AddRelayed(now, relayFlow, _components[flow], relayed, mapped, _relay);
        }
        else if (SimulatedRelay.TryUnwrap(datagram, out var peer, out var payload))
        {
            Agent.TryHandle(now, relayFlow, peer, payload);
        }
    }
}
