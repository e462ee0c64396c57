using SipNat.Simulation;
using SipNat.Wire;

namespace SipNat.Tests.Simulation;

public sealed class SimulatedNetworkTests
{
    private static readonly TransportAddress Right = TransportAddress.Parse("198.51.100.2:2000");

    [Fact]
    public void The_same_seed_gives_the_same_packets_at_the_same_moments()
    {
        Assert.Equal(HashOf(seed: 3), HashOf(seed: 3));
        Assert.NotEqual(HashOf(seed: 3), HashOf(seed: 4));

        static ulong HashOf(int seed)
        {
            var (network, left, _) = Pair(seed);
            (network.Loss, network.Duplication, network.Jitter) = (0.1, 0.1, TimeSpan.FromMilliseconds(50));
            SendMany(network, left, 200);
            return network.TraceHash;
        }
    }

    [Fact]
    public void Loss_takes_its_share()
    {
        var (network, left, right) = Pair(seed: 11);
        network.Loss = 0.2;

        SendMany(network, left, 1000);

        Assert.InRange(network.CountDropped(DropReason.Lost), 160, 240);
        Assert.Equal(1000, right.Core.Received.Count + network.CountDropped(DropReason.Lost));
    }

    [Fact]
    public void Duplicates_arrive_besides()
    {
        var (network, left, right) = Pair(seed: 12);
        network.Duplication = 1;

        SendMany(network, left, 10);

        Assert.Equal(20, right.Core.Received.Count);
        Assert.Equal(10, right.Core.Received.Select(datagram => datagram.Text).Distinct(StringComparer.Ordinal).Count());
    }

    [Fact]
    public void Delay_is_exact_and_jitter_reorders()
    {
        var (network, left, right) = Pair(seed: 13);
        network.Delay = TimeSpan.FromMilliseconds(35);
        SendMany(network, left, 1);
        Assert.Equal(new Instant(0) + TimeSpan.FromMilliseconds(35), right.Core.Received[0].At);

        network.Jitter = TimeSpan.FromMilliseconds(100);
        SendMany(network, left, 100);

        var order = right.Core.Received.Skip(1).Select(datagram => datagram.Text).ToList();
        Assert.Equal(100, order.Count);
        Assert.NotEqual(order.Order(StringComparer.Ordinal), order);
    }

    [Fact]
    public void A_link_of_its_own_replaces_the_path_of_the_sender_and_adds_to_that_of_the_receiver()
    {
        var (network, left, right) = Pair(seed: 14);
        left.Host.Uplink = new() { Delay = TimeSpan.FromMilliseconds(100) };
        right.Host.Downlink = new() { Delay = TimeSpan.FromMilliseconds(7) };

        SendMany(network, left, 1);

        Assert.Equal(TimeSpan.FromMilliseconds(107), right.Core.Received[0].At - new Instant(0));
    }

    [Fact]
    public void Nothing_passes_an_unplugged_cable()
    {
        var (network, left, right) = Pair(seed: 15);

        right.Host.IsConnected = false;
        SendMany(network, left, 3);
        (left.Host.IsConnected, right.Host.IsConnected) = (false, true);
        SendMany(network, left, 4);

        Assert.Equal((0L, 7L), (network.DeliveredCount, network.CountDropped(DropReason.LinkDown)));
    }

    [Theory]
    [InlineData("198.51.100.99:1", DropReason.Unroutable)]
    [InlineData("192.168.1.1:1", DropReason.PrivateDestination)]
    [InlineData("198.51.100.2:9999", DropReason.PortClosed)]
    public void What_cannot_arrive_is_dropped_and_counted_by_its_reason(string destination, DropReason reason)
    {
        var (network, left, _) = Pair(seed: 16);
        var seen = new List<DropReason?>();
        network.Trace = packet =>
        {
            if (packet.Stage is PacketStage.Dropped) seen.Add(packet.Reason);
        };

        left.Host.Run(_ => left.Core.Send(left.Flow, TransportAddress.Parse(destination), "lost"));
        network.RunFor(TimeSpan.FromSeconds(1));

        Assert.Equal([reason], seen);
        Assert.Equal((1L, 0L), (network.CountDropped(reason), network.DeliveredCount));
    }

    [Theory]
    [InlineData("[2001:db8::1]:1000")]
    [InlineData("198.51.100.2:0")]
    public void A_datagram_that_a_kernel_would_reject_is_reported_to_its_core(string destination)
    {
        var (network, left, _) = Pair(seed: 17);
        var to = TransportAddress.Parse(destination);

        left.Host.Run(_ => left.Core.Send(left.Flow, to, "rejected"));

        var local = TransportAddress.Parse("198.51.100.1:1000");
        Assert.Equal(
            [(left.Flow, new(FlowChangeKind.Opened, TransportProtocol.Udp, local, default)), (left.Flow, new FlowChange(FlowChangeKind.SendFailed, TransportProtocol.Udp, local, to))],
            left.Core.Changes);
        network.AssertNothingRented();
    }

