using System.Net.Sockets;
using SipNat.Simulation.Turn;
using SipNat.Traversal.Stun;
using SipNat.Traversal.Turn;
using SipNat.Wire;

namespace SipNat.Tests.Traversal.Turn;

/// <summary>What each error code of RFC 8656 §7.4, §10.4 and §12.3 leads to.</summary>
public sealed class TurnErrorTests
{
    [Theory]
    [InlineData(400, "request and answer do not fit (400)", false)]
    [InlineData(403, "forbidden (403)", false)]
    [InlineData(420, "request and answer do not fit (420)", false)]
    [InlineData(440, "no address of this family (440)", false)]
    [InlineData(441, "the username or password is wrong (441)", false)]
    [InlineData(442, "it does not relay UDP (442)", false)]
    [InlineData(486, "its capacity is used up (486)", true)]
    [InlineData(500, "an error of the server (500)", true)]
    [InlineData(508, "its capacity is used up (508)", true)]
    [InlineData(699, "request and answer do not fit (699)", false)]
    public void A_refused_allocation_is_told_and_asked_for_again_where_that_helps(int code, string text, bool isAskedAgain)
    {
        var scene = new TurnScene();
        scene.Turn.Error = method => method is StunMethod.Allocate ? code : 0;

        scene.Run(59);
        Assert.Equal([$"0.04 TURN server {TurnScene.Server} gives no relay: {text}."], scene.Client.Events);

        scene.Turn.Error = static _ => 0;
        scene.Run(2);
        Assert.Equal(isAskedAgain, scene.Allocation.Relayed is not null);
        Assert.Equal(isAskedAgain, scene.Allocation.Deadline is not null);
    }

    [Fact]
    public void A_wrong_password_is_tried_once() // 401
    {
        var scene = new TurnScene(options: TurnScene.Options with { Credentials = new("user", "wrong") });

        scene.Run(100);

        Assert.Equal([401, 401], scene.CodesOf(StunMethod.Allocate));
        Assert.Equal([$"0.04 TURN server {TurnScene.Server} gives no relay: the username or password is wrong (401)."], scene.Client.Events);
    }

    [Fact]
    public void Without_credentials_a_challenge_is_the_end()
    {
        var scene = new TurnScene(options: TurnScene.Options with { Credentials = null });

        scene.Run(100);

        Assert.Equal([401], scene.CodesOf(StunMethod.Allocate));
        Assert.Null(scene.Allocation.Deadline);
    }

    [Fact]
    public void The_server_has_no_ipv6() // 440, REQUESTED-ADDRESS-FAMILY
    {
        var scene = new TurnScene(options: TurnScene.Options with { RelayedFamily = AddressFamily.InterNetworkV6 });

        scene.Run(1);

        Assert.Equal([$"0.04 TURN server {TurnScene.Server} gives no relay: no address of this family (440)."], scene.Client.Events);
    }

    [Fact]
    public void An_allocation_that_was_forgotten_here_is_ended_and_made_anew() // 437 to Allocate
    {
        var scene = new TurnScene();
        scene.Run(1);
        var first = scene.Relayed;

        scene.Do(scene.Client.StartOver);
        scene.Run(1);

        Assert.Equal([401, 0, 401, 437, 0], scene.CodesOf(StunMethod.Allocate));
        Assert.Equal([0], scene.CodesOf(StunMethod.Refresh));
        Assert.NotEqual(first, scene.Relayed);
        Assert.Equal(1, scene.Turn.AllocationCount);
    }

    [Fact]
    public void An_allocation_of_somebody_else_at_our_address_is_told() // 437 to Allocate, 441 to the Refresh that would end it
    {
        var scene = new TurnScene();
        scene.Turn.Error = static method => method is StunMethod.Allocate ? 437 : 441;

        scene.Run(1);

        Assert.Equal([$"0.06 TURN server {TurnScene.Server} gives no relay: it has an allocation of this address already (437)."], scene.Client.Events);
    }

