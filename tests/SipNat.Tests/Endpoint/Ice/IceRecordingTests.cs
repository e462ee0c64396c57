using SipNat.Endpoint.Diagnosis;
using SipNat.Endpoint.Media;
using SipNat.Simulation;
using SipNat.Simulation.Turn;
using SipNat.Tests.Endpoint.Diagnosis;
using SipNat.Tests.Endpoint.Signalling;
using SipNat.Traversal.Ice;
using SipNat.Traversal.Turn;
using SipNat.Wire;

namespace SipNat.Tests.Endpoint.Ice;

/// <summary>Recordings whose media take a path that ICE has found, or one that a TURN server lends.</summary>
public sealed class IceRecordingTests
{
    private const string TurnServer = "198.51.100.60:3478";

    private static readonly TurnServerOptions Turn = new() { Server = TransportAddress.Parse(TurnServer), Credentials = new("user", "password") };

    [Fact]
    public void Two_hosts_without_NAT_talk_directly()
    {
        var scene = new RecorderScene(seed: 1, new() { StunServers = RecorderScene.TwoStunServers });
        var client = new IceClient(scene);
        client.Establish();
        Assert.True(client.Connects(2));
        client.Talk(0, 100);

        client.AssertRecordedWhole();
        Assert.Equal(["metadata-missing"], scene.Session.Findings);
        Assert.Equal(
            "192.0.2.20:41000",
            Assert.Single(scene.Session.Snapshot.Streams).Report!.Path!.Remote.ToString());
        Assert.Equal(
            ["Stream 1: RTP takes 198.51.100.10:10000 (host) > 192.0.2.20:41000 (host), without a NAT between."],
            scene.Session.Snapshot.Timeline.Where(e => e.Kind == "path").Select(e => e.Text));
    }

    [Fact]
    public void RTP_and_RTCP_on_two_ports_find_a_path_each()
    {
        var scene = new RecorderScene(seed: 2, new() { StunServers = RecorderScene.TwoStunServers });
        var client = new IceClient(scene, mux: false);
        client.Establish();
        Assert.True(client.Connects(2));
        client.Talk(0, 300);

        client.AssertRecordedWhole();
        Assert.Equal(2, scene.Session.Snapshot.Timeline.Count(e => e.Kind == "path"));
        Assert.Contains(scene.Log.SentBy(scene.Recorder.Host.Address), p => p.To.ToString() == "192.0.2.20:41001" && p.IsRtcp);
    }

    [Theory]
    [InlineData("full cone", "symmetric")]
    [InlineData("address-restricted", "port-restricted")]
    [InlineData("port-restricted", "port-restricted")]
    [InlineData("port-restricted", "full cone")]
    public void Both_sides_behind_NATs_that_let_checks_through_talk_directly(string ours, string theirs)
    {
        var scene = Behind(3, ours, []);
        var client = new IceClient(scene, RecorderScene.PrivateClient, scene.Network.AddNat(RecorderScene.ClientNatAddress, RecorderScene.Nat(theirs)));
        client.Establish();
        Assert.True(client.Connects(5));
        client.Talk(0, 100);

        client.AssertRecordedWhole();
        Assert.NotEqual(CandidateType.Relayed, Path(scene).LocalKind);
    }

    [Fact]
    public void Two_symmetric_NATs_are_crossed_by_a_relay()
    {
        var scene = Behind(4, "symmetric", [Turn]);
        var server = SimulatedTurnServer.AddTo(scene.Network, TurnServer);
        var client = new IceClient(scene, RecorderScene.PrivateClient, scene.Network.AddNat(RecorderScene.ClientNatAddress, NatOptions.Symmetric));
        client.Establish();
        client.Talk(0, 600);

        client.AssertRecordedWhole();
        Assert.Equal(CandidateType.Relayed, Path(scene).LocalKind);
        Assert.Equal(["metadata-missing"], scene.Session.Findings.Except(["mapping-varies"]));
        Assert.Equal(0, server.AllocationCount);
    }