    [Fact]
    public void What_is_sent_on_a_closed_flow_is_dropped_and_nothing_stays_rented()
    {
        var (network, left, _) = Pair(seed: 18);

        left.Host.Close(left.Flow);
        left.Host.Run(_ => left.Core.Send(left.Flow, Right, "late"));

        Assert.Equal(1, network.CountDropped(DropReason.FlowClosed));
        Assert.Equal(FlowChangeKind.Closed, left.Core.Changes[^1].Change.Kind);
        network.AssertNothingRented();
    }

    [Fact]
    public void A_leaked_buffer_is_found()
    {
        var (network, left, _) = Pair(seed: 19);

        left.Core.Send(left.Flow, Right, "never drained");

        Assert.Contains("1 rented", Assert.Throws<InvalidOperationException>(network.AssertNothingRented).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Time_jumps_to_the_deadline_of_a_core_and_no_further()
    {
        var network = new SimulatedNetwork(seed: 20);
        var clock = new TickingCore();
        network.AddHost("198.51.100.1:1000", clock);

        network.RunFor(TimeSpan.FromHours(10));

        Assert.Equal(Enumerable.Range(1, 10).Select(hour => new Instant(0) + TimeSpan.FromHours(hour)), clock.Ticks);
        Assert.Equal(new Instant(0) + TimeSpan.FromHours(10), network.Now);
    }

    [Fact]
    public void A_core_that_stays_due_is_found_out()
    {
        var network = new SimulatedNetwork(seed: 21);
        network.AddHost("198.51.100.1:1000", new TickingCore { IsStuck = true });

        Assert.Throws<InvalidOperationException>(() => network.RunFor(TimeSpan.FromHours(2)));
    }

    [Fact]
    public void Running_until_a_condition_stops_at_the_event_that_fulfils_it_or_at_the_limit()
    {
        var (network, left, right) = Pair(seed: 22);
        network.After(TimeSpan.FromSeconds(5), () => left.Host.Run(_ => left.Core.Send(left.Flow, Right, "now")));

        Assert.False(network.RunUntil(() => right.Core.Received.Count > 0, TimeSpan.FromSeconds(1)));
        Assert.Equal(new Instant(0) + TimeSpan.FromSeconds(1), network.Now);
        Assert.True(network.RunUntil(() => right.Core.Received.Count > 0, TimeSpan.FromMinutes(1)));
        Assert.Equal(new Instant(0) + TimeSpan.FromMilliseconds(5010), network.Now);
    }

    [Fact]
    public void Cores_of_one_host_exchange_what_they_have_for_each_other_before_anything_is_sent()
    {
        var network = new SimulatedNetwork(seed: 23);
        var (signalling, media, peer) = (new DatagramProbe(), new DatagramProbe(), new DatagramProbe());
        var host = network.AddHost("198.51.100.1:5060", signalling);
        var peerHost = network.AddHost("198.51.100.2:2000", peer);
        host.Attach(media);
        host.Exchange = _ =>
        {
            if (signalling.Received.Count == 1 && media.Changes.Count == 0) media.Send(host.OpenUdp(0, media), Right, "opened");
        };

        peerHost.Run(_ => peer.Send(peer.Changes[0].Flow, TransportAddress.Parse("198.51.100.1:5060"), "open"));
        network.RunFor(TimeSpan.FromSeconds(1));

        Assert.Equal(["opened"], peer.Received.Select(datagram => datagram.Text));
        Assert.Equal(TransportAddress.Parse("198.51.100.1:49152"), peer.Received[0].From);

        host.Detach(media);
        Assert.Equal([FlowChangeKind.Opened, FlowChangeKind.Closed], media.Changes.Select(change => change.Change.Kind));
        network.AssertNothingRented();
    }

    private static (SimulatedNetwork Network, Endpoint Left, Endpoint Right) Pair(int seed)
    {
        var network = new SimulatedNetwork(seed);
        return (network, Add("198.51.100.1:1000"), Add("198.51.100.2:2000"));

        Endpoint Add(string address)
        {
            var probe = new DatagramProbe();
            var host = network.AddHost(address, probe);
            return new(host, probe, probe.Changes[0].Flow);
        }
    }

    private static void SendMany(SimulatedNetwork network, Endpoint left, int count)
    {
        for (var i = 0; i < count; i++)
        {
            left.Host.Run(_ => left.Core.Send(left.Flow, Right, $"{i:D4}"));
            network.RunFor(TimeSpan.FromMilliseconds(1));
        }

        network.RunFor(TimeSpan.FromSeconds(1));
    }

    private sealed record Endpoint(SimulatedHost Host, DatagramProbe Core, FlowId Flow);

    private sealed class TickingCore : IProtocolCore
    {
        public List<Instant> Ticks { get; } = [];

        public bool IsStuck { get; init; }

        public Outbox Outbox { get; } = new();

        public Instant? Deadline { get; private set; }

        public void HandleDatagram(Instant now, FlowId flow, TransportAddress from, ReadOnlySpan<byte> datagram)
        {
        }

        public void HandleFlow(Instant now, FlowId flow, FlowChange change) => Deadline = now + TimeSpan.FromHours(1);

        public void HandleTimeout(Instant now)
        {
            Ticks.Add(now);
            if (!IsStuck) Deadline += TimeSpan.FromHours(1);
        }

        public bool TryTakeRequest(out FlowRequest request)
        {
            request = default;
            return false;
        }
    }
}
