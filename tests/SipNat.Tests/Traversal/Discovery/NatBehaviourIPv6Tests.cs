using SipNat.Simulation;
using SipNat.Traversal.Discovery;
using SipNat.Wire;

namespace SipNat.Tests.Traversal.Discovery;

/// <summary>The same measurement by IPv6, where addresses are mostly not translated, and sometimes are.</summary>
public sealed class NatBehaviourIPv6Tests
{
    private const string Primary = "[2001:db8:1::1]:3478";
    private const string Alternate = "[2001:db8:1::2]:3479";

    [Fact]
    public void A_host_without_a_firewall_is_open()
    {
        var result = Measure(nat: null);

        Assert.Equal(NatBehaviour.Open, result.Behaviour);
        Assert.Equal(("2001:db8:2::50", "2001:db8:2::50"), (result.Local.AddressText, result.External.AddressText));
        Assert.Equal((true, true), (result.FragmentsOut.Value, result.FragmentsIn.Value));
        Assert.Equal(0, new NatLayers(result.Local, result.External).Count.Value);
    }

    [Fact]
    public void Translation_is_named_as_by_ipv4()
    {
        Assert.Equal(NatBehaviour.FullCone, Measure(NatOptions.FullCone).Behaviour);
        Assert.Equal(NatBehaviour.AddressRestricted, Measure(NatOptions.AddressRestricted).Behaviour);
        Assert.Equal(NatBehaviour.PortRestricted, Measure(NatOptions.PortRestricted).Behaviour);
        Assert.Equal(NatBehaviour.Symmetric, Measure(NatOptions.Symmetric).Behaviour);
    }

    [Fact]
    public void Lifetimes_are_found_within_a_fifth()
    {
        var probe = new MappingLifetimeProbe(new() { Server = TransportAddress.Parse(Primary) }, new Random(1));
        Run(NatOptions.PortRestricted with { FreshLifetime = TimeSpan.FromSeconds(20), EstablishedLifetime = TimeSpan.FromSeconds(60) }, probe, probe.SocketCount, () => probe.Result is not null);

        Assert.InRange(probe.Result!.Fresh.Value!.Value.TotalSeconds, 16, 24);
        Assert.InRange(probe.Result.Established.Value!.Value.TotalSeconds, 48, 72);
    }

    private static NatMeasurement Measure(NatOptions? nat)
    {
        var probe = new NatBehaviourProbe(new() { Servers = [TransportAddress.Parse(Primary)] }, new Random(1));
        Run(nat, probe, probe.SocketCount, () => probe.Result is not null);
        return probe.Result!;
    }

    private static void Run(NatOptions? nat, IProtocolCore probe, int sockets, Func<bool> isOver)
    {
        var network = new SimulatedNetwork(1);
        SimulatedStunServer.AddTo(network, Primary, Alternate);
        var behind = nat is null ? null : network.AddNat("2001:db8:3::1", nat);
        var host = network.AddHost(behind is null ? "2001:db8:2::50" : "fd00::10", probe, behind);
        for (var i = 0; i < sockets; i++) host.OpenUdp(40000 + (2 * i));

        Assert.True(network.RunUntil(isOver, TimeSpan.FromMinutes(10)));
        network.AssertNothingRented();
    }
}