    [Fact]
    public void A_client_without_ICE_is_told_a_relayed_address_where_the_NAT_maps_per_destination()
    {
        var scene = Behind(5, "symmetric", [Turn]);
        SimulatedTurnServer.AddTo(scene.Network, TurnServer);
        var client = ManualClient.AddTo(scene);
        client.Establish(ManualClient.Sdp(streams: 1));
        client.Talk(0, 0, 100);

        var stream = Assert.Single(scene.Session.Snapshot.Streams);
        Assert.Equal("198.51.100.60", stream.Advertised.AddressText);
        Assert.StartsWith("mapping varies by destination, STUN server 198.51.100.50:3478 saw this socket as ", stream.Why, StringComparison.Ordinal);
        Assert.EndsWith("and no forward is configured: TURN server 198.51.100.60:3478 relays", stream.Why, StringComparison.Ordinal);
        client.Send("BYE");
        scene.RunFor(12);
        Assert.Equal(Enumerable.Range(0, 100), scene.Session.FileOf(0).Frames().Select(f => f.Frame));
    }

    [Fact]
    public void A_relay_that_comes_too_late_for_the_answer_is_told_by_a_second_one()
    {
        var scene = Behind(22, "symmetric", [Turn]);
        SimulatedTurnServer.AddTo(scene.Network, TurnServer);
        scene.Network.Delay = TimeSpan.FromMilliseconds(150);
        var client = ManualClient.AddTo(scene);
        client.Send("INVITE", ManualClient.Sdp(streams: 1));
        client.RunFor(1);
        client.Acknowledge();
        client.RunFor(2);

        Assert.Equal([RecorderScene.PrivateRecorder, "198.51.100.60"], client.Sip.Where(m => m.Message.Body.Contains("c=IN", StringComparison.Ordinal)).Select(m => ScriptedAnswer.Read(m.Message.Body)[0].Rtp.AddressText).Distinct());
        var relayed = scene.Session.Snapshot.Streams[0].Advertised;
        client.Talk(0, 0, 100, i => client.SendFrame(0, i, relayed));
        client.RunFor(1);
        client.Send("BYE");
        scene.RunFor(12);
        Assert.Equal(Enumerable.Range(0, 100), scene.Session.FileOf(0).Frames().Select(f => f.Frame));
    }

    [Fact]
    public void A_client_that_drops_ICE_and_takes_it_up_again_is_recorded_throughout()
    {
        var scene = Behind(23, "port-restricted", [Turn]);
        var server = SimulatedTurnServer.AddTo(scene.Network, TurnServer);
        var client = new IceClient(scene);
        client.Establish();
        Assert.True(client.Connects(5));
        client.Talk(0, 50);
        var plain = string.Join("\r\n", client.Describe().Split("\r\n").Where(l => !l.StartsWith("a=ice", StringComparison.Ordinal) && !l.StartsWith("a=candidate", StringComparison.Ordinal)));
        client.Sip.Send("INVITE", plain);
        scene.RunFor(0.1);
        client.Sip.Acknowledge();
        // Longer than any check of the path that was: nothing of the agent is due any more.
        scene.RunFor(60);
        Assert.Equal(0, server.AllocationCount);
        client.Talk(50, 50);
        client.Party.Agent.Restart();
        client.OfferAgain();
        Assert.True(client.Connects(5));
        client.Talk(100, 50);

        client.AssertRecordedWhole();
        scene.Network.AssertNothingRented();
    }

    [Fact]
    public void With_relays_only_no_address_of_this_network_is_told_for_media()
    {
        var scene = Behind(6, "full cone", [Turn], isRelayOnly: true);
        SimulatedTurnServer.AddTo(scene.Network, TurnServer);
        var client = new IceClient(scene);
        client.Establish();
        Assert.True(client.Connects(12));
        client.Talk(0, 100);

        client.AssertRecordedWhole();
        var answer = client.Descriptions[0];
        Assert.DoesNotContain(RecorderScene.PrivateRecorder, answer, StringComparison.Ordinal);
        Assert.DoesNotContain(RecorderScene.RecorderNatAddress, answer, StringComparison.Ordinal);
        Assert.Equal([CandidateType.Relayed], client.Told.Candidates.Select(c => c.Type));
        Assert.DoesNotContain(scene.Log.SentBy(scene.Recorder.Host.Address), p => p.From.Port >= 10_000 && p.To.AddressText == RecorderScene.PublicClient);
    }