    [Theory]
    [InlineData(437, TurnLoss.Unknown)]
    [InlineData(441, TurnLoss.Refused)]
    [InlineData(500, TurnLoss.Refused)]
    public void A_refused_refresh_is_a_loss_and_leads_to_a_new_allocation(int code, TurnLoss reason)
    {
        var scene = new TurnScene();
        scene.Run(1);
        var lost = 0;
        scene.Turn.Error = method => method is StunMethod.Refresh && lost++ == 0 ? code : 0;

        scene.Run(545);

        Assert.Contains(" is lost: ", scene.Client.Events[1], StringComparison.Ordinal);
        Assert.Contains(reason is TurnLoss.Unknown ? "does not know" : "did not refresh", scene.Client.Events[1], StringComparison.Ordinal);
        Assert.NotNull(scene.Allocation.Relayed);
    }

    [Theory]
    [InlineData(403)]
    [InlineData(443)]
    public void A_peer_that_the_server_does_not_want_is_told_and_not_asked_for_again(int code)
    {
        var scene = new TurnScene();
        scene.Run(1);
        scene.Turn.Error = method => method is StunMethod.CreatePermission ? code : 0;

        scene.Permit();
        scene.Run(500);

        Assert.Equal($"1.02 The TURN server does not relay for {TurnScene.Peer.WithPort(0)} ({code}).", scene.Client.Events[^1]);
        Assert.Equal([code], scene.CodesOf(StunMethod.CreatePermission));
        Assert.False(scene.Allocation.TrySend(scene.Network.Now, TurnScene.Peer, []));
    }

    [Theory]
    [InlineData(486)]
    [InlineData(500)]
    [InlineData(508)]
    public void A_server_without_room_for_a_permission_is_asked_again_after_ten_seconds(int code)
    {
        var scene = new TurnScene();
        scene.Run(1);
        scene.Turn.Error = method => method is StunMethod.CreatePermission ? code : 0;

        scene.Permit();
        scene.Turn.Error = static _ => 0;
        scene.Run(10);

        Assert.Equal([code, 0], scene.CodesOf(StunMethod.CreatePermission));
        Assert.Single(scene.Send("hello"));
    }

    [Fact]
    public void Without_a_channel_packets_go_as_indications() // 400 to ChannelBind
    {
        var scene = new TurnScene();
        scene.Run(1);
        scene.Turn.Error = static method => method is StunMethod.ChannelBind ? 400 : 0;

        scene.Permit(withChannel: true);

        Assert.Single(scene.Send("hello"));
        Assert.Equal((0, 1), scene.Turn.Relayed);
    }

    [Fact]
    public void A_server_that_names_another_one_is_left_for_it() // 300
    {
        var scene = new TurnScene();
        var other = SimulatedTurnServer.AddTo(scene.Network, "198.51.100.2:3478");
        scene.Turn.Alternate = TransportAddress.Parse("198.51.100.2:3478");

        scene.Run(1);

        Assert.Equal((0, 1), (scene.Turn.AllocationCount, other.AllocationCount));
        Assert.Equal(scene.Turn.Alternate, scene.Allocation.Server);
        Assert.Single(scene.Client.Events);
    }

    [Fact]
    public void Over_tcp_the_other_server_gets_a_connection_of_its_own()
    {
        var scene = new TurnScene(options: TurnScene.Options with { Transport = TransportProtocol.Tcp });
        var other = SimulatedTurnServer.AddTo(scene.Network, "198.51.100.2:3478");
        scene.Turn.Alternate = TransportAddress.Parse("198.51.100.2:3478");

        scene.Run(1);

        Assert.Equal(1, other.AllocationCount);
        Assert.Equal(TurnAllocationState.Allocated, scene.Allocation.State);
    }

    [Fact]
    public void Servers_that_name_each_other_are_left_alone_for_a_minute()
    {
        var scene = new TurnScene();
        var other = SimulatedTurnServer.AddTo(scene.Network, "198.51.100.2:3478");
        (scene.Turn.Alternate, other.Alternate) = (TransportAddress.Parse("198.51.100.2:3478"), TurnScene.Server);

        scene.Run(2);

        Assert.Equal(["0.08 TURN server 198.51.100.2:3478 gives no relay: it names another server without end (300)."], scene.Client.Events);
        Assert.Equal((2, 2), (scene.Turn.Answers.Count, other.Answers.Count));
    }
}
