using SipNat.Traversal.Stun;
using SipNat.Traversal.Turn;
using SipNat.Wire;

namespace SipNat.Tests.Traversal.Turn;

/// <summary>How soon it is noticed that a server, or the allocation on it, is gone.</summary>
public sealed class TurnLivenessTests
{
    [Theory]
    [InlineData(TransportProtocol.Udp)]
    [InlineData(TransportProtocol.Tcp)]
    public void A_server_that_falls_silent_is_lost_after_nine_seconds(TransportProtocol transport)
    {
        var scene = Talk(transport);
        var since = scene.Network.Now;

        scene.Turn.IsSilent = true;
        scene.Run(20);

        // 0.1 s of the last packet were over; 1.5 s of silence, and 7 s without an answer to the question.
        var lost = scene.Client.Events.Single(static text => text.EndsWith("is lost: the server is silent.", StringComparison.Ordinal));
        Assert.InRange(Seconds(lost) - Seconds(since), 8.35, 8.55);
    }

    [Fact]
    public void A_server_that_restarted_is_found_out_after_two_seconds_and_the_peers_are_reached_again()
    {
        var scene = Talk(TransportProtocol.Udp);
        var (since, first) = (scene.Network.Now, scene.Relayed);

        scene.Turn.Restart();
        scene.Run(3);

        Assert.NotEqual(first, scene.Relayed);
        Assert.Equal([$"{scene.Relayed} again"], scene.Send("again"));
        var lost = scene.Client.Events.Single(static text => text.EndsWith("is lost: the server does not know it any more.", StringComparison.Ordinal));
        Assert.InRange(Seconds(lost) - Seconds(since), 1.4, 1.6);
    }

    [Fact]
    public void While_packets_come_nothing_is_asked_and_in_silence_less_and_less()
    {
        var scene = Talk(TransportProtocol.Udp);
        var asked = scene.CodesOf(StunMethod.Refresh).Count();

        for (var i = 0; i < 50; i++)
        {
            scene.Answer("talk");
            scene.Run(1);
        }

        Assert.Equal(asked, scene.CodesOf(StunMethod.Refresh).Count());

        // 1.1 s are over; asked 1.5, 4.5, 10.5, 22.5, 46.5, 71.5 and 96.5 s after the last packet.
        scene.Run(110);
        Assert.Equal(asked + 7, scene.CodesOf(StunMethod.Refresh).Count());
    }

    [Fact]
    public void A_packet_tells_as_much_as_an_answer()
    {
        var scene = Talk(TransportProtocol.Udp);
        byte[] packet = [0x40, 0, 0, 1, 0];
        scene.Turn.IsSilent = true;
        scene.Run(5);

        // The question goes without an answer until 8.5 s; the packet says that the server is there.
        scene.Do(now => Assert.Equal(TurnInput.Packet, scene.Allocation.TryHandle(now, scene.Allocation.Flow, TurnScene.Server, packet, out _)));
        scene.Run(10);
        Assert.Equal(TurnAllocationState.Allocated, scene.Allocation.State);

        scene.Run(2);
        Assert.Equal(TurnAllocationState.Allocating, scene.Allocation.State);
    }

    [Fact]
    public void Loss_of_a_fifth_is_not_taken_for_a_dead_server()
    {
        var scene = Talk(TransportProtocol.Udp);
        scene.Network.Loss = 0.2;

        scene.Run(3600);

        Assert.DoesNotContain(scene.Client.Events, static text => text.Contains("is lost", StringComparison.Ordinal));
    }

    [Fact]
    public void An_allocation_that_nobody_is_wanted_by_is_not_asked_about()
    {
        var scene = new TurnScene();
        scene.Run(1);

        scene.Run(500);

        Assert.Empty(scene.CodesOf(StunMethod.Refresh));
    }

    // An allocation with a channel to the peer, by which a packet has just come.
    private static TurnScene Talk(TransportProtocol transport)
    {
        var scene = new TurnScene(options: TurnScene.Options with { Transport = transport });
        scene.Run(1);
        scene.Permit(withChannel: true);
        scene.Answer("talk");
        return scene;
    }

    private static double Seconds(string happened) => double.Parse(happened.Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture);

    private static double Seconds(Instant at) => TimeSpan.FromTicks(at.Ticks).TotalSeconds;
}