    [Fact]
    public void Relays_only_without_a_relay_refuses_the_session()
    {
        var scene = Behind(7, "full cone", [Turn], isRelayOnly: true);
        var client = ManualClient.AddTo(scene);
        client.Send("INVITE", ManualClient.Sdp(streams: 1));
        scene.RunFor(6);

        Assert.Equal(503, client.LastResponse.Status);
        Assert.Contains("Nat:RelayOnly is set, and no TURN server lends an address", client.LastResponse.Header("Warning"), StringComparison.Ordinal);
    }

    [Fact]
    [Plants(FindingCode.RelayUnavailable)]
    public void A_wrong_password_of_the_TURN_server_is_told()
    {
        var scene = Behind(8, "symmetric", [Turn with { Credentials = new("user", "wrong") }]);
        SimulatedTurnServer.AddTo(scene.Network, TurnServer);
        var client = new IceClient(scene);
        client.Establish();
        scene.RunFor(1);

        Assert.Contains(
            "relay-unavailable: Stream 1: no TURN server relays RTP: TURN server 198.51.100.60:3478 gives no relay: the username or password is wrong (401).",
            scene.Session.FindingTexts);
    }

    [Fact]
    [Plants(FindingCode.IceMismatch)]
    public void A_rewritten_media_address_ends_ICE_and_not_the_recording()
    {
        var scene = new RecorderScene(seed: 9, new() { StunServers = RecorderScene.TwoStunServers });
        var client = new IceClient(scene);
        scene.RunFor(0.5);
        client.Sip.Establish(client.Describe(connection: "192.0.2.21"));

        Assert.Contains("a=ice-mismatch\r\n", client.Descriptions[0], StringComparison.Ordinal);
        Assert.DoesNotContain("a=candidate", client.Descriptions[0], StringComparison.Ordinal);
        for (var i = 0; i < 50; i++)
        {
            client.SendPast(i, TransportAddress.Parse("198.51.100.10:10000"));
            scene.Network.RunFor(ScriptedFrame.Span);
        }

        client.AssertRecordedWhole();
        FindingAssert.Are(
            [
                "metadata-missing: The INVITE brought no recording metadata.",
                "ice-mismatch: Stream 1: the peer's media address 192.0.2.21:41000 is none of its ICE candidates: something between us, such as a SIP ALG or an SBC, rewrote one and not the other. ICE is not used; media is taken from the peer's address.",
                "media-from-elsewhere: Stream 1: media comes from 192.0.2.20:41000; the peer said 192.0.2.21:41000. It is recorded; a NAT before the peer is the usual reason.",
            ],
            scene.Session);
    }

    [Fact]
    [Plants(FindingCode.IceFailed)]
    public void A_client_that_offers_ICE_and_checks_nothing_is_recorded_all_the_same()
    {
        var scene = new RecorderScene(seed: 10, new() { StunServers = RecorderScene.TwoStunServers });
        var client = new IceClient(scene);
        scene.RunFor(0.5);
        var sdp = client.Describe();
        client.Sip.Host.Detach(client.Party);
        client.Sip.Establish(sdp);
        client.Sip.Talk(0, 0, 100, i => client.Sip.SendFrame(0, i, TransportAddress.Parse("198.51.100.10:10000")));
        scene.RunFor(45);

        Assert.Contains(
            "ice-failed: Stream 1: ICE found no path: none of 1 candidate pairs was answered in 40 s. Media is taken as without ICE, from the peer's address. Set Nat:TurnServers where both sides are behind NATs, or forward the media ports.",
            scene.Session.FindingTexts);
        client.Sip.Send("BYE");
        scene.RunFor(12);
        Assert.Equal(Enumerable.Range(0, 100), scene.Session.FileOf(0).Frames().Select(f => f.Frame));
    }

    [Fact]
    public void Nothing_goes_to_a_candidate_before_the_ACK()
    {
        var scene = new RecorderScene(seed: 14, new() { StunServers = RecorderScene.TwoStunServers });
        var client = new IceClient(scene);
        scene.RunFor(0.5);
        client.Sip.Send("INVITE", client.Describe());
        scene.RunFor(1);

        Assert.DoesNotContain(scene.Log.SentBy(scene.Recorder.Host.Address), p => p.To.Port == 41_000);
        client.Sip.Acknowledge();
        scene.RunFor(0.1);
        Assert.Contains(scene.Log.SentBy(scene.Recorder.Host.Address), p => p.To.Port == 41_000);
    }

