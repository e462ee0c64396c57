using SipNat.Simulation;
using SipNat.Simulation.Turn;
using SipNat.Traversal.Discovery;
using SipNat.Traversal.Stun;
using SipNat.Wire;

namespace SipNat.Tests.Traversal.Discovery;

public sealed class TurnReachProbeTests
{
    private const string Address = "198.51.100.1:3478";

    [Fact]
    public void A_relay_is_lent_over_udp_and_tcp_and_given_back()
    {
        var network = new SimulatedNetwork(1);
        var server = SimulatedTurnServer.AddTo(network, Address);

        var found = Run(network, Target(TransportProtocol.Udp), Target(TransportProtocol.Tcp));

        Assert.Equal(["Udp Allocated 0", "Tcp Allocated 0"], found);
        Assert.Equal(0, server.AllocationCount);
        Assert.InRange(network.Now.Ticks, 0, TimeSpan.FromSeconds(1).Ticks);
    }

    [Fact]
    public void Twenty_percent_of_loss_cost_time_alone()
    {
        for (var seed = 1; seed <= 40; seed++)
        {
            var network = new SimulatedNetwork(seed) { Loss = 0.2 };
            SimulatedTurnServer.AddTo(network, Address);

            Assert.Equal(["Udp Allocated 0", "Tcp Allocated 0"], Run(network, Target(TransportProtocol.Udp), Target(TransportProtocol.Tcp)));
        }
    }

    [Fact]
    public void A_wrong_password_is_an_answer_and_no_relay()
    {
        var network = new SimulatedNetwork(1);
        SimulatedTurnServer.AddTo(network, Address);

        Assert.Equal(["Udp Refused 401", "Tcp Refused 401"], Run(network, Target(TransportProtocol.Udp, "wrong"), Target(TransportProtocol.Tcp, "wrong")));
    }

    [Fact]
    public void A_server_that_is_used_up_or_names_another_one_lends_none()
    {
        var network = new SimulatedNetwork(1);
        SimulatedTurnServer.AddTo(network, Address).Error = method => method is StunMethod.Allocate ? 486 : 0;
        Assert.Equal(["Udp Refused 486"], Run(network, Target(TransportProtocol.Udp)));

        network = new SimulatedNetwork(1);
        SimulatedTurnServer.AddTo(network, Address).Alternate = TransportAddress.Parse("198.51.100.2:3478");
        Assert.Equal(["Tcp Refused 300"], Run(network, Target(TransportProtocol.Tcp)));
    }

    [Fact]
    public void A_silent_server_is_given_up_after_twelve_seconds()
    {
        var network = new SimulatedNetwork(1);
        SimulatedTurnServer.AddTo(network, Address).IsSilent = true;

        Assert.Equal(["Udp Silent 0", "Tcp Silent 0"], Run(network, Target(TransportProtocol.Udp), Target(TransportProtocol.Tcp)));
        Assert.Equal(TimeSpan.FromSeconds(12).Ticks, network.Now.Ticks, TimeSpan.FromMilliseconds(100).Ticks);
    }

    [Fact]
    public void A_connection_that_is_refused_is_silence_at_once()
    {
        var network = new SimulatedNetwork(1);
        network.AddHost("198.51.100.1", new DatagramProbe());

        Assert.Equal(["Tcp Silent 0"], Run(network, Target(TransportProtocol.Tcp)));
        Assert.InRange(network.Now.Ticks, 0, TimeSpan.FromSeconds(1).Ticks);
    }

    private static TurnReachTarget Target(TransportProtocol transport, string password = "password") =>
        new(new() { Server = TransportAddress.Parse(Address), Transport = transport, Credentials = new("user", password) }, TlsName: null);

    private static IEnumerable<string> Run(SimulatedNetwork network, params TurnReachTarget[] targets)
    {
        var probe = new TurnReachProbe(targets, new Random(7));
        var host = network.AddHost("192.168.1.10", probe, network.AddNat("203.0.113.1", NatOptions.Symmetric));
        for (var i = 0; i < probe.SocketCount; i++) host.OpenUdp(40000 + i);

        Assert.True(network.RunUntil(() => probe.Result is not null, TimeSpan.FromMinutes(1)));
        Assert.Null(probe.Deadline);
        network.AssertNothingRented();
        return probe.Result!.Select(reach => $"{reach.Target.Server.Transport} {reach.Outcome} {reach.Code}");
    }
}
