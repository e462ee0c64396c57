using SipNat.Endpoint.Diagnosis;
using SipNat.Simulation;
using SipNat.Tests.Endpoint.Diagnosis;
using SipNat.Tests.Endpoint.Signalling;

namespace SipNat.Tests.Endpoint.Ice;

/// <summary>Paths of recordings that last, die, move, and begin anew.</summary>
public sealed class IceRepairTests
{
    [Fact]
    public void A_renumbered_router_of_the_client_costs_no_audio()
    {
        var scene = new RecorderScene(seed: 11, new() { StunServers = RecorderScene.TwoStunServers });
        var nat = scene.Network.AddNat(RecorderScene.ClientNatAddress, NatOptions.PortRestricted);
        var client = new IceClient(scene, RecorderScene.PrivateClient, nat);
        client.Establish();
        Assert.True(client.Connects(5));
        client.Talk(0, 100);
        nat.Renumber("203.0.113.9");
        client.Talk(100, 400);
        scene.RunFor(1.5);

        Assert.Equal(["metadata-missing"], scene.Session.Findings);
        Assert.Equal("203.0.113.9", IceRecordingTests.Path(scene).Remote.AddressText);
        client.AssertRecordedWhole();
    }

    [Fact]
    [Plants(FindingCode.PathLost)]
    public void A_client_that_vanishes_is_missed_within_two_seconds_and_taken_back()
    {
        var scene = new RecorderScene(seed: 17, new() { StunServers = RecorderScene.TwoStunServers });
        var client = new IceClient(scene);
        client.Establish();
        Assert.True(client.Connects(5));
        client.Talk(0, 100);
        var gone = scene.Network.Now;
        client.Sip.Host.IsConnected = false;
        scene.RunFor(2.2);
        client.Sip.Host.IsConnected = true;
        scene.RunFor(3);
        client.Talk(100, 100);

        var lost = Assert.Single(scene.Session.Snapshot.Findings, f => f.Code is FindingCode.PathLost);
        Assert.Equal("Stream 1: RTP lost its path 198.51.100.10:10000 (host) > 192.0.2.20:41000 (host): the peer answers no more there. ICE begins anew.", lost.Text);
        Assert.InRange((lost.At - gone).TotalSeconds, 0, 2.05);
        client.AssertRecordedWhole();
    }

    [Fact]
    public void A_renumbered_router_of_the_recorder_costs_less_than_three_seconds_of_audio()
    {
        var scene = IceRecordingTests.Behind(12, "port-restricted", []);
        var client = new IceClient(scene);
        client.Establish();
        Assert.True(client.Connects(5));
        client.Talk(0, 100);
        scene.RecorderNat!.Renumber("198.51.100.2");
        client.Talk(100, 400);
        scene.RunFor(1.5);

        var heard = scene.Session.FileOf(0).Frames().Select(f => f.Frame).ToList();
        Assert.True(heard[^1] >= 495, $"The last frame is {heard[^1]}.");
        var gap = heard.Zip(heard.Skip(1), (a, b) => b - a).Max();
        Assert.True(gap <= 150, $"{gap} frames are missing.");
    }

    [Fact]
    public void A_restart_by_the_client_is_answered_with_new_credentials_while_audio_goes_on()
    {
        var scene = new RecorderScene(seed: 13, new() { StunServers = RecorderScene.TwoStunServers });
        var client = new IceClient(scene);
        client.Establish();
        Assert.True(client.Connects(2));
        client.Talk(0, 50);
        var first = client.Told.Credentials;
        client.Party.Agent.Restart();
        client.OfferAgain();

        Assert.NotEqual(first, client.Told.Credentials);
        client.Talk(50, 100);
        client.AssertRecordedWhole();
        Assert.Equal(150, client.Sent.Count);
    }

    [Fact]
    public void A_day_of_silent_hold_through_NATs_that_forget_in_thirty_seconds_leaves_the_ICE_path_open()
    {
        var forgetful = NatOptions.PortRestricted with { FreshLifetime = TimeSpan.FromSeconds(30), EstablishedLifetime = TimeSpan.FromSeconds(30) };
        var scene = new RecorderScene(seed: 18, new() { StunServers = RecorderScene.TwoStunServers }, forgetful, forwardsMedia: false);
        scene.Log.IsKept = false;
        var client = new IceClient(scene, RecorderScene.PrivateClient, scene.Network.AddNat(RecorderScene.ClientNatAddress, forgetful));
        client.Establish();
        Assert.True(client.Connects(5));
        client.Talk(0, 50);
        client.OfferAgain("inactive");
        scene.Network.RunFor(TimeSpan.FromHours(24));
        client.OfferAgain("sendonly");
        client.Talk(50, 50);

        scene.RunFor(0.1);
        client.Sip.Send("BYE");
        scene.RunFor(12);
        Assert.Equal((100, 0, TimeSpan.FromMilliseconds(100 * 20)), Recorded(scene));
        Assert.DoesNotContain(scene.Session.Snapshot.Findings, f => f.Code is FindingCode.PathLost or FindingCode.NoMedia or FindingCode.MediaStopped);
    }

    [Fact]
    public void A_day_of_silent_hold_without_ICE_leaves_the_pinhole_open()
    {
        var forgetful = NatOptions.PortRestricted with { FreshLifetime = TimeSpan.FromSeconds(30), EstablishedLifetime = TimeSpan.FromSeconds(30) };
        var scene = new RecorderScene(seed: 19, new() { StunServers = RecorderScene.TwoStunServers }, forgetful, forwardsMedia: false);
        scene.Log.IsKept = false;
        var client = ManualClient.AddTo(scene);
        client.Establish(ManualClient.Sdp(streams: 1));
        client.Talk(0, 0, 50);
        var told = scene.Session.Snapshot.Streams[0].Advertised;
        client.Send("INVITE", ManualClient.Sdp(streams: 1, direction: "inactive"));
        client.RunFor(0.1);
        client.Acknowledge();
        scene.Network.RunFor(TimeSpan.FromHours(24));

        // The very first frame, to the address of a day ago, before any signalling.
        client.SendFrame(0, 50, told);
        client.RunFor(0.02);
        client.Send("INVITE", ManualClient.Sdp(streams: 1));
        client.RunFor(0.1);
        client.Acknowledge();
        client.Talk(0, 51, 50);

        client.Send("BYE");
        scene.RunFor(12);
        Assert.Equal(told, scene.Session.Snapshot.Streams[0].Advertised);
        Assert.Equal((101, 0, TimeSpan.FromMilliseconds(101 * 20)), Recorded(scene));
    }

    // A file of a day is not looked through.
    private static (long Packets, long Lost, TimeSpan Audio) Recorded(RecorderScene scene) =>
        Assert.Single(scene.Session.Snapshot.Streams).Report!.Stream is var report ? (report.Packets, report.Lost, report.Recorded) : default;
}
