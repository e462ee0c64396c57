using SipNat.Traversal.Stun;
using SipNat.Traversal.Turn;
using SipNat.Wire;

namespace SipNat.Tests.Traversal.Turn;

public sealed class TurnRelayTests
{
    [Fact]
    public void An_allocation_takes_two_round_trips_and_tells_where_it_relays()
    {
        var scene = new TurnScene();

        scene.Run(1);

        var mapped = scene.Allocation.Mapped;
        Assert.Equal([$"0.04 TURN server {TurnScene.Server} relays at 198.51.100.1:49152 for 600 s and sees us as {mapped}."], scene.Client.Events);
        Assert.Equal("203.0.113.1", mapped!.Value.AddressText);
        Assert.Equal([401, 0], scene.CodesOf(StunMethod.Allocate));
        scene.Network.AssertNothingRented();
    }

    [Theory]
    [InlineData(false, TransportProtocol.Udp)]
    [InlineData(true, TransportProtocol.Udp)]
    [InlineData(false, TransportProtocol.Tcp)]
    [InlineData(true, TransportProtocol.Tcp)]
    public void Packets_of_every_length_pass_both_ways(bool withChannel, TransportProtocol transport)
    {
        var scene = new TurnScene(options: TurnScene.Options with { Transport = transport });
        scene.Run(1);
        scene.Permit(withChannel);

        foreach (var text in (string[])["", "a", "ab", "abc", "abcd", new('x', 1200)])
        {
            Assert.Equal([$"{scene.Relayed} {text}"], scene.Send(text));
            scene.Answer(text);
            Assert.Equal($"{TurnScene.Peer} {text}", scene.Client.Received[^1]);
        }

        Assert.Equal(withChannel ? (6, 0) : (0, 6), scene.Turn.Relayed);
        Assert.Equal(0, scene.Allocation.Discarded);
        scene.Network.AssertNothingRented();
    }

