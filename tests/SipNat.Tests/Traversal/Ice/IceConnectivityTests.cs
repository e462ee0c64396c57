using SipNat.Simulation;
using SipNat.Simulation.Ice;
using SipNat.Traversal.Ice;

namespace SipNat.Tests.Traversal.Ice;

/// <summary>Two agents on a simulated internet.</summary>
public sealed class IceConnectivityTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    // Which pairs of NATs let two hosts meet without a relay: by hand, from the mappings and filters of RFC 4787 §4, §5
    // and hole punching as RFC 5128 §3.3 describes it. A symmetric NAT gives every destination another port, which an
    // endpoint behind a filter by ports cannot have sent to.
    private static readonly (string Left, string Right, bool Connects)[] Table =
    [
        ("open", "open", true),
        ("open", "full cone", true),
        ("open", "address-restricted", true),
        ("open", "port-restricted", true),
        ("open", "symmetric", true),
        ("full cone", "full cone", true),
        ("full cone", "address-restricted", true),
        ("full cone", "port-restricted", true),
        ("full cone", "symmetric", true),
        ("address-restricted", "address-restricted", true),
        ("address-restricted", "port-restricted", true),
        ("address-restricted", "symmetric", true),
        ("port-restricted", "port-restricted", true),
        ("port-restricted", "symmetric", false),
        ("symmetric", "symmetric", false),
    ];

    public static TheoryData<string, string, bool, double> Rows
    {
        get
        {
            var rows = new TheoryData<string, string, bool, double>();
            foreach (var (left, right, connects) in Table)
            {
                foreach (var loss in (double[])[0, 0.2])
                {
                    rows.Add(left, right, connects, loss);
                    if (left != right) rows.Add(right, left, connects, loss);
                }
            }

            return rows;
        }
    }

    [Theory]
    [MemberData(nameof(Rows))]
    public void Two_NATs_connect_without_a_relay_where_the_RFCs_say_so(string left, string right, bool connects, double loss)
    {
        var scene = new IceScene(seed: 11, NatOf(left), NatOf(right), new() { Components = 2 });
        scene.Gather();
        (scene.Network.Loss, scene.Network.Duplication, scene.Network.Jitter) = (loss, loss / 2, TimeSpan.FromMilliseconds(loss * 200));
        scene.Exchange();

        Assert.Equal(connects, scene.Connects(Limit));
        if (!connects) Assert.IsType<IceEvent.Failed>(scene.Left.Events[^1]);
        scene.Network.AssertNothingRented();
    }

    [Theory]
    [MemberData(nameof(Rows))]
    public void With_a_relay_all_connect_and_use_it_only_where_they_must(string left, string right, bool connects, double loss)
    {
        var scene = new IceScene(seed: 12, NatOf(left), NatOf(right), hasRelay: true);
        scene.Gather();
        scene.Network.Loss = loss;
        scene.Exchange();

        Assert.True(scene.Connects(Limit));
        Assert.Equal(!connects, scene.Left.Agent.PathOf(1)!.IsRelayed);
        Assert.Equal(!connects, scene.Right.Agent.PathOf(1)!.IsRelayed);
    }

    [Fact]
    public void A_path_is_valid_after_one_round_trip_and_nominated_after_two_and_the_pace() // RFC 8445 §12.1, §14.2
    {
        var scene = new IceScene(seed: 1, left: null, right: null);
        scene.Gather();
        var start = scene.Network.Now;
        scene.Exchange();
        Assert.True(scene.Connects(Limit));

        // 10 ms each way; the second check leaves 50 ms after the first.
        Assert.Equal(
            ["20 PathChanged", "70 Connected"],
            scene.Left.Events.Select(happened => $"{(happened.At - start).TotalMilliseconds} {happened.GetType().Name}"));
        Assert.Equal(
            ["20 PathChanged", "60 Connected"],
            scene.Right.Events.Select(happened => $"{(happened.At - start).TotalMilliseconds} {happened.GetType().Name}"));
    }

    [Fact]
    public void Both_sides_end_on_the_same_pair()
    {
        var scene = new IceScene(seed: 3, NatOptions.PortRestricted, NatOptions.FullCone, new() { Components = 2 });
        Assert.True(scene.Run(Limit));

        for (var component = 1; component <= 2; component++)
        {
            var (left, right) = (scene.Left.Agent.PathOf(component)!, scene.Right.Agent.PathOf(component)!);
            Assert.Equal((left.Local.Address, left.Remote), (right.Remote, right.Local.Address));
            Assert.True(left.IsNominated && right.IsNominated);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Two_controlling_agents_agree_who_is_controlled(int seed)
    {
        var scene = new IceScene(seed, NatOptions.PortRestricted, right: null, rightRole: IceRole.Controlling);

        Assert.True(scene.Run(Limit));
        Assert.NotEqual(scene.Left.Agent.Role, scene.Right.Agent.Role);
        Assert.Single(scene.Left.Events.Concat(scene.Right.Events).OfType<IceEvent.RoleChanged>());
    }

    [Fact]
    public void Consent_is_lost_within_thirty_seconds_and_a_restart_heals_it()
    {
        var scene = new IceScene(seed: 5, NatOptions.PortRestricted, NatOptions.PortRestricted);
        Assert.True(scene.Run(Limit));
        scene.Network.RunFor(TimeSpan.FromMinutes(10));
        Assert.True(scene.AreConnected);

        var cut = scene.Network.Now;
        scene.RightNat!.Reboot();
        scene.Network.RunFor(TimeSpan.FromSeconds(31));

        var lost = Assert.Single(scene.Left.Events.OfType<IceEvent.ConsentLost>());
        Assert.InRange((lost.At - cut).TotalSeconds, 23, 30);
        Assert.Null(scene.Left.Agent.PathOf(1));
        Assert.Equal(IceState.Disconnected, scene.Left.Agent.State);

        scene.Network.RunFor(TimeSpan.FromSeconds(60));
        scene.Restart();
        Assert.True(scene.Connects(Limit));
        Assert.NotNull(scene.Left.Agent.PathOf(1));
    }

    [Fact]
    public void Where_media_fell_silent_a_dead_path_is_known_after_a_second_and_a_half()
    {
        var scene = new IceScene(seed: 6, left: null, right: null);
        Assert.True(scene.Run(Limit));
        scene.RightHost.IsConnected = false;
        var silent = scene.Network.Now;
        scene.LeftHost.Run(now => scene.Left.Agent.HandleSilence(now, 1));
        scene.Network.RunFor(TimeSpan.FromSeconds(2));

        Assert.Equal(1.5, (Assert.Single(scene.Left.Events.OfType<IceEvent.ConsentLost>()).At - silent).TotalSeconds);
    }

    [Fact]
    public void Where_media_fell_silent_a_path_that_lives_stays()
    {
        var scene = new IceScene(seed: 6, left: null, right: null);
        Assert.True(scene.Run(Limit));
        scene.LeftHost.Run(now => scene.Left.Agent.HandleSilence(now, 1));
        scene.Network.RunFor(TimeSpan.FromMinutes(1));

        Assert.True(scene.AreConnected);
    }

    [Fact]
    public void A_restart_keeps_the_path_until_there_is_another()
    {
        var scene = new IceScene(seed: 7, NatOptions.PortRestricted, right: null);
        Assert.True(scene.Run(Limit));
        var before = scene.Left.Agent.PathOf(1);

        scene.Restart();
        Assert.Same(before, scene.Left.Agent.PathOf(1));
        Assert.True(scene.Connects(Limit));
        Assert.NotSame(before, scene.Left.Agent.PathOf(1));
    }

    [Fact]
    public void A_relay_only_agent_tells_and_uses_nothing_else()
    {
        var scene = new IceScene(seed: 8, NatOptions.PortRestricted, right: null, new() { IsRelayOnly = true }, hasRelay: true);
        Assert.True(scene.Run(Limit));

        var told = Assert.Single(scene.Left.Agent.Describe().Candidates);
        Assert.Equal(CandidateType.Relayed, told.Type);
        Assert.True(told.Related.IsNone);
        Assert.True(scene.Left.Agent.PathOf(1)!.IsRelayed);
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public void A_lite_agent_on_the_internet_connects_with_a_full_one_and_with_a_lite_one(bool isLeftLite, bool isRightLite)
    {
        var scene = new IceScene(
            seed: 9, left: null, right: null, new() { Components = 2, IsLite = isLeftLite }, rightOptions: new() { Components = 2, IsLite = isRightLite });

        Assert.True(scene.Run(Limit));
        for (var component = 1; component <= 2; component++)
        {
            Assert.Equal(scene.Left.Agent.PathOf(component)!.Local.Address, scene.Right.Agent.PathOf(component)!.Remote);
        }

        scene.Network.RunFor(TimeSpan.FromMinutes(5));
        Assert.True(scene.AreConnected);
    }

    [Fact]
    public void Candidates_that_come_later_are_checked_too()
    {
        var scene = new IceScene(seed: 10, NatOptions.PortRestricted, NatOptions.AddressRestricted)
        {
            OnTheWay = description => description with { Candidates = [], IsComplete = false, Options = ["ice2", "trickle"] },
        };
        scene.Gather();
        var (left, right) = (scene.Left.Agent.Describe(), scene.Right.Agent.Describe());
        scene.Exchange();
        Assert.False(scene.Connects(TimeSpan.FromSeconds(5)));

        foreach (var candidate in right.Candidates) scene.LeftHost.Run(now => scene.Left.Agent.AddRemoteCandidate(now, candidate));
        foreach (var candidate in left.Candidates) scene.RightHost.Run(now => scene.Right.Agent.AddRemoteCandidate(now, candidate));

        Assert.True(scene.Connects(TimeSpan.FromSeconds(3)));
    }

    [Fact]
    public void When_RTCP_shares_the_port_one_component_is_enough()
    {
        var scene = new IceScene(seed: 13, NatOptions.PortRestricted, NatOptions.PortRestricted, new() { Components = 2 });
        scene.Gather();
        scene.LeftHost.Run(scene.Left.Agent.MultiplexRtcp);
        scene.RightHost.Run(scene.Right.Agent.MultiplexRtcp);
        scene.Exchange();

        Assert.True(scene.Connects(Limit));
        Assert.NotNull(scene.Left.Agent.PathOf(1));
        Assert.Null(scene.Left.Agent.PathOf(2));
    }

    [Fact]
    public void A_path_through_NATs_that_forget_in_thirty_seconds_lives_a_day_of_silence()
    {
        var forgetful = NatOptions.PortRestricted with { EstablishedLifetime = TimeSpan.FromSeconds(30) };
        var scene = new IceScene(seed: 14, forgetful, forgetful);
        Assert.True(scene.Run(Limit));
        var path = scene.Left.Agent.PathOf(1);

        scene.Network.RunFor(TimeSpan.FromHours(24));

        Assert.True(scene.AreConnected);
        Assert.Same(path, scene.Left.Agent.PathOf(1));
    }

    private static NatOptions? NatOf(string kind) => kind switch
    {
        "full cone" => NatOptions.FullCone,
        "address-restricted" => NatOptions.AddressRestricted,
        "port-restricted" => NatOptions.PortRestricted,
        "symmetric" => NatOptions.Symmetric,
        _ => null,
    };
}
