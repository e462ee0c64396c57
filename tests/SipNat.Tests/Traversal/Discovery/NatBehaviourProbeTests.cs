using SipNat.Simulation;
using SipNat.Traversal.Discovery;
using SipNat.Wire;

namespace SipNat.Tests.Traversal.Discovery;

public sealed class NatBehaviourProbeTests
{
    private const EndpointDependence None = EndpointDependence.None;
    private const EndpointDependence Independent = EndpointDependence.EndpointIndependent;
    private const EndpointDependence Address = EndpointDependence.AddressDependent;
    private const EndpointDependence AddressAndPort = EndpointDependence.AddressAndPortDependent;

    public static TheoryData<NatMapping, NatFiltering> Nats => new MatrixTheoryData<NatMapping, NatFiltering>(Enum.GetValues<NatMapping>(), Enum.GetValues<NatFiltering>());

    [Theory]
    [MemberData(nameof(Nats))]
    public void Every_nat_is_named_without_loss(NatMapping mapping, NatFiltering filtering)
    {
        var result = Measure(new() { Mapping = mapping, Filtering = filtering, PortAssignment = PortAssignment.Random });

        Assert.Equal((Words(mapping), Words(filtering), false), (result.Mapping.Value, result.Filtering.Value, result.UdpBlocked.Value));
        Assert.Equal(mapping is not NatMapping.EndpointIndependent, result.MappingVaries);
        Assert.Equal((0.95, 3), (result.Mapping.Confidence, result.Mapping.Samples));
        Assert.Equal(4, result.Filtering.Samples);
        Assert.Equal(("192.168.1.10", "203.0.113.1", "198.51.100.1:3478"), (result.Local.AddressText, result.External.AddressText, result.BehaviourServer.ToString()));
    }

    // No verdict is ever wrong; few are missing.
    [Theory]
    [MemberData(nameof(Nats))]
    public void A_lost_packet_changes_no_verdict(NatMapping mapping, NatFiltering filtering)
    {
        var missing = 0;
        foreach (var assignment in (PortAssignment[])[PortAssignment.Random, PortAssignment.Preserve, PortAssignment.Sequential])
        {
            for (var seed = 1; seed <= 20; seed++)
            {
                var options = new NatOptions { Mapping = mapping, Filtering = filtering, PortAssignment = assignment, Hairpin = seed % 3 == 0 };
                var result = Measure(options, seed, loss: seed % 2 == 0 ? 0.1 : 0.2);

                Assert.True(result.Mapping.Value is null || result.Mapping.Value == Words(mapping), $"seed {seed}: {result}");
                Assert.True(result.Filtering.Value is null || result.Filtering.Value == Words(filtering), $"seed {seed}: {result}");
                Assert.True(result.Hairpin.Value is null || result.Hairpin.Value == options.Hairpin, $"seed {seed}: {result}");
                Assert.True(result.PortPreservation.Value is null || result.PortPreservation.Value == assignment is PortAssignment.Preserve, $"seed {seed}: {result}");
                if (result.Mapping.Value is null || result.Filtering.Value is null) missing++;
            }
        }

        Assert.InRange(missing, 0, 2);
    }

