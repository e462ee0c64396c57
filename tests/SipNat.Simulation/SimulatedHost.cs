using System.Net.Sockets;
using SipNat.Wire;

namespace SipNat.Simulation;

/// <summary>
/// A machine of the simulated network: addresses, sockets, connections, and one or more cores. After every input all
/// outputs of all its cores are drained.
/// </summary>
public sealed class SimulatedHost
{
    private const int FirstEphemeralPort = 49152;
    private const int MaxDatagram = 65_507;
    private const int MaxPasses = 10_000;

    private readonly SimulatedNetwork _network;
    private readonly List<(TransportAddress Address, Realm Realm)> _addresses = [];
    private readonly List<HostCore> _cores = [];
    private readonly Dictionary<FlowId, HostFlow> _flows = [];
    private readonly Dictionary<TransportAddress, HostFlow> _sockets = [];
    private int _nextEphemeralPort = FirstEphemeralPort;
    private bool _isDraining;
    private bool _isDirty;
    private TimeSpan _slept;
    private Instant? _suspendedAt;

    internal SimulatedHost(SimulatedNetwork network, IProtocolCore core)
    {
        (_network, Streams) = (network, new(network, this));
        _cores.Add(new(core));
    }

    /// <summary>The first address, with port 0.</summary>
    public TransportAddress Address => _addresses[0].Address;

    /// <summary>False while the cable is pulled: nothing leaves and nothing arrives.</summary>
    public bool IsConnected { get; set; } = true;

    /// <summary>What happens to this host's packets on their path, in place of the network's own values.</summary>
    public Impairment? Uplink { get; set; }

    /// <summary>What happens to packets for this host in addition, once they have passed its NATs.</summary>
    public Impairment? Downlink { get; set; }

    /// <summary>Packets that reached this machine, whether or not a socket was open for them.</summary>
    public long PacketsReceived { get; private set; }

    /// <summary>Datagrams and segments that left this machine.</summary>
    public long PacketsSent { get; private set; }

    /// <summary>
    /// Runs after each input, before the outputs are sent, and again until nothing more comes: the place where commands
    /// and events move between the cores of this host, and where sockets are opened and closed.
    /// </summary>
    public Action<Instant>? Exchange { get; set; }

    /// <summary>Whether the machine sleeps: its clock stands still, and nothing leaves or arrives.</summary>
    public bool IsSuspended => _suspendedAt is not null;

    internal HostStreams Streams { get; }

    /// <summary>The machine's own clock, which does not run while it sleeps.</summary>
    internal Instant Clock => (_suspendedAt ?? _network.Now) - _slept;

    /// <summary>Gives the host one more address, where need be in another network.</summary>
    public void AddAddress(string address, SimulatedNat? behind = null)
    {
        var added = TransportAddress.Parse(address).WithPort(0);
        var realm = _network.RealmBehind(behind);
        realm.Add(added, this);
        _addresses.Add((added, realm));
    }

    /// <summary>Runs one more core on this host; it owns the flows that are opened for it.</summary>
    public void Attach(IProtocolCore core)
    {
        _cores.Add(new(core));
        Drain();
    }

    /// <summary>Closes the flows of a core, tells it so, and forgets it.</summary>
    public void Detach(IProtocolCore core)
    {
        var slot = SlotOf(core);
        DrainCore(slot);
        foreach (var flow in FlowsOf(slot)) End(flow, tellPeer: true);
        DrainCore(slot);
        slot.IsDetached = true;
        _cores.Remove(slot);
    }

    /// <summary>Opens a UDP socket and tells its core so.</summary>
    /// <param name="port">The port; 0 for a free one.</param>
    /// <param name="core">The core that owns it; null for the host's first.</param>
    /// <param name="address">Which of the host's addresses; none for the first.</param>
    public FlowId OpenUdp(int port, IProtocolCore? core = null, TransportAddress address = default)
    {
        var local = (address.IsNone ? Address : address).WithPort(port == 0 ? NextEphemeralPort() : port);
        if (RealmOf(local) is null) throw new ArgumentException($"{address} is not an address of this host.", nameof(address));
        if (_sockets.ContainsKey(local)) throw new InvalidOperationException($"{local} is bound already.");

        var flow = AddFlow(TransportProtocol.Udp, SlotOf(core), local, remote: default);
        flow.IsOpen = true;
        _sockets.Add(local, flow);
        Tell(flow, FlowChangeKind.Opened);
        Drain();
        return flow.Id;
    }

