using SipNat.Simulation;
using SipNat.Wire;

namespace SipNat.Tests.Simulation;

public sealed class SimulatedRealmTests
{
    [Fact]
    public void Hosts_of_one_lan_reach_each_other_directly_and_without_loss()
    {
        var network = new SimulatedNetwork(seed: 1) { Loss = 1 };
        var nat = network.AddNat("203.0.113.1");
        var left = Add(network, "192.168.1.10:1000", nat);
        var right = Add(network, "192.168.1.11:2000", nat);

        left.Send("192.168.1.11:2000");
        network.RunFor(TimeSpan.FromSeconds(1));

        Assert.Equal(TransportAddress.Parse("192.168.1.10:1000"), Assert.Single(right.Core.Received).From);
        Assert.Equal(new Instant(0) + SimulatedNetwork.LanDelay, right.Core.Received[0].At);
        Assert.Equal(0, nat.CountMappings());
    }

    [Fact]
    public void A_private_address_of_another_lan_is_never_reached_even_where_both_use_the_same_network()
    {
        var network = new SimulatedNetwork(seed: 2);
        var left = Add(network, "192.168.1.10:1000", network.AddNat("203.0.113.1"));
        var right = Add(network, "192.168.1.11:2000", network.AddNat("203.0.113.2"));

        left.Send("192.168.1.11:2000");
        network.RunFor(TimeSpan.FromSeconds(1));

        Assert.Equal(0, right.Host.PacketsReceived);
        Assert.Equal(1, network.CountDropped(DropReason.PrivateDestination));
    }

    [Fact]
    public void Overlapping_lans_meet_only_through_their_nats()
    {
        var network = new SimulatedNetwork(seed: 3);
        var natOfRight = network.AddNat("203.0.113.2");
        natOfRight.Forward(2000, "192.168.1.10:2000");
        var left = Add(network, "192.168.1.10:1000", network.AddNat("203.0.113.1"));
        var right = Add(network, "192.168.1.10:2000", natOfRight);

        left.Send("203.0.113.2:2000");
        network.RunFor(TimeSpan.FromSeconds(1));

        Assert.Equal(TransportAddress.Parse("203.0.113.1:1000"), Assert.Single(right.Core.Received).From);
    }

    [Fact]
    public void A_nat_behind_a_nat_translates_twice_both_ways()
    {
        var network = new SimulatedNetwork(seed: 4);
        var carrier = network.AddNat("203.0.113.1", new() { PortAssignment = PortAssignment.Sequential, FirstPort = 30000 });
        var home = network.AddNat("100.64.0.5", new() { PortAssignment = PortAssignment.Sequential, FirstPort = 20000 }, carrier);
        var client = Add(network, "192.168.1.10:1000", home);
        var server = new DatagramProbe { IsEcho = true };
        network.AddHost("198.51.100.1:9", server);

        client.Send("198.51.100.1:9");
        network.RunFor(TimeSpan.FromSeconds(1));

        Assert.Equal(TransportAddress.Parse("203.0.113.1:30000"), Assert.Single(server.Received).From);
        Assert.Equal(TransportAddress.Parse("100.64.0.5:20000"), home.ExternalOf(TransportAddress.Parse("192.168.1.10:1000"), default));
        Assert.Equal(TransportAddress.Parse("198.51.100.1:9"), Assert.Single(client.Core.Received).From);
    }

    [Fact]
    public void A_forward_on_the_inner_nat_is_not_reached_from_the_internet()
    {
        var network = new SimulatedNetwork(seed: 5);
        var home = network.AddNat("100.64.0.5", behind: network.AddNat("203.0.113.1"));
        home.Forward(5060, "192.168.1.10:5060");
        var inside = Add(network, "192.168.1.10:5060", home);
        var outside = Add(network, "198.51.100.1:5060");

        outside.Send("203.0.113.1:5060");
        outside.Send("100.64.0.5:5060");
        network.RunFor(TimeSpan.FromSeconds(1));

        Assert.Equal(0, inside.Host.PacketsReceived);
        Assert.Equal((1L, 1L), (network.CountDropped(DropReason.NoMapping), network.CountDropped(DropReason.PrivateDestination)));
    }

    [Fact]
    public void Neighbours_behind_one_carrier_nat_reach_each_others_outer_addresses()
    {
        var network = new SimulatedNetwork(seed: 6);
        var carrier = network.AddNat("203.0.113.1");
        var left = Add(network, "192.168.1.10:1000", network.AddNat("100.64.0.5", behind: carrier));
        var natOfRight = network.AddNat("100.64.0.6", behind: carrier);
        natOfRight.Forward(2000, "192.168.1.10:2000");
        var right = Add(network, "192.168.1.10:2000", natOfRight);

        left.Send("100.64.0.6:2000");
        network.RunFor(TimeSpan.FromSeconds(1));

        Assert.Equal(TransportAddress.Parse("100.64.0.5:1000"), Assert.Single(right.Core.Received).From);
    }

    [Fact]
    public void A_host_may_stand_in_two_networks_and_speaks_from_the_socket_it_is_asked_on()
    {
        var network = new SimulatedNetwork(seed: 7);
        var nat = network.AddNat("203.0.113.1");
        var gateway = new DatagramProbe { IsEcho = true };
        var host = network.AddHost("198.51.100.1:5060", gateway);
        host.AddAddress("192.168.1.1", nat);
        host.OpenUdp(5060, address: TransportAddress.Parse("192.168.1.1"));
        var inside = Add(network, "192.168.1.10:1000", nat);

        inside.Send("192.168.1.1:5060");
        network.RunFor(TimeSpan.FromSeconds(1));

        Assert.Equal(TransportAddress.Parse("192.168.1.1:5060"), Assert.Single(inside.Core.Received).From);
    }

    [Fact]
    public void Private_hosts_do_not_stand_on_the_internet_and_addresses_are_taken_once()
    {
        var network = new SimulatedNetwork(seed: 8);
        network.AddHost("198.51.100.1:1", new DatagramProbe());

        Assert.Throws<ArgumentException>(() => network.AddHost("192.168.1.1:1", new DatagramProbe()));
        Assert.Throws<ArgumentException>(() => network.AddHost("198.51.100.1:2", new DatagramProbe()));
    }

    private static Endpoint Add(SimulatedNetwork network, string address, SimulatedNat? behind = null)
    {
        var probe = new DatagramProbe();
        return new(network.AddHost(address, probe, behind), probe);
    }

    private sealed record Endpoint(SimulatedHost Host, DatagramProbe Core)
    {
        public void Send(string to) => Host.Run(_ => Core.Send(Core.Changes[0].Flow, TransportAddress.Parse(to), "hello"));
    }
}
