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

/// <summary>Recordings that begin with an INVITE without a description: the 200 offers, and the ACK answers (RFC 3261 §13.2.1).</summary>
public sealed class IceOfferTests
{
    private const string TurnServer = "198.51.100.60:3478";

    private static readonly TransportAddress Media = TransportAddress.Parse("198.51.100.10:10000");

    [Fact]
    public void Our_offer_has_ICE_and_the_answer_in_the_ACK_connects_it()
    {
        var scene = IceRecordingTests.Behind(31, "port-restricted", []);
        var client = new IceClient(
            scene, RecorderScene.PrivateClient, scene.Network.AddNat(RecorderScene.ClientNatAddress, RecorderScene.Nat("port-restricted")), mux: false, role: IceRole.Controlled);
        client.EstablishByAnswer();
        Assert.Equal(
            [
                "1 host 192.168.1.5:10000",
                "1 srflx 198.51.100.1:10000",
                "2 host 192.168.1.5:10001",
                "2 srflx 198.51.100.1:10001",
            ],
            client.Told.Candidates.Select(c => $"{c.Component} {c.Type.Token} {c.Address}").Order(StringComparer.Ordinal));
        Assert.True(client.Connects(5));
        client.Talk(0, 300);

        client.AssertRecordedWhole();
        // Whoever offers is controlling (RFC 8445 §6.1.1): nobody had to give way.
        Assert.Equal((IceRole.Controlled, 0), (client.Party.Agent.Role, client.Party.Agent.Counters.RoleConflicts));
        Assert.Equal(2, scene.Session.Snapshot.Timeline.Count(e => e.Kind == "path"));
        Assert.Single(client.Descriptions);
        scene.Network.AssertNothingRented();
    }

    [Fact]
    public void Nothing_goes_to_a_candidate_before_the_answer_in_the_ACK()
    {
        var scene = new RecorderScene(seed: 32, new() { StunServers = RecorderScene.TwoStunServers });
        var client = new IceClient(scene, mux: false, role: IceRole.Controlled);
        scene.RunFor(0.5);
        client.Sip.Send("INVITE");
        scene.RunFor(1);

        Assert.DoesNotContain(scene.Log.SentBy(scene.Recorder.Host.Address), p => p.To.Port is 41_000 or 41_001);
        Assert.Contains("a=ice-ufrag:", client.Descriptions[0], StringComparison.Ordinal);
    }

    [Fact]
    public void An_answer_without_ICE_is_recorded_as_it_is_without_an_offer_of_it()
    {
        var scene = new RecorderScene(seed: 33, new() { StunServers = RecorderScene.TwoStunServers });
        var client = ManualClient.AddTo(scene);
        client.Send("INVITE");
        client.RunFor(0.5);
        client.Acknowledge(ManualClient.Sdp(streams: 1));
        client.Talk(0, 0, 100);
        // Longer than ICE would look for a path.
        client.RunFor(60);
        client.Send("BYE");
        client.RunFor(12);

        Assert.Equal(Enumerable.Range(0, 100), scene.Session.FileOf(0).Frames().Select(f => f.Frame));
        Assert.DoesNotContain(client.Media, m => m.Kind is ReceivedMediaKind.Stun);
        Assert.Equal(["media-stopped", "metadata-missing"], scene.Session.Findings);
        scene.Network.AssertNothingRented();
    }

    [Fact]
    [Plants(FindingCode.IceMismatch)]
    public void An_answer_that_says_ice_mismatch_ends_ICE_and_not_the_recording() // RFC 8839 §4.2.5
    {
        var scene = new RecorderScene(seed: 34, new() { StunServers = RecorderScene.TwoStunServers });
        var client = new IceClient(scene, mux: false, role: IceRole.Controlled);
        client.EstablishByAnswer(sdp => string.Concat(Without(sdp, "a=ice", "a=candidate"), "a=ice-mismatch\r\n"));
        Talk(scene, client);

        client.AssertRecordedWhole();
        FindingAssert.Are(
            [
                "metadata-missing: The INVITE brought no recording metadata.",
                "ice-mismatch: Stream 1: the peer says that our media address is none of our ICE candidates: something between us, such as a SIP ALG or an SBC, rewrote one and not the other. ICE is not used; media is taken from the peer's address.",
            ],
            scene.Session);
    }