    /// <summary>Accepts connections of a transport on a port of all addresses; each one opens a flow of the core.</summary>
    public void Listen(int port, TransportProtocol transport = TransportProtocol.Tcp, IProtocolCore? core = null)
    {
        if (!transport.IsReliable) throw new ArgumentException("UDP has no connections: OpenUdp.", nameof(transport));

        Streams.Listen(port, transport, SlotOf(core));
    }

    /// <summary>Closes a socket or a connection and tells its core, and a connection's peer, so.</summary>
    public void Close(FlowId flow)
    {
        if (_flows.TryGetValue(flow, out var known)) End(known, tellPeer: true);
        Drain();
    }

    /// <summary>The local address of a flow; none when the host does not have it.</summary>
    public TransportAddress LocalOf(FlowId flow) => _flows.TryGetValue(flow, out var known) ? known.Local : default;

    /// <summary>Gives an input to a core from outside the network, and drains what follows.</summary>
    public void Run(Action<Instant> input)
    {
        input(Clock);
        Drain();
    }

    /// <summary>Closes the lid: until <see cref="Resume"/> the monotonic clock stands still.</summary>
    public void Suspend() => _suspendedAt ??= _network.Now;

    /// <summary>Opens it again; that the time of day is another one is for the caller to tell.</summary>
    public void Resume()
    {
        if (_suspendedAt is not { } since) return;

        (_slept, _suspendedAt) = (_slept + (_network.Now - since), null);
        foreach (var slot in _cores) slot.Armed = null;
        Drain();
    }

    internal DropReason? Receive(Packet packet)
    {
        PacketsReceived++;
        var refused = packet.IsDatagram ? ReceiveDatagram(packet) : Streams.Receive(packet);
        Drain();
        return refused;
    }

    internal int NextEphemeralPort() => _nextEphemeralPort++;

    /// <summary>The host's address of a family, with port 0; none when it has no such address.</summary>
    internal TransportAddress AddressOf(AddressFamily family) => _addresses.Find(a => a.Address.Family == family).Address;

    internal HostFlow AddFlow(TransportProtocol transport, HostCore owner, TransportAddress local, TransportAddress remote)
    {
        var flow = new HostFlow(_network.NextFlow(), transport, this, owner) { Local = local, Remote = remote };
        _flows.Add(flow.Id, flow);
        return flow;
    }

    internal bool Has(HostFlow flow) => _flows.ContainsKey(flow.Id);

    internal void Send(Packet packet)
    {
        PacketsSent++;
        _network.Send(this, RealmOf(packet.From)!, packet);
    }

    internal void AssertNothingRented()
    {
        foreach (var slot in _cores)
        {
            var rented = slot.Core.Outbox.Rented;
            if (rented != 0) throw new InvalidOperationException($"{slot.Core.GetType().Name} at {Address.AddressText} holds {rented} rented buffers.");
        }
    }

    private DropReason? ReceiveDatagram(Packet packet)
    {
        if (!_sockets.TryGetValue(packet.To, out var flow)) return DropReason.PortClosed;

        _network.ObserveDelivered(packet);
        flow.Owner.Core.HandleDatagram(Clock, flow.Id, packet.From, packet.Bytes);
        return null;
    }

    // The one place where a flow ends: its core is told once, whoever ended it.
    internal void End(HostFlow flow, bool tellPeer)
    {
        if (!_flows.Remove(flow.Id)) return;

        if (flow.Transport.IsReliable) Streams.Forget(flow, tellPeer);
        else _sockets.Remove(flow.Local);
        Tell(flow, flow.IsOpen ? FlowChangeKind.Closed : FlowChangeKind.Refused);
    }

    internal void Tell(HostFlow flow, FlowChangeKind kind)
    {
        _isDirty = true;
        var local = kind is FlowChangeKind.Refused ? default : flow.Local;
        flow.Owner.Core.HandleFlow(Clock, flow.Id, new(kind, flow.Transport, local, flow.Remote) { TlsName = flow.TlsName });
    }

