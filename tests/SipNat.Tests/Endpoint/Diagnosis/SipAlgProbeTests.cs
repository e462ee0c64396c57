using SipNat.Endpoint.Diagnosis;
using SipNat.Simulation;
using SipNat.Wire;

namespace SipNat.Tests.Endpoint.Diagnosis;

public sealed class SipAlgProbeTests
{
    private const string Target = "198.51.100.20:5060";

    [Fact]
    public void A_nat_without_a_gateway_has_none()
    {
        foreach (var nat in (NatOptions?[])[null, NatOptions.FullCone, NatOptions.PortRestricted, NatOptions.Symmetric])
        {
            var result = Measure(nat);

            Assert.Equal((false, 0.95, SipAlgObstacle.None), (result.IsPresent.Value, result.IsPresent.Confidence, result.Obstacle));
            Assert.Empty(result.Evidence);
        }
    }

    [Theory]
    [InlineData(SipAlgKind.BothWays, "ReceivedIsLocal 203.0.113.1 192.168.1.10")]
    [InlineData(SipAlgKind.OneWay, "ViaChanged 192.168.1.10:5060;branch=* 203.0.113.1:5060;branch=*")]
    [InlineData(SipAlgKind.Thorough, "FromChanged sip:probe@192.168.1.10 sip:probe@192.168.1.10:5060|CallIdChanged *@192.168.1.10 *@192.168.1.10:5060|ReceivedIsLocal 203.0.113.1 192.168.1.10")]
    public void A_gateway_gives_itself_away(SipAlgKind kind, string evidence)
    {
        var result = Measure(NatOptions.PortRestricted with { SipAlg = kind });

        Assert.Equal((true, 3), (result.IsPresent.Value, result.IsPresent.Samples));
        Assert.Equal(
            evidence.Split('|'),
            result.Evidence.Where(seen => seen.Local.Port == 5060).Select(seen => $"{seen.Kind} {WithoutTokens(seen.Sent)} {WithoutTokens(seen.Seen)}"));
    }

    [Theory]
    [InlineData(SipAlgKind.None)]
    [InlineData(SipAlgKind.BothWays)]
    public void Loss_changes_no_verdict(SipAlgKind kind)
    {
        var missing = 0;
        for (var seed = 1; seed <= 60; seed++)
        {
            var options = (seed % 2 == 0 ? NatOptions.Symmetric : NatOptions.AddressRestricted) with { SipAlg = kind };
            var present = Measure(options, seed, loss: 0.2).IsPresent.Value;

            Assert.True(present is null || present == kind is not SipAlgKind.None, $"seed {seed}");
            if (present is null) missing++;
        }

        Assert.InRange(missing, 0, 4);
    }

    [Fact]
    public void Without_an_answer_or_its_received_nothing_is_known()
    {
        Assert.Equal(SipAlgObstacle.NoSipAnswer, Measure(NatOptions.FullCone, prepare: (sip, _) => sip.IsSilent = true).Obstacle);
        Assert.Equal(SipAlgObstacle.NoStunAnswer, Measure(NatOptions.FullCone, prepare: (_, stun) => stun.IsSilent = true).Obstacle);
        Assert.Equal(SipAlgObstacle.NoReceived, Measure(NatOptions.FullCone, prepare: (sip, _) => sip.OmitsReceived = true).Obstacle);
        Assert.Equal(default, Measure(NatOptions.FullCone, prepare: (sip, _) => sip.OmitsReceived = true).IsPresent);
    }

    // Without a NAT a server has no reason to say where it saw us (RFC 3261 §18.2.1).
    [Fact]
    public void Without_a_nat_no_received_is_needed() =>
        Assert.False(Measure(nat: null, prepare: (sip, _) => sip.OmitsReceived = true).IsPresent.Value);

    [Fact]
    public void A_server_on_the_same_network_sees_the_private_address_and_proves_nothing()
    {
        var network = new SimulatedNetwork(1);
        var nat = network.AddNat("203.0.113.1", NatOptions.PortRestricted);
        SimulatedSipServer.AddTo(network, "192.168.1.20:5060", nat);
        SimulatedStunServer.AddTo(network, "198.51.100.1:3478");

        var result = Run(network, nat, "192.168.1.20:5060", seed: 1);

        Assert.Equal((null, SipAlgObstacle.PrivateServer), (result.IsPresent.Value, result.Obstacle));
    }