    [Fact]
    public void Packets_of_another_source_than_the_path_are_strays()
    {
        var scene = new RecorderScene(seed: 15, new() { StunServers = RecorderScene.TwoStunServers, Latch = SipNat.Media.Streams.LatchPolicy.Any });
        var client = new IceClient(scene);
        client.Establish();
        Assert.True(client.Connects(2));
        client.Talk(0, 50);
        for (var i = 0; i < 50; i++) client.Sip.SendFrame(0, 1000 + i, TransportAddress.Parse("198.51.100.10:10000"), ssrc: 0x9999);
        client.Talk(50, 50);

        client.AssertRecordedWhole();
        Assert.Equal(50, Assert.Single(scene.Session.Snapshot.Streams).Report!.Stream.Strays);
    }

    [Fact]
    public void A_peer_behind_a_symmetric_NAT_that_waits_for_our_media_hears_us_at_its_first_packet()
    {
        var scene = new RecorderScene(seed: 20);
        var client = ManualClient.AddTo(scene, RecorderScene.PrivateClient, scene.Network.AddNat(RecorderScene.ClientNatAddress, NatOptions.Symmetric));
        client.Establish(ManualClient.Sdp(RecorderScene.PrivateClient, streams: 1));
        client.Media.Clear();
        client.SendFrame(0, 0, TransportAddress.Parse("198.51.100.10:10000"));
        client.RunFor(0.1);

        Assert.Equal(0, Assert.Single(client.Media, m => m.Kind is ReceivedMediaKind.Rtp).Stream);
    }

    [Fact]
    public void A_lite_recorder_answers_checks_and_sends_none()
    {
        var scene = new RecorderScene(seed: 21, new() { StunServers = RecorderScene.TwoStunServers, Ice = IceMode.Lite });
        var client = new IceClient(scene, RecorderScene.PrivateClient, scene.Network.AddNat(RecorderScene.ClientNatAddress, NatOptions.Symmetric));
        client.Establish();
        Assert.True(client.Connects(5));
        client.Talk(0, 100);

        client.AssertRecordedWhole();
        Assert.True(client.Told.IsLite);
        Assert.Contains("\r\nt=0 0\r\na=ice-lite\r\nm=audio", client.Descriptions[0], StringComparison.Ordinal);
        Assert.Equal(CandidateType.Host, Assert.Single(client.Told.Candidates).Type);
        Assert.Equal(RecorderScene.ClientNatAddress, Path(scene).Remote.AddressText);
        // A request of Binding to anybody but the STUN servers would be a check.
        Assert.DoesNotContain(
            scene.Log.SentBy(scene.Recorder.Host.Address),
            p => p.Bytes is [0, 1, ..] && !RecorderScene.TwoStunServers.Contains(p.To));
    }

    [Fact]
    public void ICE_switched_off_is_neither_answered_nor_spoken()
    {
        var scene = new RecorderScene(seed: 16, new() { StunServers = RecorderScene.TwoStunServers, Ice = IceMode.Off });
        var client = new IceClient(scene);
        scene.RunFor(0.5);
        client.Sip.Establish(client.Describe());

        Assert.DoesNotContain("ice-", client.Descriptions[0], StringComparison.Ordinal);
        Assert.DoesNotContain("candidate", client.Descriptions[0], StringComparison.Ordinal);
    }

    internal static MediaPath Path(RecorderScene scene) => Assert.Single(scene.Session.Snapshot.Streams).Report!.Path!;

    // The NAT forwards SIP and no media.
    internal static RecorderScene Behind(int seed, string nat, IReadOnlyList<TurnServerOptions> turn, bool isRelayOnly = false) => new(
        seed,
        new() { StunServers = RecorderScene.TwoStunServers, TurnServers = turn, IsRelayOnly = isRelayOnly },
        RecorderScene.Nat(nat),
        forwardsMedia: false);
}
