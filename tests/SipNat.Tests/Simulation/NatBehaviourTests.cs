using SipNat.Simulation;
using SipNat.Wire;

namespace SipNat.Tests.Simulation;

public sealed class NatBehaviourTests
{
    // RFC 4787 §4.1: is the mapping that A1 saw used again for another port, and for another address?
    public static TheoryData<NatMapping, bool, bool> Mappings => new()
    {
        { NatMapping.EndpointIndependent, true, true },
        { NatMapping.AddressDependent, true, false },
        { NatMapping.AddressAndPortDependent, false, false },
    };

    // RFC 4787 §5: after sending to A1 alone, who of A1, A2 (another port) and B1 (another address) gets in?
    public static TheoryData<NatMapping, NatFiltering, bool, bool, bool> Filters => new()
    {
        { NatMapping.EndpointIndependent, NatFiltering.EndpointIndependent, true, true, true },
        { NatMapping.EndpointIndependent, NatFiltering.AddressDependent, true, true, false },
        { NatMapping.EndpointIndependent, NatFiltering.AddressAndPortDependent, true, false, false },
        { NatMapping.AddressDependent, NatFiltering.EndpointIndependent, true, true, true },
        { NatMapping.AddressDependent, NatFiltering.AddressDependent, true, true, false },
        { NatMapping.AddressDependent, NatFiltering.AddressAndPortDependent, true, false, false },
        { NatMapping.AddressAndPortDependent, NatFiltering.EndpointIndependent, true, true, true },
        { NatMapping.AddressAndPortDependent, NatFiltering.AddressDependent, true, true, false },
        { NatMapping.AddressAndPortDependent, NatFiltering.AddressAndPortDependent, true, false, false },
    };

    [Theory]
    [MemberData(nameof(Mappings))]
    public void A_mapping_is_reused_as_far_as_its_behaviour_says(NatMapping mapping, bool forAnotherPort, bool forAnotherAddress)
    {
        foreach (var assignment in Enum.GetValues<PortAssignment>())
        {
            var scene = new NatScene(new() { Mapping = mapping, PortAssignment = assignment });

            var seenByA1 = scene.Send(NatScene.A1);
            var seenByA2 = scene.Send(NatScene.A2);
            var seenByB1 = scene.Send(NatScene.B1);

            Assert.Equal("203.0.113.1", seenByA1.AddressText);
            Assert.Equal((forAnotherPort, forAnotherAddress), (seenByA2 == seenByA1, seenByB1 == seenByA1));
            Assert.Equal(seenByA1, scene.Send(NatScene.A1));
        }
    }

    [Theory]
    [MemberData(nameof(Filters))]
    public void A_filter_lets_in_whom_its_behaviour_says(NatMapping mapping, NatFiltering filtering, bool a1, bool a2, bool b1)
    {
        var scene = new NatScene(new() { Mapping = mapping, Filtering = filtering });

        var external = scene.Send(NatScene.A1);

        Assert.Equal((a1, a2, b1), (scene.Reaches(NatScene.A1, external), scene.Reaches(NatScene.A2, external), scene.Reaches(NatScene.B1, external)));
        Assert.Equal(new[] { a1, a2, b1 }.Count(passes => !passes), scene.Network.CountDropped(DropReason.Filtered));
    }

    [Fact]
    public void Nobody_gets_in_without_a_mapping()
    {
        var scene = new NatScene(NatOptions.FullCone);

        Assert.False(scene.Reaches(NatScene.A1, TransportAddress.Parse("203.0.113.1:4000")));
        Assert.Equal(1, scene.Network.CountDropped(DropReason.NoMapping));
        Assert.Equal(0, scene.ClientHost.PacketsReceived);
    }

