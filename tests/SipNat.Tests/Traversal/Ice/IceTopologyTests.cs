using SipNat.Simulation;
using SipNat.Simulation.Ice.Topologies;
using SipNat.Wire;

namespace SipNat.Tests.Traversal.Ice;

/// <summary>Agents in topologies that are drawn at random, against an oracle that knows the routers and nothing of ICE.</summary>
public sealed class IceTopologyTests
{
    private const int Count = 2000;

    [Fact]
    public void Agents_connect_exactly_where_the_routers_allow_it_by_the_best_kind_of_path_and_heal_after_restarts()
    {
        var wrong = new List<string>();
        for (var seed = 1; seed <= Count; seed++)
        {
            var result = IceTopologyRun.Run(IceTopologyDraw.Draw(seed));
            if (!result.IsRight) wrong.Add(result.Describe());
        }

        Assert.Empty(wrong);
    }

    // Found by longer runs, before the agent was mended.
    [Theory]
    [InlineData(2204)] // Checks that bring forth checks kept the second component waiting.
    [InlineData(10702)] // A relay that was reached late was given up before it was nominated.
    [InlineData(13631)] // One side failed while the other's checks still came.
    [InlineData(33001)] // The ports that one NAT revealed without end left no room for the address of the one that mattered.
    [InlineData(1068)] // A path through a firewall for IPv6 was taken before the direct one over IPv4 was tried.
    [InlineData(14877)] // A late answer by a relay put a path in doubt that had answered since, and three lost checks ended it.
    [InlineData(1103314)] // After a restart one side gave up beside a valid pair, as the path of before was still in use.
    [InlineData(870687)] // Looked at while one side had lost consent by chance and the other had not.
    [InlineData(156648)] // Every check of the better pair was lost while a relay was waited with.
    [InlineData(205109)]
    [InlineData(682069)]
    [InlineData(224036)] // The better pair's answer was held up for longer than two round trips of the first one.
    public void What_went_wrong_once_is_right(int seed)
    {
        var result = IceTopologyRun.Run(IceTopologyDraw.Draw(seed));

        Assert.True(result.IsRight, result.Describe());
    }

    [Fact]
    public void The_same_seed_gives_the_same_topology_and_the_same_packets()
    {
        var (one, other) = (IceTopologyRun.Run(IceTopologyDraw.Draw(17)), IceTopologyRun.Run(IceTopologyDraw.Draw(17)));

        Assert.Equal(one.Topology.ToString(), other.Topology.ToString());
        Assert.Equal((one.Packets, one.SlowestConnection), (other.Packets, other.SlowestConnection));
    }

    // What RFC 4787 and RFC 5128 §3 say of two hosts behind NATs of their own, without a relay.
    [Theory]
    [InlineData(NatMapping.EndpointIndependent, NatFiltering.EndpointIndependent, NatMapping.AddressAndPortDependent, NatFiltering.AddressAndPortDependent, PathClass.Translated)]
    [InlineData(NatMapping.EndpointIndependent, NatFiltering.AddressDependent, NatMapping.AddressAndPortDependent, NatFiltering.AddressAndPortDependent, PathClass.Translated)]
    [InlineData(NatMapping.EndpointIndependent, NatFiltering.AddressAndPortDependent, NatMapping.EndpointIndependent, NatFiltering.AddressAndPortDependent, PathClass.Translated)]
    [InlineData(NatMapping.EndpointIndependent, NatFiltering.AddressAndPortDependent, NatMapping.AddressAndPortDependent, NatFiltering.AddressAndPortDependent, PathClass.None)]
    [InlineData(NatMapping.AddressAndPortDependent, NatFiltering.AddressAndPortDependent, NatMapping.AddressAndPortDependent, NatFiltering.AddressAndPortDependent, PathClass.None)]
    [InlineData(NatMapping.AddressAndPortDependent, NatFiltering.AddressDependent, NatMapping.AddressAndPortDependent, NatFiltering.AddressDependent, PathClass.None)]
    public void The_oracle_knows_what_the_RFCs_say_of_two_NATs(
        NatMapping leftMapping, NatFiltering leftFiltering, NatMapping rightMapping, NatFiltering rightFiltering, PathClass expected)
    {
        RouterPlan[] routers = [Router("203.0.113.10", leftMapping, leftFiltering), Router("203.0.113.11", rightMapping, rightFiltering)];

        Assert.Equal(expected, Best(routers, Host(0), Host(1)));
        Assert.Equal(expected, Best(routers, Host(1), Host(0)));
    }

    [Theory]
    [InlineData(true, PathClass.Translated)]
    [InlineData(false, PathClass.None)]
    public void Behind_a_carriers_NAT_two_homes_meet_where_it_hairpins(bool hairpins, PathClass expected)
    {
        RouterPlan[] routers =
        [
            new(null, TransportAddress.Parse("203.0.113.10"), new() { Hairpin = hairpins }),
            new(0, TransportAddress.Parse("100.64.0.11"), new()),
            new(0, TransportAddress.Parse("100.64.0.12"), new()),
        ];

        Assert.Equal(expected, Best(routers, Host(1), Host(2)));
    }

    [Fact]
    public void In_one_network_and_between_open_hosts_the_hosts_own_addresses_are_enough()
    {
        RouterPlan[] routers = [Router("203.0.113.10", NatMapping.AddressAndPortDependent, NatFiltering.AddressAndPortDependent)];
        var neighbour = new HostPlan(new(TransportAddress.Parse("192.168.1.101"), 0), null);
        var (one, other) = (Open("203.0.113.100"), Open("203.0.113.101"));

        Assert.Equal(PathClass.Own, Best(routers, Host(0), neighbour));
        Assert.Equal(PathClass.Own, Best(routers, one, other));
        Assert.Equal(PathClass.Translated, Best(routers, Host(0), one));
    }

    [Fact]
    public void A_relay_is_enough_on_one_side_and_lends_IPv4_only()
    {
        RouterPlan[] routers = [Router("203.0.113.10", NatMapping.AddressAndPortDependent, NatFiltering.AddressAndPortDependent), Router("203.0.113.11", NatMapping.AddressAndPortDependent, NatFiltering.AddressAndPortDependent)];
        var onlyIPv6 = new HostPlan(null, new(TransportAddress.Parse("2001:db8:2::1"), null));

        Assert.Equal(PathClass.Relayed, Best(routers, Host(0), Host(1), leftHasRelay: true));
        Assert.Equal(PathClass.None, Best(routers, Host(0), onlyIPv6, leftHasRelay: true));
    }

    private static PathClass Best(IReadOnlyList<RouterPlan> routers, HostPlan left, HostPlan right, bool leftHasRelay = false)
    {
        var session = new SessionPlan(0, 1, 1, leftHasRelay, false);
        return ReachabilityOracle.BestOf(new(0, routers, [left, right], [session], new(), null), session);
    }

    private static RouterPlan Router(string external, NatMapping mapping, NatFiltering filtering) =>
        new(null, TransportAddress.Parse(external), new() { Mapping = mapping, Filtering = filtering });

    // Every home uses the same address.
    private static HostPlan Host(int router) => new(new(TransportAddress.Parse("192.168.1.100"), router), null);

    private static HostPlan Open(string address) => new(new(TransportAddress.Parse(address), null), null);
}
