using SipNat.Wire;

namespace SipNat.Simulation;

/// <summary>
/// An internet with virtual time: hosts that run protocol cores, NATs in front of them, and paths that lose, double,
/// delay and reorder. Time jumps from event to event. The same seed and the same calls give the same packets at the
/// same moments.
/// </summary>
public sealed class SimulatedNetwork
{
    /// <summary>One-way delay between hosts of one private network, where nothing is ever lost.</summary>
    public static readonly TimeSpan LanDelay = TimeSpan.FromMicroseconds(200);

    private static readonly TimeSpan RetransmissionDelay = TimeSpan.FromMilliseconds(200);
    private const int MaxRetransmissions = 10;

    private readonly Random _random;
    private readonly Realm _internet = new(gateway: null);
    private readonly List<SimulatedHost> _hosts = [];
    private readonly PriorityQueue<Action, (Instant At, long Sequence)> _events = new();
    private readonly long[] _dropped = new long[Enum.GetValues<DropReason>().Length];
    private readonly TraceHash _hash = new();
    private long _sequence;
    private int _lastFlow;

    public SimulatedNetwork(int seed) => _random = new Random(seed);

    /// <summary>The virtual time, which begins at 0.</summary>
    public Instant Now { get; private set; }

    /// <summary>Probability that a datagram is lost on a path that leaves its network: 0–1.</summary>
    public double Loss { get; set; }

    /// <summary>Probability that a datagram arrives twice: 0–1.</summary>
    public double Duplication { get; set; }

    /// <summary>One-way delay of a path that leaves its network.</summary>
    public TimeSpan Delay { get; set; } = TimeSpan.FromMilliseconds(10);

    /// <summary>Upper bound of a further random delay; above the packets' spacing it reorders them.</summary>
    public TimeSpan Jitter { get; set; }

    /// <summary>Sees every packet when it is sent, delivered or dropped.</summary>
    public PacketTrace? Trace { get; set; }

    /// <summary>A hash over all that <see cref="Trace"/> could have seen; equal for equal runs.</summary>
    public ulong TraceHash => _hash.Value;

    /// <summary>Packets handed to cores.</summary>
    public long DeliveredCount { get; private set; }

    /// <summary>How many packets were dropped for a reason.</summary>
    public long CountDropped(DropReason reason) => _dropped[(int)reason];

    /// <summary>Adds a NAT with an external address on the internet or, behind another NAT, on its inside.</summary>
    public SimulatedNat AddNat(string publicAddress, NatOptions? options = null, SimulatedNat? behind = null) =>
        new(this, TransportAddress.Parse(publicAddress), options ?? new(), RealmBehind(behind), new Random(_random.Next()));

    /// <summary>Adds a host; an address with a port opens that UDP socket for the core at once.</summary>
    public SimulatedHost AddHost(string address, IProtocolCore core, SimulatedNat? behind = null)
    {
        var first = TransportAddress.Parse(address);
        var host = new SimulatedHost(this, core);
        _hosts.Add(host);
        host.AddAddress(address, behind);
        if (first.Port != 0) host.OpenUdp(first.Port);
        host.Drain();
        return host;
    }

    /// <summary>Does something when a span of virtual time has passed: a NAT restarts, a cable is pulled.</summary>
    public void After(TimeSpan delay, Action action) => Schedule(Now + delay, action);

    public void RunFor(TimeSpan span)
    {
        var end = Now + span;
        while (TryStep(end))
        {
        }

        Now = end;
    }

    /// <summary>Runs until the condition holds after some event; false when it does not within <paramref name="limit"/>.</summary>
    public bool RunUntil(Func<bool> condition, TimeSpan limit)
    {
        var end = Now + limit;
        while (!condition())
        {
            if (TryStep(end)) continue;

            Now = end;
            return condition();
        }

        return true;
    }

    /// <summary>Throws where a core's outbox holds buffers that were rented and not released.</summary>
    public void AssertNothingRented()
    {
        foreach (var host in _hosts) host.AssertNothingRented();
    }

    internal Realm RealmBehind(SimulatedNat? nat) => nat?.Inner ?? _internet;

    internal FlowId NextFlow() => new(++_lastFlow);

    internal void Schedule(Instant at, Action action) => _events.Enqueue(action, (at, _sequence++));

    /// <summary>Transports that firewalls on every path drop without a word.</summary>
    public Predicate<TransportProtocol> Blocks { get; set; } = static _ => false;