    [Fact]
    [Plants(FindingCode.IceMismatch)]
    public void An_answer_whose_address_was_rewritten_ends_ICE_and_not_the_recording()
    {
        var scene = new RecorderScene(seed: 35, new() { StunServers = RecorderScene.TwoStunServers });
        var client = new IceClient(scene, mux: false, role: IceRole.Controlled);
        client.EstablishByAnswer(_ => client.Describe(connection: "192.0.2.21"));
        Talk(scene, client);

        client.AssertRecordedWhole();
        Assert.Contains(
            "ice-mismatch: Stream 1: the peer's media address 192.0.2.21:41000 is none of its ICE candidates: something between us, such as a SIP ALG or an SBC, rewrote one and not the other. ICE is not used; media is taken from the peer's address.",
            scene.Session.FindingTexts);
        Assert.DoesNotContain(scene.Log.SentBy(scene.Recorder.Host.Address), p => p.Bytes is [0, 1, ..] && p.To.Port is 41_000 or 41_001);
    }

    [Fact]
    public void A_lite_recorder_offers_that_it_is_lite_and_the_peer_is_controlling()
    {
        var scene = new RecorderScene(seed: 36, new() { StunServers = RecorderScene.TwoStunServers, Ice = IceMode.Lite });
        var client = new IceClient(scene, mux: false, role: IceRole.Controlled);
        client.EstablishByAnswer();
        Assert.True(client.Connects(5));
        client.Talk(0, 100);

        client.AssertRecordedWhole();
        Assert.Equal(IceRole.Controlling, client.Party.Agent.Role);
        Assert.Contains("\r\nt=0 0\r\na=ice-lite\r\nm=audio", client.Descriptions[0], StringComparison.Ordinal);
    }

    [Fact]
    public void With_relays_only_our_offer_tells_nothing_but_the_relay()
    {
        var turn = new TurnServerOptions { Server = TransportAddress.Parse(TurnServer), Credentials = new("user", "password") };
        var scene = IceRecordingTests.Behind(37, "full cone", [turn], isRelayOnly: true);
        SimulatedTurnServer.AddTo(scene.Network, TurnServer);
        var client = new IceClient(scene, mux: false, role: IceRole.Controlled);
        client.EstablishByAnswer();
        Assert.True(client.Connects(12));
        client.Talk(0, 100);

        client.AssertRecordedWhole();
        Assert.Equal([CandidateType.Relayed, CandidateType.Relayed], client.Told.Candidates.Select(c => c.Type));
        Assert.DoesNotContain(RecorderScene.PrivateRecorder, client.Descriptions[0], StringComparison.Ordinal);
    }

    [Fact]
    public void ICE_switched_off_is_not_offered()
    {
        var scene = new RecorderScene(seed: 38, new() { StunServers = RecorderScene.TwoStunServers, Ice = IceMode.Off });
        var client = ManualClient.AddTo(scene);
        client.Send("INVITE");
        client.RunFor(0.5);

        Assert.Equal(200, client.LastResponse.Status);
        Assert.DoesNotContain("ice-", client.LastResponse.Body, StringComparison.Ordinal);
        Assert.DoesNotContain("candidate", client.LastResponse.Body, StringComparison.Ordinal);
    }

    private static void Talk(RecorderScene scene, IceClient client)
    {
        for (var i = 0; i < 50; i++)
        {
            client.SendPast(i, Media);
            scene.Network.RunFor(ScriptedFrame.Span);
        }
    }

    private static string Without(string sdp, params string[] prefixes) =>
        string.Join("\r\n", sdp.Split("\r\n").Where(line => !prefixes.Any(p => line.StartsWith(p, StringComparison.Ordinal))));
}
