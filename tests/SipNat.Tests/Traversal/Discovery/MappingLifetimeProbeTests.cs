using SipNat.Simulation;
using SipNat.Traversal.Discovery;
using SipNat.Wire;

namespace SipNat.Tests.Traversal.Discovery;

public sealed class MappingLifetimeProbeTests
{
    private const double Tolerance = 0.2;

    [Theory]
    [InlineData(10, 30)]
    [InlineData(30, 120)]
    [InlineData(60, 60)]
    [InlineData(17, 90)]
    public void Both_lifetimes_are_found_within_a_fifth(double fresh, double established)
    {
        foreach (var kind in (NatOptions[])[NatOptions.FullCone, NatOptions.AddressRestricted, NatOptions.PortRestricted, NatOptions.Symmetric])
        {
            var result = Measure(kind with { FreshLifetime = TimeSpan.FromSeconds(fresh), EstablishedLifetime = TimeSpan.FromSeconds(established) });

            AssertNear(fresh, result.Fresh);
            AssertNear(established, result.Established);
        }
    }

    [Theory]
    [InlineData(0.1)]
    [InlineData(0.2)]
    public void Loss_changes_no_verdict(double loss)
    {
        var missing = 0;
        for (var seed = 1; seed <= 40; seed++)
        {
            var options = NatOptions.PortRestricted with { FreshLifetime = TimeSpan.FromSeconds(10 + (seed % 40)), EstablishedLifetime = TimeSpan.FromSeconds(30 + (2 * (seed % 40))) };
            var result = Measure(options, seed, loss);

            if (result.Fresh.Value is null || result.Established.Value is null) missing++;
            if (result.Fresh.Value is not null) AssertNear(10 + (seed % 40), result.Fresh);
            if (result.Established.Value is not null) AssertNear(30 + (2 * (seed % 40)), result.Established);
        }

        Assert.InRange(missing, 0, 1);
    }

    [Fact]
    public void The_whole_takes_little_longer_than_the_lifetime()
    {
        var network = new SimulatedNetwork(1);
        Measure(NatOptions.PortRestricted with { FreshLifetime = TimeSpan.FromSeconds(20), EstablishedLifetime = TimeSpan.FromSeconds(20) }, network: network);

        Assert.InRange(network.Now.Ticks, 0, TimeSpan.FromSeconds(45).Ticks);
    }

    [Fact]
    public void A_mapping_that_outlives_every_silence_is_inconclusive()
    {
        var result = Measure(NatOptions.PortRestricted with { FreshLifetime = TimeSpan.FromSeconds(30), EstablishedLifetime = TimeSpan.FromMinutes(10) });

        AssertNear(30, result.Fresh);
        Assert.Equal(default, result.Established);
    }

    [Fact]
    public void A_server_that_does_not_know_response_port_makes_it_inconclusive_within_seconds()
    {
        var network = new SimulatedNetwork(1);
        var result = Measure(NatOptions.FullCone, network: network, prepare: server => server.IgnoresResponsePort = true);

        Assert.Equal(MappingLifetimes.Inconclusive, result);
        Assert.InRange(network.Now.Ticks, 0, TimeSpan.FromSeconds(3).Ticks);
    }

    [Fact]
    public void A_silent_server_makes_it_inconclusive() =>
        Assert.Equal(MappingLifetimes.Inconclusive, Measure(NatOptions.FullCone, prepare: server => server.IsSilent = true));

    private static void AssertNear(double seconds, Measured<TimeSpan> measured)
    {
        Assert.NotNull(measured.Value);
        Assert.InRange(measured.Value.Value.TotalSeconds, seconds * (1 - Tolerance), seconds * (1 + Tolerance));
    }

    private static MappingLifetimes Measure(
        NatOptions nat, int seed = 1, double loss = 0, SimulatedNetwork? network = null, Action<SimulatedStunServer>? prepare = null)
    {
        network ??= new(seed);
        network.Loss = loss;
        var behind = network.AddNat("203.0.113.1", nat);
        var server = SimulatedStunServer.AddTo(network, "198.51.100.1:3478", "198.51.100.2:3479");
        prepare?.Invoke(server);
        var probe = new MappingLifetimeProbe(new() { Server = TransportAddress.Parse("198.51.100.1:3478") }, new Random(seed));
        var host = network.AddHost("192.168.1.10", probe, behind);
        for (var i = 0; i < probe.SocketCount; i++) host.OpenUdp(40000 + i);

        Assert.True(network.RunUntil(() => probe.Result is not null, TimeSpan.FromMinutes(10)));
        Assert.Null(probe.Deadline);
        network.AssertNothingRented();
        return probe.Result!;
    }
}
