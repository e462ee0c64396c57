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
        Assert.InRange(result.EstablishedAtLeast.TotalSeconds, 200, 250);
        Assert.Equal((result.Fresh.Value, true), (result.Shorter, result.IsEndSeen));
    }

    // Keepalives of 25 s need to know lifetimes below 25 s / 0.7 only.
    [Theory]
    [InlineData(10, 30, 10, true, 60)]
    [InlineData(30, 120, 30, true, 75)]
    [InlineData(36, 20, 20, true, 75)]
    [InlineData(60, 120, 54, false, 75)]
    [InlineData(120, 120, 54, false, 75)]
    public void As_many_silences_as_matter_are_enough_to_tell_the_shorter_lifetime(double fresh, double established, double shorter, bool isEndSeen, double within)
    {
        var silences = MappingLifetimeOptions.SilencesUpTo(TimeSpan.FromSeconds(25 / 0.7));
        foreach (var loss in (double[])[0, 0.1])
        {
            var network = new SimulatedNetwork(5);
            var nat = NatOptions.PortRestricted with { FreshLifetime = TimeSpan.FromSeconds(fresh), EstablishedLifetime = TimeSpan.FromSeconds(established) };
            var result = Measure(nat, seed: 5, loss, network, silences: silences);

            Assert.InRange(result.Shorter!.Value.TotalSeconds, shorter * 0.85, shorter * 1.15);
            Assert.Equal(isEndSeen, result.IsEndSeen);
            Assert.InRange(network.Now.Ticks, 0, TimeSpan.FromSeconds(within).Ticks);
        }

        Assert.Equal(19, silences.Count);
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
        NatOptions nat, int seed = 1, double loss = 0, SimulatedNetwork? network = null, Action<SimulatedStunServer>? prepare = null, IReadOnlyList<TimeSpan>? silences = null)
    {
        network ??= new(seed);
        network.Loss = loss;
        var behind = network.AddNat("203.0.113.1", nat);
        var server = SimulatedStunServer.AddTo(network, "198.51.100.1:3478", "198.51.100.2:3479");
        prepare?.Invoke(server);
        var options = new MappingLifetimeOptions { Server = TransportAddress.Parse("198.51.100.1:3478") };
        var probe = new MappingLifetimeProbe(silences is null ? options : options with { Silences = silences }, new Random(seed));
        var host = network.AddHost("192.168.1.10", probe, behind);
        for (var i = 0; i < probe.SocketCount; i++) host.OpenUdp(40000 + i);

        Assert.True(network.RunUntil(() => probe.Result is not null, TimeSpan.FromMinutes(10)));
        Assert.Null(probe.Deadline);
        network.AssertNothingRented();
        return probe.Result!;
    }
}