    /// <summary>Which local addresses a firewall of the host itself lets nothing out from; none without more.</summary>
    public Predicate<TransportAddress> RefusesToSendFrom { get; set; } = static _ => false;

    internal void Drain()
    {
        _isDirty = true;
        if (_isDraining) return;

        _isDraining = true;
        for (var pass = 0; _isDirty; pass++)
        {
            if (pass == MaxPasses) throw new InvalidOperationException($"The cores at {Address.AddressText} never fall silent.");

            _isDirty = false;
            Exchange?.Invoke(Clock);
            for (var i = 0; i < _cores.Count; i++) _isDirty |= DrainCore(_cores[i]);
        }

        _isDraining = false;
        foreach (var slot in _cores) Arm(slot);
    }

    private bool DrainCore(HostCore slot)
    {
        var anything = false;
        List<(FlowId Flow, TransportAddress Destination)>? rejected = null;
        while (slot.Core.Outbox.TryTake(out var transmit))
        {
            anything = true;
            if (!TrySend(transmit)) (rejected ??= []).Add((transmit.Flow, transmit.Destination));
            slot.Core.Outbox.Release(transmit);
        }

        while (slot.Core.TryTakeRequest(out var request))
        {
            anything = true;
            if (request.Kind is FlowRequestKind.Connect) Streams.Connect(slot, request);
            else if (_flows.TryGetValue(request.Flow, out var flow)) End(flow, tellPeer: true);
        }

        foreach (var (flow, destination) in rejected ?? [])
        {
            slot.Core.HandleFlow(Clock, flow, new(FlowChangeKind.SendFailed, TransportProtocol.Udp, LocalOf(flow), destination));
        }

        return anything;
    }

    // False where a kernel would have rejected the datagram.
    private bool TrySend(Transmit transmit)
    {
        if (!_flows.TryGetValue(transmit.Flow, out var flow) || !flow.IsOpen)
        {
            _network.Drop(new(TransportProtocol.Udp, SegmentKind.Datagram, Address, transmit.Destination, transmit.Payload), DropReason.FlowClosed);
            return true;
        }

        if (flow.Transport.IsReliable)
        {
            Streams.Send(flow, SegmentKind.Message, transmit.Payload);
            return true;
        }

        var to = transmit.Destination;
        if (to.Family != flow.Local.Family || to.Port == 0 || transmit.Payload.Length > MaxDatagram || RefusesToSendFrom(flow.Local)) return false;

        Send(new(flow.Transport, SegmentKind.Datagram, flow.Local, to, transmit.Payload));
        return true;
    }

    // A wake-up that is set is left where it is when the deadline moves back: on waking it is set again.
    private void Arm(HostCore slot)
    {
        if (IsSuspended || slot.Core.Deadline is not { } deadline || slot.Armed <= deadline + _slept) return;

        var at = deadline < Clock ? _network.Now : deadline + _slept;
        slot.Armed = at;
        _network.Schedule(at, () => Wake(slot, at));
    }

    private void Wake(HostCore slot, Instant at)
    {
        if (slot.IsDetached || slot.Armed != at || IsSuspended) return;

        slot.Armed = null;
        if (slot.Core.Deadline is { } due && due <= Clock)
        {
            slot.Core.HandleTimeout(Clock);
            if (slot.Core.Deadline is { } left && left <= Clock)
            {
                throw new InvalidOperationException($"{slot.Core.GetType().Name} was due at {left} and still is at {Clock}, after HandleTimeout.");
            }
        }

        Drain();
    }

    private Realm? RealmOf(TransportAddress local) => _addresses.Find(a => a.Address.HasSameAddress(local)).Realm;

    private HostCore SlotOf(IProtocolCore? core) =>
        core is null ? _cores[0] : _cores.Find(slot => slot.Core == core) ?? throw new ArgumentException("Attach the core first.", nameof(core));

    private List<HostFlow> FlowsOf(HostCore slot) => [.. _flows.Values.Where(flow => flow.Owner == slot).OrderBy(flow => flow.Id.Value)];
}
