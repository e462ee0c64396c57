using SipNat.Endpoint.Siprec;
using SipNat.Media.Codecs;
using SipNat.Simulation;
using SipNat.Wire;

namespace SipNat.Tests.Endpoint.Signalling;

/// <summary>A recording session without a NAT, from its INVITE to its files.</summary>
public sealed class RecordedCallTests
{
    private static readonly ScriptedPeerOptions Peer = new() { Server = default, Duration = TimeSpan.FromSeconds(10) };

    [Fact]
    public void A_call_of_two_streams_is_recorded_frame_by_frame()
    {
        var scene = new RecorderScene(seed: 1);
        var peer = scene.AddClient(Peer);

        scene.RunFor(15);

        Assert.Equal(ScriptedPeerState.Ended, peer.State);
        Assert.Equal([500, 500], peer.Sent.GroupBy(f => f.Stream).Select(g => g.Count()));
        scene.AssertRecordedWhole(peer);
        Assert.Equal([], scene.Session.Findings);
        Assert.Equal((0, 0), (scene.Recorder.Signalling.Sessions, scene.Recorder.Media.Sessions));
        scene.Network.AssertNothingRented();
    }

    [Fact]
    public void Once_its_source_is_known_nobody_waits_for_the_packets_of_a_recording()
    {
        var scene = new RecorderScene(seed: 1);
        var peer = scene.AddClient(Peer);
        var media = scene.Recorder.Media;

        scene.RunFor(0.1);
        Assert.NotEmpty(peer.Sent);
        Assert.All(media.FlowsOf(scene.Session.Id), flow => Assert.False(media.CanWait(flow)));

        scene.RunFor(1);
        Assert.Equal(4, media.FlowsOf(scene.Session.Id).Count());
        Assert.All(media.FlowsOf(scene.Session.Id), flow => Assert.True(media.CanWait(flow)));
    }

    [Fact]
    public void The_whole_exchange_is_an_invite_its_answer_an_ack_and_a_bye()
    {
        var scene = new RecorderScene(seed: 2);
        scene.AddClient(Peer);
        scene.RunFor(60);

        var recorder = scene.Recorder.Host.Address;
        Assert.Equal(
            ["0.010 INVITE", "0.030 ACK", "10.030 BYE"],
            scene.Log.ReceivedBy(recorder).Where(p => p.IsSip).Select(p => FormattableString.Invariant($"{p.Seconds:F3} {p.Summary}")));
        Assert.Equal(
            ["0.010 200 1 INVITE", "10.030 200 2 BYE"],
            scene.Log.SentBy(recorder).Where(p => p.IsSip).Select(p => FormattableString.Invariant($"{p.Seconds:F3} {p.Summary}")));
    }

