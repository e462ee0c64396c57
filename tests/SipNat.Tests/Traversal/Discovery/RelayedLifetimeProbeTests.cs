using SipNat.Simulation;
using SipNat.Simulation.Turn;
using SipNat.Traversal.Discovery;
using SipNat.Wire;

namespace SipNat.Tests.Traversal.Discovery;

public sealed class RelayedLifetimeProbeTests
{
    private const string Address = "198.51.100.1:3478";

    [Theory]
    [InlineData(10, 30)]
    [InlineData(30, 120)]
    [InlineData(60, 60)]
    public void Both_lifetimes_are_found_within_a_fifth(double fresh, double established)
    {
        foreach (var kind in (NatOptions[])[NatOptions.FullCone, NatOptions.AddressRestricted, NatOptions.PortRestricted, NatOptions.Symmetric])
        {
            foreach (var loss in (double[])[0, 0.1])
            {
                var result = Measure(kind with { FreshLifetime = TimeSpan.FromSeconds(fresh), EstablishedLifetime = TimeSpan.FromSeconds(established) }, loss);

                Assert.InRange(result.Fresh.Value!.Value.TotalSeconds, fresh * 0.8, fresh * 1.2);
                Assert.InRange(result.Established.Value!.Value.TotalSeconds, established * 0.8, established * 1.2);
            }
        }
    }

    [Fact]
    public void A_server_that_lends_no_relay_makes_it_inconclusive()
    {
        Assert.Equal(MappingLifetimes.Inconclusive, Measure(NatOptions.FullCone, password: "wrong"));
        Assert.Equal(MappingLifetimes.Inconclusive, Measure(NatOptions.FullCone, prepare: server => server.IsSilent = true));
        Assert.Equal(MappingLifetimes.Inconclusive, Measure(NatOptions.FullCone, prepare: server => server.Error = method => method is SipNat.Traversal.Stun.StunMethod.CreatePermission ? 403 : 0));
    }

    [Fact]
    public void The_relay_is_given_back()
    {
        SimulatedTurnServer? server = null;
        Measure(NatOptions.PortRestricted with { EstablishedLifetime = TimeSpan.FromSeconds(20) }, prepare: turn => server = turn);

        Assert.Equal(0, server!.AllocationCount);
    }

    private static MappingLifetimes Measure(NatOptions nat, double loss = 0, string password = "password", Action<SimulatedTurnServer>? prepare = null)
    {
        var network = new SimulatedNetwork(3) { Loss = loss };
        var server = SimulatedTurnServer.AddTo(network, Address);
        prepare?.Invoke(server);
        var probe = new RelayedLifetimeProbe(new() { Server = TransportAddress.Parse(Address), Credentials = new("user", password) }, new Random(3));
        var host = network.AddHost("192.168.1.10", probe, network.AddNat("203.0.113.1", nat));
        for (var i = 0; i < probe.SocketCount; i++) host.OpenUdp(40000 + i);

        Assert.True(network.RunUntil(() => probe.Result is not null, TimeSpan.FromMinutes(10)));
        Assert.Null(probe.Deadline);
        network.RunFor(TimeSpan.FromSeconds(1));
        network.AssertNothingRented();
        return probe.Result!;
    }
}