    [Fact]
    public void A_host_without_a_nat_is_open()
    {
        var result = Measure(nat: null);

        Assert.Equal((None, None, true), (result.Mapping.Value, result.Filtering.Value, result.PortPreservation.Value));
        Assert.Equal(result.Local, result.External);
        Assert.Null(result.Hairpin.Value);
        Assert.Equal(NatBehaviour.Open, result.Behaviour);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Hairpin_is_found_also_where_the_filter_is_strict(bool hairpin)
    {
        var result = Measure(NatOptions.PortRestricted with { Hairpin = hairpin });

        Assert.Equal((hairpin, NatBehaviour.PortRestricted), (result.Hairpin.Value, result.Behaviour));
    }

    [Theory]
    [InlineData(NatMapping.EndpointIndependent, Independent, false)]
    [InlineData(NatMapping.AddressAndPortDependent, null, true)]
    public void Plain_servers_alone_tell_whether_the_mapping_varies_and_nothing_of_the_filter(NatMapping mapping, EndpointDependence? verdict, bool varies)
    {
        var scene = new ProbeScene(new NatOptions { Mapping = mapping, PortAssignment = PortAssignment.Random });
        scene.AddServer("198.51.100.1:3478");
        scene.AddServer("198.51.100.7:3478");

        var result = scene.Measure();

        Assert.Equal((verdict, varies, false), (result.Mapping.Value, result.MappingVaries, !result.BehaviourServer.IsNone));
        Assert.Equal(default, result.Filtering);
    }

    [Fact]
    public void One_plain_server_behind_a_nat_is_inconclusive()
    {
        var scene = new ProbeScene(NatOptions.FullCone);
        scene.AddServer("198.51.100.1:3478");

        var result = scene.Measure();

        Assert.Equal((null, null, null, true), (result.Mapping.Value, result.MappingVaries, result.Filtering.Value, result.PortPreservation.Value));
        Assert.Equal("203.0.113.1", result.External.AddressText);
    }

    // It offers a second address and answers there, and yet does nothing about CHANGE-REQUEST.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_server_that_does_not_change_its_address_makes_filtering_inconclusive(bool answersFromPrimary)
    {
        var scene = new ProbeScene(NatOptions.FullCone);
        var server = scene.AddServer("198.51.100.1:3478", "198.51.100.2:3479");
        server.ChangeRequests = answersFromPrimary ? ChangeRequestHandling.Ignored : ChangeRequestHandling.Dropped;

        var result = scene.Measure();

        Assert.Equal((Independent, null), (result.Mapping.Value, result.Filtering.Value));
    }

    [Fact]
    public void A_dead_server_costs_time_and_no_verdict()
    {
        var scene = new ProbeScene(NatOptions.Symmetric with { PortAssignment = PortAssignment.Preserve });
        scene.AddServer("198.51.100.9:3478").IsSilent = true;
        scene.AddServer("198.51.100.1:3478", "198.51.100.2:3479");

        var result = scene.Measure();

        Assert.Equal((AddressAndPort, AddressAndPort, true), (result.Mapping.Value, result.Filtering.Value, result.PortPreservation.Value));
        Assert.InRange(scene.Network.Now.Ticks, 0, TimeSpan.FromSeconds(13).Ticks);
    }

    [Theory]
    [InlineData(1, 0.6)]
    [InlineData(3, 0.95)]
    public void Silence_of_all_servers_is_blocked_udp_the_surer_the_more_there_are(int servers, double confidence)
    {
        var scene = new ProbeScene(NatOptions.FullCone);
        for (var i = 1; i <= servers; i++) scene.AddServer($"198.51.100.{i}:3478").IsSilent = true;

        var result = scene.Measure();

        Assert.Equal((true, confidence), (result.UdpBlocked.Value, result.UdpBlocked.Confidence));
        Assert.Equal((null, null, true), (result.Mapping.Value, result.Filtering.Value, result.External.IsNone));
        Assert.Equal(NatBehaviour.UdpBlocked, result.Behaviour);
    }

    [Fact]
    public void The_fast_measurement_is_the_mapping_within_few_round_trips()
    {
        var scene = new ProbeScene(NatOptions.FullCone, isFast: true);
        scene.AddServer("198.51.100.1:3478", "198.51.100.2:3479");
        scene.AddServer("198.51.100.7:3478");

        var result = scene.Measure();

        Assert.Equal((Independent, null, null), (result.Mapping.Value, result.Filtering.Value, result.Hairpin.Value));
        Assert.InRange(scene.Network.Now.Ticks, 0, TimeSpan.FromMilliseconds(200).Ticks);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public void Lost_fragments_are_noticed_for_each_direction(bool dropsOut, bool dropsIn)
    {
        var nat = NatOptions.PortRestricted with { DropsFragmentsOut = dropsOut, DropsFragmentsIn = dropsIn };
        var sure = Measure(nat);
        Assert.Equal((dropsOut ? 0.76 : 0.95, dropsIn ? 0.76 : 0.95), (sure.FragmentsOut.Confidence, sure.FragmentsIn.Confidence));
        for (var seed = 1; seed <= 20; seed++)
        {
            var result = Measure(nat, seed, loss: 0.1);

            Assert.Equal((!dropsOut, !dropsIn), (result.FragmentsOut.Value, result.FragmentsIn.Value));
        }
    }

    [Fact]
    public void A_server_that_does_not_pad_says_nothing_of_long_answers()
    {
        var scene = new ProbeScene(NatOptions.FullCone);
        scene.AddServer("198.51.100.1:3478", "198.51.100.2:3479").IgnoresPadding = true;
        Assert.Equal((true, null), Fragments(scene.Measure()));

        scene = new ProbeScene(NatOptions.FullCone);
        scene.AddServer("198.51.100.1:3478");
        Assert.Equal((true, null), Fragments(scene.Measure()));

        static (bool?, bool?) Fragments(NatMeasurement measured) => (measured.FragmentsOut.Value, measured.FragmentsIn.Value);
    }

    [Fact]
    public void A_double_nat_is_as_strict_as_its_stricter_half()
    {
        var scene = new ProbeScene(NatOptions.FullCone, outer: NatOptions.Symmetric);
        scene.AddServer("198.51.100.1:3478", "198.51.100.2:3479");

        var result = scene.Measure();

        Assert.Equal((AddressAndPort, AddressAndPort, "203.0.113.9"), (result.Mapping.Value, result.Filtering.Value, result.External.AddressText));
    }

    [Theory]
    [InlineData("192.168.1.99:3479")]
    [InlineData("127.0.0.1:3479")]
    [InlineData("198.51.100.1:3479")]
    [InlineData("198.51.100.2:3478")]
    [InlineData("224.0.0.1:3479")]
    public void An_alternate_address_that_no_server_can_have_is_not_followed(string alternate)
    {
        var scene = new ProbeScene(NatOptions.FullCone);
        scene.AddServer("198.51.100.1:3478").AnnouncedAlternate = TransportAddress.Parse(alternate);

        var result = scene.Measure();

        Assert.Equal((false, null), (!result.BehaviourServer.IsNone, result.Filtering.Value));
        // Three to the server, a long one and one for a long answer on each of its sockets, and the hairpin test: four times
        // on each of two sockets.
        Assert.Equal(3 + 6 + 8, scene.RequestsSent);
    }

    [Fact]
    public void A_forged_answer_from_elsewhere_is_counted_and_ignored()
    {
        var scene = new ProbeScene(NatOptions.FullCone, isFast: true);
        scene.AddServer("198.51.100.1:3478");
        scene.ForgeAnswersFrom("198.51.100.66:3478", mapped: "203.0.113.66:6666");

        var result = scene.Measure();

        Assert.Equal((3, "203.0.113.1"), (result.ForeignResponses, result.External.AddressText));
    }

    private static NatMeasurement Measure(NatOptions? nat, int seed = 1, double loss = 0)
    {
        var scene = new ProbeScene(nat, seed: seed, loss: loss);
        scene.AddServer("198.51.100.1:3478", "198.51.100.2:3479");
        scene.AddServer("198.51.100.7:3478");
        return scene.Measure();
    }

    private static EndpointDependence Words(NatMapping mapping) => mapping switch
    {
        NatMapping.EndpointIndependent => Independent,
        NatMapping.AddressDependent => Address,
        _ => AddressAndPort,
    };

    private static EndpointDependence Words(NatFiltering filtering) => filtering switch
    {
        NatFiltering.EndpointIndependent => Independent,
        NatFiltering.AddressDependent => Address,
        _ => AddressAndPort,
    };
}
