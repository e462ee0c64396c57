using SipNat.Simulation;
using SipNat.Wire;

namespace SipNat.Tests.Simulation;

public sealed class SimulatedStreamTests
{
    private static readonly TransportAddress Server = TransportAddress.Parse("198.51.100.1:5060");

    [Fact]
    public void A_private_host_connects_out_through_its_nat_and_messages_arrive_in_order_both_ways()
    {
        var network = new SimulatedNetwork(seed: 1) { Loss = 0.3, Jitter = TimeSpan.FromMilliseconds(80), Duplication = 0.3 };
        var scene = Connect(network, new() { PortAssignment = PortAssignment.Sequential, FirstPort = 30000 });

        for (var i = 0; i < 50; i++) scene.ClientHost.Run(_ => scene.Client.Send(scene.Flow, Server, $"{i}"));
        network.RunFor(TimeSpan.FromMinutes(2));

        var expected = Enumerable.Range(0, 50).Select(i => $"{i}").ToList();
        var opened = Assert.Single(scene.Server.Changes);
        Assert.Equal(new FlowChange(FlowChangeKind.Opened, TransportProtocol.Tcp, Server, TransportAddress.Parse("203.0.113.1:30000")), opened.Change);
        Assert.Equal(expected, scene.Server.Received.Select(message => message.Text));
        Assert.Equal(expected, scene.Client.Received.Select(message => message.Text));
        Assert.All(scene.Client.Received, message => Assert.Equal(Server, message.From));
        network.AssertNothingRented();
    }

    [Fact]
    public void Closing_one_end_closes_the_other()
    {
        var network = new SimulatedNetwork(seed: 2);
        var scene = Connect(network, new());

        scene.ClientHost.Run(_ => scene.Client.Request(new(FlowRequestKind.Close, scene.Flow, TransportProtocol.Tcp, Server)));
        network.RunFor(TimeSpan.FromSeconds(1));

        Assert.Equal([FlowChangeKind.Opened, FlowChangeKind.Closed], scene.Client.Changes.Select(change => change.Change.Kind));
        Assert.Equal([FlowChangeKind.Opened, FlowChangeKind.Closed], scene.Server.Changes.Select(change => change.Change.Kind));
    }

    [Theory]
    [InlineData("198.51.100.1:5061", TransportProtocol.Tcp, 0.02)]
    [InlineData("198.51.100.1:5060", TransportProtocol.Tls, 0.02)]
    [InlineData("198.51.100.77:5060", TransportProtocol.Tcp, 5)]
    [InlineData("[2001:db8::1]:5060", TransportProtocol.Tcp, 0)]
    public void A_connection_that_cannot_be_made_is_refused(string remote, TransportProtocol transport, double afterSeconds)
    {
        var network = new SimulatedNetwork(seed: 3);
        var scene = Connect(network, new());
        var to = TransportAddress.Parse(remote);
        var asked = network.Now;

        scene.ClientHost.Run(_ => scene.Client.Request(new(FlowRequestKind.Connect, default, transport, to)));
        Assert.True(network.RunUntil(() => scene.Client.Changes.Count == 2, TimeSpan.FromSeconds(10)));

        Assert.Equal(new FlowChange(FlowChangeKind.Refused, transport, default, to), scene.Client.Changes[1].Change);
        Assert.Equal(TimeSpan.FromSeconds(afterSeconds), network.Now - asked);
    }

    [Fact]
    public void A_restarted_nat_breaks_the_connection_and_the_client_learns_it_from_a_reset()
    {
        var network = new SimulatedNetwork(seed: 4);
        var scene = Connect(network, new());

        scene.Nat.Reboot();
        scene.ClientHost.Run(_ => scene.Client.Send(scene.Flow, Server, "anybody there?"));
        network.RunFor(TimeSpan.FromSeconds(1));

        Assert.Empty(scene.Server.Received);
        Assert.Equal(FlowChangeKind.Closed, scene.Client.Changes[^1].Change.Kind);
        Assert.Equal(1, network.CountDropped(DropReason.BrokenConnection));
    }

    [Fact]
    public void A_server_whose_messages_vanish_at_the_nat_gives_up_in_time()
    {
        var network = new SimulatedNetwork(seed: 5);
        var scene = Connect(network, new());

        scene.Nat.Reboot();
        scene.ServerHost.Run(_ => scene.Server.Send(scene.Server.Changes[0].Flow, default, "hello?"));
        network.RunFor(TimeSpan.FromSeconds(29));
        Assert.Single(scene.Server.Changes);
        network.RunFor(TimeSpan.FromSeconds(2));

        Assert.Equal(FlowChangeKind.Closed, scene.Server.Changes[^1].Change.Kind);
        Assert.Equal(1, network.CountDropped(DropReason.NoMapping));
    }

    [Fact]
    public void A_udp_socket_and_connections_share_a_port_and_closing_one_leaves_the_other()
    {
        var network = new SimulatedNetwork(seed: 6);
        var scene = Connect(network, new());
        var udp = scene.ServerHost.OpenUdp(5060);

        scene.ServerHost.Close(scene.Server.Changes[0].Flow);

        Assert.Equal(Server, scene.ServerHost.LocalOf(udp));
        Assert.Throws<InvalidOperationException>(() => scene.ServerHost.OpenUdp(5060));
    }

    private static Scene Connect(SimulatedNetwork network, NatOptions options)
    {
        var server = new DatagramProbe { IsEcho = true };
        var serverHost = network.AddHost("198.51.100.1", server);
        serverHost.Listen(5060);
        var nat = network.AddNat("203.0.113.1", options);
        var client = new DatagramProbe();
        var clientHost = network.AddHost("192.168.1.10", client, nat);
        clientHost.Run(_ => client.Request(new(FlowRequestKind.Connect, default, TransportProtocol.Tcp, Server)));
        Assert.True(network.RunUntil(() => client.Changes.Count == 1, TimeSpan.FromSeconds(10)));
        Assert.Equal(FlowChangeKind.Opened, client.Changes[0].Change.Kind);
        return new(server, serverHost, client, clientHost, client.Changes[0].Flow, nat);
    }

    private sealed record Scene(
        DatagramProbe Server, SimulatedHost ServerHost, DatagramProbe Client, SimulatedHost ClientHost, FlowId Flow, SimulatedNat Nat);
}