    [Fact]
    public void A_server_that_writes_the_same_headers_in_its_own_way_is_no_gateway()
    {
        var result = Measure(NatOptions.FullCone, prepare: (sip, _) => sip.Edit = static line => line
            .Replace("From: <", "f: \"Probe\" <", StringComparison.Ordinal)
            .Replace("sip.example.net", "SIP.EXAMPLE.NET", StringComparison.Ordinal)
            .Replace("Call-ID:", "i:", StringComparison.Ordinal));

        Assert.Equal((false, 3), (result.IsPresent.Value, result.IsPresent.Samples));
    }

    [Fact]
    public void A_header_that_was_touched_is_named()
    {
        var result = Measure(NatOptions.FullCone, prepare: (sip, _) => sip.Edit = static line => line.Replace("<sip:sip.example.net>", "<sip:10.9.9.9>", StringComparison.Ordinal));

        Assert.Equal([(SipAlgEvidenceKind.ToChanged, "sip:sip.example.net", "sip:10.9.9.9")], result.Evidence.Take(1).Select(seen => (seen.Kind, seen.Sent, seen.Seen)));
    }

    [Fact]
    public void A_rewritten_mapped_address_is_a_gateway_too()
    {
        var result = Measure(NatOptions.FullCone, prepare: (_, stun) => stun.AnnouncedMapped = TransportAddress.Parse("192.168.1.10:5060"));

        Assert.Equal([SipAlgEvidenceKind.MappedAddressChanged], result.Evidence.Select(seen => seen.Kind).Distinct());
        Assert.Equal("192.168.1.10:5060", result.Evidence[0].Seen);
    }

    [Fact]
    public void The_request_is_repeated_like_any_other_and_given_up()
    {
        var network = new SimulatedNetwork(1);
        SimulatedStunServer.AddTo(network, "198.51.100.1:3478");
        var silent = SimulatedSipServer.AddTo(network, Target);
        silent.IsSilent = true;

        Run(network, network.AddNat("203.0.113.1", NatOptions.FullCone), Target, seed: 1);

        Assert.Equal(3 * 5, silent.Requests.Count);
        Assert.InRange(network.Now.Ticks, TimeSpan.FromSeconds(11).Ticks, TimeSpan.FromSeconds(12).Ticks);
    }

    private static SipAlgMeasurement Measure(NatOptions? nat, int seed = 1, double loss = 0, Action<SimulatedSipServer, SimulatedStunServer>? prepare = null)
    {
        var network = new SimulatedNetwork(seed) { Loss = loss };
        var stun = SimulatedStunServer.AddTo(network, "198.51.100.1:3478");
        prepare?.Invoke(SimulatedSipServer.AddTo(network, Target), stun);
        if (prepare is null) SimulatedSipServer.AddTo(network, Target);
        return Run(network, nat is null ? null : network.AddNat("203.0.113.1", nat), Target, seed);
    }

    private static SipAlgMeasurement Run(SimulatedNetwork network, SimulatedNat? nat, string target, int seed)
    {
        var options = new SipAlgProbeOptions { Target = TransportAddress.Parse(target), Host = "sip.example.net", StunServers = [TransportAddress.Parse("198.51.100.1:3478")] };
        var probe = new SipAlgProbe(options, new Random(seed));
        var host = network.AddHost(nat is null ? "198.51.100.50" : "192.168.1.10", probe, nat);
        foreach (var port in (int[])[5060, 40000, 40002]) host.OpenUdp(port);

        Assert.True(network.RunUntil(() => probe.Result is not null, TimeSpan.FromMinutes(1)));
        Assert.Null(probe.Deadline);
        network.AssertNothingRented();
        return probe.Result!;
    }

    private static string WithoutTokens(string text) => System.Text.RegularExpressions.Regex.Replace(text, "z9hG4bK[0-9a-f]+|^[0-9a-f]{10,}", "*");
}