    /// <summary>Takes a packet from a host up through its NATs and onto its path.</summary>
    internal void Send(SimulatedHost host, Realm origin, Packet packet)
    {
        Observe(PacketStage.Sent, null, packet);
        if (!host.IsConnected || host.IsSuspended)
        {
            Drop(packet, DropReason.LinkDown);
            return;
        }

        if (Blocks(packet.Transport))
        {
            Drop(packet, DropReason.Filtered);
            return;
        }

        if (packet.To.IsPrivate && !origin.CanReach(packet.To))
        {
            Drop(packet, DropReason.PrivateDestination);
            return;
        }

        var realm = origin;
        while (!realm.Contains(packet.To))
        {
            var refused = realm.Gateway is { } nat ? nat.TranslateOutbound(packet) : DropReason.Unroutable;
            if (refused is { } reason)
            {
                Drop(packet, reason);
                return;
            }

            realm = realm.Gateway!.Outer;
        }

        var isLocal = realm == origin && !realm.IsPublic;
        var impairment = isLocal ? new Impairment { Delay = LanDelay } : host.Uplink ?? Default;
        Transfer(packet, impairment, arrived => Arrive(realm, arrived));
    }

    internal void Drop(Packet packet, DropReason reason)
    {
        _dropped[(int)reason]++;
        Observe(PacketStage.Dropped, reason, packet);
        if (packet.Sender is { } sender) sender.Host.Streams.HandleLoss(sender);
        packet.Release();
    }

    private Impairment Default => new() { Loss = Loss, Duplication = Duplication, Delay = Delay, Jitter = Jitter };

    // Down through the receiver's NATs, as they are at the moment of arrival.
    private void Arrive(Realm realm, Packet packet)
    {
        var node = realm.Find(packet.To);
        while (node is SimulatedNat nat)
        {
            if (nat.TranslateInbound(packet) is { } refused)
            {
                Drop(packet, refused);
                return;
            }

            node = nat.Inner.Find(packet.To);
        }

        if (node is not SimulatedHost host) Drop(packet, DropReason.Unroutable);
        else if (host.Downlink is { } downlink) Transfer(packet, downlink, arrived => Deliver(host, arrived));
        else Deliver(host, packet);
    }

    private void Deliver(SimulatedHost host, Packet packet)
    {
        if (!host.IsConnected || host.IsSuspended)
        {
            Drop(packet, DropReason.LinkDown);
            return;
        }

        if (host.Receive(packet) is { } refused)
        {
            Drop(packet, refused);
            return;
        }

        DeliveredCount++;
        packet.Release();
    }

    internal void ObserveDelivered(Packet packet) => Observe(PacketStage.Delivered, null, packet);

    private void Transfer(Packet packet, Impairment impairment, Action<Packet> arrive)
    {
        if (!packet.IsDatagram)
        {
            TransferSegment(packet, impairment, arrive);
            return;
        }

        if (Happens(impairment.Loss))
        {
            Drop(packet, DropReason.Lost);
            return;
        }

        if (Happens(impairment.Duplication))
        {
            var copy = packet.Clone();
            Schedule(Now + DelayOf(impairment), () => arrive(copy));
        }

        Schedule(Now + DelayOf(impairment), () => arrive(packet));
    }

    private void TransferSegment(Packet packet, Impairment impairment, Action<Packet> arrive)
    {
        var at = Now + DelayOf(impairment);
        for (var i = 0; i < MaxRetransmissions && Happens(impairment.Loss); i++) at += RetransmissionDelay;
        if (packet.Sender is { } sender)
        {
            if (at < sender.LastArrival) at = sender.LastArrival;
            sender.LastArrival = at;
        }

        Schedule(at, () => arrive(packet));
    }

    private bool Happens(double probability) => probability > 0 && _random.NextDouble() < probability;

    private TimeSpan DelayOf(Impairment impairment) =>
        impairment.Jitter > TimeSpan.Zero ? impairment.Delay + (impairment.Jitter * _random.NextDouble()) : impairment.Delay;

    private bool TryStep(Instant end)
    {
        if (!_events.TryPeek(out var action, out var due) || due.At > end) return false;

        _events.Dequeue();
        if (due.At > Now) Now = due.At;
        action();
        return true;
    }

    private void Observe(PacketStage stage, DropReason? reason, Packet packet)
    {
        _hash.Add(Now, stage, packet);
        Trace?.Invoke(new PacketRecord(Now, stage, reason, packet));
    }
}