    [Fact]
    public void A_fresh_mapping_dies_after_its_lifetime_and_an_established_one_after_the_longer_one()
    {
        var scene = new NatScene(NatOptions.FullCone with { FreshLifetime = TimeSpan.FromSeconds(30), EstablishedLifetime = TimeSpan.FromSeconds(120) });

        var external = scene.Send(NatScene.A1);
        scene.Network.RunFor(TimeSpan.FromSeconds(29));
        Assert.True(scene.Reaches(NatScene.A1, external));
        scene.Network.RunFor(TimeSpan.FromSeconds(1));
        Assert.False(scene.Reaches(NatScene.A1, external));

        external = scene.Send(NatScene.A1);
        Assert.True(scene.Reaches(NatScene.A1, external));
        scene.Send(NatScene.A1);
        scene.Network.RunFor(TimeSpan.FromSeconds(119));
        Assert.True(scene.Reaches(NatScene.A1, external));
        scene.Network.RunFor(TimeSpan.FromSeconds(1));
        Assert.False(scene.Reaches(NatScene.A1, external));
        Assert.Equal(0, scene.Nat.CountMappings());
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, true)]
    public void Inbound_packets_keep_a_mapping_alive_only_where_the_nat_refreshes_by_them(bool refreshes, bool isAliveAfterwards)
    {
        var scene = new NatScene(new() { RefreshOnInbound = refreshes, EstablishedLifetime = TimeSpan.FromSeconds(60) });
        var external = scene.Send(NatScene.A1);
        var alive = true;

        for (var i = 0; i < 5; i++)
        {
            scene.Network.RunFor(TimeSpan.FromSeconds(20));
            alive = scene.Reaches(NatScene.A1, external);
        }

        Assert.Equal(isAliveAfterwards, alive);
    }

    [Fact]
    public void A_filter_entry_dies_by_itself_while_the_mapping_lives_on()
    {
        var scene = new NatScene(NatOptions.PortRestricted);
        var external = scene.Send(NatScene.A1);

        scene.Network.RunFor(TimeSpan.FromSeconds(20));
        scene.Send(NatScene.B1);
        scene.Network.RunFor(TimeSpan.FromSeconds(20));

        Assert.False(scene.Reaches(NatScene.A1, external));
        Assert.True(scene.Reaches(NatScene.B1, external));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Two_hosts_of_one_lan_meet_at_the_external_address_only_where_the_nat_hairpins(bool hairpin)
    {
        var scene = new NatScene(NatOptions.FullCone with { Hairpin = hairpin });
        var other = new DatagramProbe();
        var otherHost = scene.Network.AddHost("192.168.1.11:4001", other, scene.Nat);
        var external = scene.Send(NatScene.A1);

        otherHost.Run(_ => other.Send(other.Changes[0].Flow, external, "hairpin"));
        scene.Network.RunFor(TimeSpan.FromSeconds(1));

        Assert.Equal(hairpin ? 1 : 0, scene.Client.Received.Count);
        Assert.Equal(hairpin ? 0 : 1, scene.Network.CountDropped(DropReason.HairpinRefused));
        // RFC 4787 REQ-9a: the source is the external one.
        if (hairpin) Assert.Equal(TransportAddress.Parse("203.0.113.1:4001"), scene.Client.Received[0].From);
    }

    [Fact]
    public void A_forward_lets_anybody_in_and_answers_leave_from_the_forwarded_port_even_behind_a_symmetric_nat()
    {
        var scene = new NatScene(NatOptions.Symmetric);
        scene.Nat.Forward(4000, "192.168.1.10:4000", count: 10);
        var forwarded = TransportAddress.Parse("203.0.113.1:4000");

        Assert.True(scene.Reaches(NatScene.A1, forwarded));
        Assert.Equal(forwarded, scene.Send(NatScene.A1));
        Assert.NotEqual(forwarded, scene.Send(NatScene.B1));
    }

    [Fact]
    public void A_forwarded_host_behind_an_endpoint_independent_nat_always_shows_the_forwarded_port()
    {
        var scene = new NatScene(NatOptions.PortRestricted);
        scene.Nat.Forward(15000, "192.168.1.10:4000");

        Assert.Equal(TransportAddress.Parse("203.0.113.1:15000"), scene.Send(NatScene.A1));
        Assert.True(scene.Reaches(NatScene.B1, TransportAddress.Parse("203.0.113.1:15000")));
    }

    [Fact]
    public void A_renumbered_nat_forgets_its_mappings_and_shows_its_other_address()
    {
        var scene = new NatScene(NatOptions.FullCone);
        var before = scene.Send(NatScene.A1);

        scene.Nat.Renumber("203.0.113.99");

        Assert.False(scene.Reaches(NatScene.A1, before));
        Assert.Equal(1, scene.Network.CountDropped(DropReason.Unroutable));
        Assert.Equal(TransportAddress.Parse("203.0.113.99:4000"), scene.Send(NatScene.A1));
    }

    [Fact]
    public void A_restarted_nat_is_silent_for_a_while_and_then_maps_to_another_port()
    {
        var scene = new NatScene(NatOptions.PortRestricted);
        var before = scene.Send(NatScene.A1);

        scene.Nat.Reboot(TimeSpan.FromSeconds(20));
        Assert.True(scene.Send(NatScene.A1).IsNone);
        scene.Network.RunFor(TimeSpan.FromSeconds(20));
        var after = scene.Send(NatScene.A1);

        Assert.Equal(TransportAddress.Parse("203.0.113.1:4001"), after);
        Assert.False(scene.Reaches(NatScene.A1, before));
        Assert.True(scene.Reaches(NatScene.A1, after));
        Assert.Equal(1, scene.Network.CountDropped(DropReason.NatDown));
    }

    [Fact]
    public void Large_datagrams_are_dropped_where_the_nat_drops_fragments()
    {
        var scene = new NatScene(new() { DropsFragmentsOut = true });

        scene.ClientHost.Run(_ => scene.Client.Send(scene.ClientFlow, NatScene.A1, new string('x', 1472)));
        scene.ClientHost.Run(_ => scene.Client.Send(scene.ClientFlow, NatScene.A1, new string('x', 1473)));
        scene.Network.RunFor(TimeSpan.FromSeconds(1));

        Assert.Equal((1, 1), (scene.Network.DeliveredCount, scene.Network.CountDropped(DropReason.FragmentRefused)));
    }

    [Fact]
    public void Looking_at_a_mapping_does_not_refresh_it()
    {
        var scene = new NatScene(NatOptions.PortRestricted);
        var source = TransportAddress.Parse("192.168.1.10:4000");
        var external = scene.Send(NatScene.A1);

        Assert.Equal(external, scene.Nat.ExternalOf(source, NatScene.A1));
        scene.Network.RunFor(TimeSpan.FromSeconds(15));
        Assert.Equal(external, scene.Nat.ExternalOf(source, NatScene.A1));
        scene.Network.RunFor(TimeSpan.FromSeconds(15));
        Assert.True(scene.Nat.ExternalOf(source, NatScene.A1).IsNone);
    }
}