    [Theory]
    [InlineData(0.0)]
    [InlineData(0.2)]
    public void Two_hosts_behind_symmetric_nats_reach_each_other_by_their_relays(double loss)
    {
        var scene = new TurnScene(seed: 5);
        scene.Network.Loss = loss;
        var (left, leftHost) = (scene.Client, scene.ClientHost);
        var (right, rightHost) = scene.AddClient("10.0.0.10", "203.0.113.2", TurnScene.Options, seed: 2);
        Assert.True(scene.Network.RunUntil(() => left.Allocation.Relayed is not null && right.Allocation.Relayed is not null, TimeSpan.FromSeconds(30)));

        var (toRight, toLeft) = (right.Allocation.Relayed!.Value, left.Allocation.Relayed!.Value);
        scene.Do(leftHost, left, now => left.Allocation.Bind(now, toRight));
        scene.Do(rightHost, right, now => right.Allocation.Bind(now, toLeft));
        scene.Run(20);
        scene.Network.Loss = 0;
        scene.Do(leftHost, left, now => left.Send(now, toRight, "ping"));
        scene.Do(rightHost, right, now => right.Send(now, toLeft, "pong"));
        scene.Run(1);

        Assert.Equal([$"{toLeft} ping"], right.Received);
        Assert.Equal([$"{toRight} pong"], left.Received);
        scene.Network.AssertNothingRented();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_allocation_and_its_peer_are_kept_for_an_hour(bool withChannel)
    {
        var scene = new TurnScene();
        scene.Run(1);
        scene.Permit(withChannel);
        var events = scene.Client.Events.Count;

        for (var minute = 0; minute < 60; minute++)
        {
            scene.Run(60);
            Assert.Single(scene.Send("still here"));
            scene.Answer("and here");
        }

        Assert.Equal(events, scene.Client.Events.Count);
        Assert.Equal(60, scene.Client.Received.Count);
        Assert.Equal(0, scene.Turn.Dropped);
        // 3606 s: permissions every 240 s, channels every 540 s; the server is asked 1.5, 4.5, 10.5, 22.5 and 46.5 s after a packet.
        Assert.Equal(300, scene.CodesOf(StunMethod.Refresh).Count());
        Assert.Equal(withChannel ? 7 : 0, scene.CodesOf(StunMethod.ChannelBind).Count());
        Assert.InRange(scene.CodesOf(StunMethod.CreatePermission).Count(), withChannel ? 12 : 15, 16);
        Assert.All(scene.Turn.Answers.Skip(1), static answer => Assert.Equal(0, answer.Code));
    }

    [Fact]
    public void A_stale_nonce_is_replaced_without_a_word()
    {
        var scene = new TurnScene(new() { NonceLifetime = TimeSpan.FromSeconds(1) });
        scene.Run(1);
        scene.Permit();
        var events = scene.Client.Events.Count;

        scene.Run(3600);

        Assert.Single(scene.Send("still here"));
        Assert.Equal(events, scene.Client.Events.Count);
        Assert.Contains(438, scene.CodesOf(StunMethod.Refresh));
        Assert.Contains(438, scene.CodesOf(StunMethod.CreatePermission));
    }

    [Fact]
    public void A_server_whose_nonces_are_never_fresh_is_given_up()
    {
        var scene = new TurnScene(new() { NonceLifetime = TimeSpan.Zero });

        scene.Run(2);

        Assert.Equal([401, 438, 438, 438, 438], scene.CodesOf(StunMethod.Allocate));
        Assert.Equal([$"0.1 TURN server {TurnScene.Server} gives no relay: the username or password is wrong (401)."], scene.Client.Events);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_server_of_rfc8489_is_spoken_to_with_sha256(bool hidesUsernames)
    {
        var scene = new TurnScene(new() { UsesSha256 = true, HidesUsernames = hidesUsernames, NonceLifetime = TimeSpan.FromSeconds(100) });
        scene.Run(1);
        scene.Permit(withChannel: true);

        scene.Run(700);

        Assert.Single(scene.Send("hello"));
        Assert.Contains(438, scene.CodesOf(StunMethod.Refresh));
    }

    [Fact]
    public void Challenges_from_which_the_algorithms_were_taken_are_not_answered() // RFC 8489 §9.2.5
    {
        var scene = new TurnScene(new() { UsesSha256 = true, StripsAlgorithms = true });

        scene.Run(45);

        Assert.Equal([$"39.5 TURN server {TurnScene.Server} gives no relay: no answer."], scene.Client.Events);
        Assert.Equal(Enumerable.Repeat(401, 7), scene.CodesOf(StunMethod.Allocate));
        Assert.Equal(7, scene.Allocation.Discarded);
    }

    [Fact]
    public void A_restarted_server_is_asked_anew_and_the_peers_with_it()
    {
        var scene = new TurnScene();
        scene.Run(1);
        scene.Permit(withChannel: true);
        var first = scene.Relayed;

        scene.Turn.Restart();
        scene.Run(300);

        var second = scene.Relayed;
        Assert.NotEqual(first, second);
        Assert.Equal([$"{second} again"], scene.Send("again"));
        Assert.Equal(
            [
                $"The relayed address {first} of TURN server {TurnScene.Server} is lost: the server does not know it any more.",
                $"TURN server {TurnScene.Server} relays at {second} for 600 s and sees us as {scene.Allocation.Mapped}.",
                $"The TURN server relays for {TurnScene.Peer.AddressText}.",
                $"Channel 0x4000 is bound to {TurnScene.Peer}.",
            ],
            scene.Client.Events.Skip(3).Select(static text => text[(text.IndexOf(' ', StringComparison.Ordinal) + 1)..]));
        scene.Network.AssertNothingRented();
    }

    [Fact]
    public void A_silent_server_is_lost_and_asked_until_it_is_back()
    {
        var scene = new TurnScene();
        scene.Run(1);
        scene.Permit();

        scene.Turn.IsSilent = true;
        scene.Run(400);
        scene.Turn.Restart();
        scene.Turn.IsSilent = false;
        scene.Run(150);

        Assert.Single(scene.Send("back"));
        Assert.Contains(scene.Client.Events, static text => text.EndsWith("is lost: the server is silent.", StringComparison.Ordinal));
        Assert.Contains(scene.Client.Events, static text => text.EndsWith("gives no relay: no answer.", StringComparison.Ordinal));
    }

    [Fact]
    public void A_suspend_beyond_the_lifetime_ends_in_a_new_allocation()
    {
        var scene = new TurnScene();
        scene.Run(1);
        var allocation = scene.Allocation;
        var now = scene.Network.Now + TimeSpan.FromHours(2);

        allocation.HandleTimeout(now);

        Assert.True(allocation.Deadline > now);
        Assert.Equal(TurnAllocationState.Allocating, allocation.State);
        Assert.True(allocation.TryTake(out var happened));
        Assert.Equal(TurnLoss.Expired, Assert.IsType<TurnEvent.Lost>(happened).Reason);
    }

    [Fact]
    public void What_is_released_is_gone_from_the_server()
    {
        var scene = new TurnScene();
        scene.Run(1);
        var mapped = scene.Relayed;

        scene.Do(scene.Allocation.Release);
        scene.Run(1);

        Assert.Equal(0, scene.Turn.AllocationCount);
        Assert.Equal((TurnAllocationState.Idle, null, null), (scene.Allocation.State, scene.Allocation.Relayed, scene.Allocation.Deadline));
        Assert.EndsWith($"The relay of TURN server {TurnScene.Server} was given back.", scene.Client.Events[^1], StringComparison.Ordinal);
        Assert.False(mapped.IsNone);
    }

    [Fact]
    public void A_forgotten_peers_permission_runs_out_after_five_minutes() // RFC 8656 §9
    {
        var scene = new TurnScene();
        scene.Run(1);
        scene.Permit();

        scene.Do(_ => scene.Allocation.Forget(TurnScene.Peer));
        scene.Run(290);
        Assert.False(scene.Allocation.TrySend(scene.Network.Now, TurnScene.Peer, []));
        scene.Answer("in time for the server, not for us");
        Assert.Equal((0, 1), (scene.Client.Received.Count, scene.Allocation.Discarded));

        scene.Run(20);
        scene.Answer("too late");
        Assert.Equal((1, 1), (scene.Turn.Dropped, scene.Allocation.Discarded));
    }

    [Fact]
    public void Another_port_of_a_forgotten_peers_address_goes_on()
    {
        var scene = new TurnScene();
        scene.Run(1);
        scene.Permit(withChannel: true);
        scene.Do(now => Assert.True(scene.Allocation.Bind(now, TurnScene.Peer.WithPort(9001))));

        scene.Do(_ => scene.Allocation.Forget(TurnScene.Peer.WithPort(9001)));
        scene.Run(700);

        Assert.Single(scene.Send("still here"));
        scene.Answer("and here");
        Assert.Single(scene.Client.Received);
    }

    [Fact]
    public void Nothing_passes_that_comes_from_elsewhere_or_from_nobody_wanted()
    {
        var scene = new TurnScene();
        scene.Run(1);
        scene.Permit(withChannel: true);
        var (now, flow) = (scene.Network.Now, scene.Allocation.Flow);
        byte[] data = [0x40, 0, 0, 2, 1, 2];
        byte[] unbound = [0x40, 1, 0, 2, 1, 2];

        Assert.Equal(TurnInput.Packet, scene.Allocation.TryHandle(now, flow, TurnScene.Server, data, out var packet));
        Assert.Equal((TurnScene.Peer, "0102"), (packet.Peer, Convert.ToHexString(packet.Payload)));
        Assert.Equal(TurnInput.NotMine, scene.Allocation.TryHandle(now, flow, TurnScene.Peer, data, out _));
        Assert.Equal(TurnInput.NotMine, scene.Allocation.TryHandle(now, new(999), TurnScene.Server, data, out _));
        Assert.Equal(TurnInput.Taken, scene.Allocation.TryHandle(now, flow, TurnScene.Server, unbound, out _));
        Assert.Equal(1, scene.Allocation.Discarded);
    }

    [Fact]
    public void Peers_are_capped_and_of_the_relays_family()
    {
        var scene = new TurnScene();
        var now = scene.Network.Now;

        for (var i = 1; i <= 64; i++) Assert.True(scene.Allocation.Bind(now, TransportAddress.Parse($"198.51.100.{i}:9000")));

        Assert.False(scene.Allocation.Permit(now, TransportAddress.Parse("203.0.113.9:1")));
        Assert.True(scene.Allocation.Permit(now, TransportAddress.Parse("198.51.100.64:1")));
        Assert.False(scene.Allocation.Permit(now, TransportAddress.Parse("[2001:db8::1]:1")));
        Assert.False(scene.Allocation.Permit(now, TransportAddress.Parse("0.0.0.0:1")));
        Assert.False(scene.Allocation.Permit(now, TransportAddress.Parse("224.0.0.1:1")));
    }

    [Fact]
    public void A_closed_connection_ends_the_allocation_and_another_one_brings_it_back_with_its_peers()
    {
        var scene = new TurnScene(options: TurnScene.Options with { Transport = TransportProtocol.Tcp });
        scene.Run(1);
        scene.Permit(withChannel: true);
        var first = scene.Relayed;
        scene.ClientHost.Close(scene.Allocation.Flow);
        Assert.Equal(TurnAllocationState.Closed, scene.Allocation.State);

        scene.Client.Connect();
        scene.ClientHost.Run(static _ => { });
        scene.Run(1);

        Assert.NotEqual(first, scene.Relayed);
        Assert.Equal([$"{scene.Relayed} again"], scene.Send("again"));
    }

    [Fact]
    public void A_closed_connection_is_told()
    {
        var scene = new TurnScene(options: TurnScene.Options with { Transport = TransportProtocol.Tcp });
        scene.Run(1);
        var relayed = scene.Relayed;

        scene.ClientHost.Close(scene.Allocation.Flow);

        Assert.Equal((TurnAllocationState.Closed, null), (scene.Allocation.State, scene.Allocation.Deadline));
        Assert.EndsWith($"The relayed address {relayed} of TURN server {TurnScene.Server} is lost: the connection closed.", scene.Client.Events[^1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_relayed_packet_allocates_nothing(bool withChannel)
    {
        var scene = new TurnScene();
        scene.Run(1);
        scene.Permit(withChannel);
        var (allocation, now) = (scene.Allocation, scene.Network.Now);
        var payload = new byte[172];
        var message = new byte[256];
        var writer = new StunWriter(message, StunClass.Indication, StunMethod.Data, default);
        writer.AddAddress(StunAttributeType.XorPeerAddress, TurnScene.Peer);
        writer.Add(StunAttributeType.Data, payload);
        byte[] incoming = withChannel ? [0x40, 0, 0, 172, .. payload] : writer.Written.ToArray();

        Assert.Equal(0, Allocation.Of(() =>
        {
            for (var i = 0; i < 50; i++) SendAndReceive();
        }));

        void SendAndReceive()
        {
            if (!allocation.TrySend(now, TurnScene.Peer, payload)) throw new InvalidOperationException();
            while (allocation.Outbox.TryTake(out var transmit)) allocation.Outbox.Release(transmit);
            if (allocation.TryHandle(now, allocation.Flow, TurnScene.Server, incoming, out _) is not TurnInput.Packet) throw new InvalidOperationException();
        }
    }
}