    [Fact]
    public void The_answer_has_everything_that_a_recording_client_looks_for_and_nothing_else()
    {
        var scene = new RecorderScene(seed: 3);
        var peer = scene.AddClient(Peer with { Labels = ["96", "caller/leg+b=="] });
        scene.RunFor(1);

        var answer = peer.Responses.Single();
        var session = scene.Session.Id.Value;
        var origin = answer.Body.Split("\r\n")[1].Split(' ')[1];
        Assert.Equal(
            $"""
             SIP/2.0 200 OK
             Via: {answer.Header("Via")}
             From: {answer.Header("From")}
             To: <sip:recorder@198.51.100.10:5060>;tag={session}
             Call-ID: {peer.CallId}
             CSeq: 1 INVITE
             Contact: <sip:recorder@198.51.100.10:5060>;+sip.srs
             Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, PRACK
             Supported: siprec, timer, 100rel, replaces
             Accept: application/sdp, application/rs-metadata+xml, application/rs-metadata, multipart/mixed
             Server: SipNat
             Content-Type: application/sdp
             Content-Length: {answer.Body.Length}

             v=0
             o=sipnat {origin} 1 IN IP4 198.51.100.10
             s=-
             c=IN IP4 198.51.100.10
             t=0 0
             m=audio 10000 RTP/AVP 0
             a=label:96
             a=rtpmap:0 PCMU/8000
             a=ptime:20
             a=recvonly
             m=audio 10002 RTP/AVP 0
             a=label:caller/leg+b==
             a=rtpmap:0 PCMU/8000
             a=ptime:20
             a=recvonly

             """.ReplaceLineEndings("\r\n"),
            answer.Text);
        Assert.EndsWith(";received=192.0.2.20;rport=5060", answer.Header("Via")!.Replace("rport=5060;received=192.0.2.20", "received=192.0.2.20;rport=5060", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Fact]
    public void The_last_snapshot_tells_who_spoke_on_what_and_how_it_went()
    {
        var scene = new RecorderScene(seed: 4);
        var peer = scene.AddClient(Peer);
        scene.RunFor(15);

        var last = scene.Session.Snapshot;
        Assert.Equal((RecordingState.Complete, "BYE from the peer.", peer.CallId), (last.State, last.EndReason, last.CallId));
        Assert.Equal((0.01, 10.03), (Seconds(last.StartedAt), Seconds(last.EndedAt!.Value)));
        Assert.Equal([new("sip:party1@example.com", "Party 1"), new ParticipantInfo("sip:party2@example.com", "Party 2")], last.Participants);
        Assert.Single(last.CommunicationSessions);
        Assert.Equal([("complete", "application/rs-metadata+xml")], last.Metadata.Select(m => (m.DataMode, m.ContentType)));
        Assert.Equal(
            [("1", "recvonly", "Party 1", "198.51.100.10:10000"), ("2", "recvonly", "Party 2", "198.51.100.10:10002")],
            last.Streams.Select(s => (s.Label, s.Direction, s.Participants.Single().Name!, s.Advertised.ToString())));
        foreach (var stream in last.Streams.Select(s => s.Report!))
        {
            Assert.Equal((500, 0, 0, 0), (stream.Stream.Packets, stream.Stream.Lost, stream.Stream.Duplicates, stream.Stream.Strays));
            Assert.Equal($"192.0.2.20:{40000 + (2 * stream.Index)}", stream.Remote.ToString());
            Assert.Equal(0.03, Seconds(stream.Stream.StartedAt!.Value));
            Assert.False(stream.Stream.SenderStart.IsNone);
        }

        Assert.Equal(
            ["invited", "answered", "confirmed", "ended"],
            last.Timeline.Select(e => e.Kind).Where(k => k is "invited" or "answered" or "confirmed" or "ended"));
        Assert.Equal(RecordingState.Complete, Assert.Single(scene.Recorder.Snapshots, s => s.State is RecordingState.Complete).State);
        Assert.All(scene.Recorder.Snapshots.Zip(scene.Recorder.Snapshots.Skip(1)), pair => Assert.True(pair.First.Timeline.Count <= pair.Second.Timeline.Count));
    }

    [Theory]
    [InlineData(TransportProtocol.Udp, 0, 1, false)]
    [InlineData(TransportProtocol.Tcp, 0, 2, false)]
    [InlineData(TransportProtocol.Tls, 0, 2, false)]
    [InlineData(TransportProtocol.Ws, 0, 2, false)]
    [InlineData(TransportProtocol.Wss, 0, 2, false)]
    [InlineData(TransportProtocol.Udp, 8, 2, false)]
    [InlineData(TransportProtocol.Udp, 0, 2, true)]
    [InlineData(TransportProtocol.Udp, 0, 6, false)]
    public void Whatever_carries_it_a_call_is_recorded_whole(TransportProtocol transport, int payloadType, int streams, bool mux)
    {
        var scene = new RecorderScene(seed: 5);
        var peer = scene.AddClient(Peer with { Transport = transport, PayloadType = payloadType, Streams = streams, OffersRtcpMux = mux });
        scene.RunFor(15);

        var silence = payloadType == 8 ? AudioCodec.Pcma.Silence : AudioCodec.Pcmu.Silence;
        Assert.Equal(streams, scene.Session.Files.Count);
        scene.AssertRecordedWhole(peer, silence: silence);
        Assert.Equal(mux, peer.Answers[0].HasRtcpMux);
        // RFC 7118 §5.2.1: a Contact has ws for both kinds of WebSocket.
        var parameter = transport switch { TransportProtocol.Udp => "", TransportProtocol.Wss => ";transport=ws", _ => $";transport={transport}".ToLowerInvariant() };
        Assert.Equal($"<sip:recorder@{scene.Server}{parameter}>;+sip.srs", peer.Responses[0].Header("Contact"));
        scene.Network.AssertNothingRented();
    }

    [Fact]
    public void A_call_over_ipv6_is_recorded_whole()
    {
        var network = new SimulatedNetwork(seed: 6);
        var recorder = SipNat.Simulation.Recorder.SimulatedRecorder.AddTo(network, "[2001:db8::10]");
        var peer = ScriptedSipPeer.AddTo(network, "[2001:db8:1::20]", Peer with { Server = TransportAddress.Parse("[2001:db8::10]:5060") });
        network.RunFor(TimeSpan.FromSeconds(15));

        Assert.Equal(ScriptedPeerState.Ended, peer.State);
        Assert.Contains("c=IN IP6 2001:db8::10\r\n", peer.Responses[0].Body, StringComparison.Ordinal);
        Assert.All(recorder.Session.Files, f => Assert.Equal(500, f.Frames().Count));
        network.AssertNothingRented();
    }

    [Fact]
    public void The_same_seed_gives_the_same_packets()
    {
        ulong Run()
        {
            var scene = new RecorderScene(seed: 7, new() { StunServers = RecorderScene.TwoStunServers }, NatOptions.FullCone);
            scene.AddClient(Peer, NatOptions.Symmetric);
            scene.RunFor(60);
            return scene.Network.TraceHash;
        }

        Assert.Equal(Run(), Run());
    }

    private static double Seconds(Instant at) => Math.Round((at - new Instant(0)).TotalSeconds, 3);
}
