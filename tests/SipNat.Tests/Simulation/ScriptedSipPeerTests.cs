using SipNat.Simulation;
using SipNat.Wire;

namespace SipNat.Tests.Simulation;

public sealed class ScriptedSipPeerTests
{
    private static readonly TransportAddress Server = TransportAddress.Parse("198.51.100.1:5060");

    [Theory]
    [InlineData(TransportProtocol.Udp)]
    [InlineData(TransportProtocol.Tcp)]
    public void A_session_is_set_up_sends_two_streams_through_a_nat_and_ends_with_bye(TransportProtocol transport)
    {
        var network = new SimulatedNetwork(seed: 1);
        var (recorder, _) = PlainRecorder.AddTo(network);
        var peer = ScriptedSipPeer.AddTo(network, "192.168.1.10", Options with { Transport = transport }, network.AddNat("203.0.113.1"));

        network.RunFor(TimeSpan.FromSeconds(20));

        Assert.Equal(["INVITE", "ACK", "BYE"], recorder.Requests.Select(request => request.Method));
        Assert.Equal(["1 INVITE", "1 ACK", "2 BYE"], recorder.Requests.Select(request => request.CSeq));
        Assert.Equal([200, 200], peer.Responses.Select(response => response.Status));
        Assert.Equal(ScriptedPeerState.Ended, peer.State);
        // 10 s of 20 ms on each of two streams, and one sender report each at 5 s.
        Assert.Equal((500, 500), (peer.Sent.Count(frame => frame.Stream == 0), peer.Sent.Count(frame => frame.Stream == 1)));
        Assert.Equal(1000 + 2, recorder.Media.Count);
        Assert.Equal(peer.Sent.Select(frame => (frame.Stream, frame.Index)), recorder.Media.Where(IsRtp).Select(FrameOf));
        network.AssertNothingRented();
    }

    [Fact]
    public void The_invite_is_a_recording_request_with_sdp_and_metadata()
    {
        var network = new SimulatedNetwork(seed: 2);
        var (recorder, _) = PlainRecorder.AddTo(network);
        ScriptedSipPeer.AddTo(network, "192.0.2.10", Options with { Labels = ["a/b"], ExtraHeaders = ["X-Test: yes"] });

        network.RunFor(TimeSpan.FromSeconds(1));

        var invite = recorder.Requests[0];
        Assert.Equal(("siprec", "yes"), (invite.Header("Require"), invite.Header("X-Test")));
        Assert.EndsWith(">;+sip.src", invite.Header("Contact"), StringComparison.Ordinal);
        Assert.StartsWith("multipart/mixed;boundary=", invite.Header("Content-Type"), StringComparison.Ordinal);
        Assert.Equal(invite.Header("Content-Length"), $"{invite.Body.Length}");
        Assert.Equal(["a=label:a/b", "a=label:2"], invite.Body.Split("\r\n").Where(line => line.StartsWith("a=label", StringComparison.Ordinal)));
        Assert.Contains("<label>a/b</label>", invite.Body, StringComparison.Ordinal);
        Assert.Contains("c=IN IP4 192.0.2.10", invite.Body, StringComparison.Ordinal);
    }

    [Fact]
    public void An_unanswered_invite_is_sent_seven_times_in_32_seconds() // RFC 3261 §17.1.1.2
    {
        var network = new SimulatedNetwork(seed: 3) { Delay = TimeSpan.Zero };
        var (recorder, _) = PlainRecorder.AddTo(network);
        recorder.Status = 0;
        var sentAt = new List<double>();
        network.Trace = packet =>
        {
            if (packet.Stage is PacketStage.Sent) sentAt.Add((packet.At - new Instant(0)).TotalSeconds);
        };
        var peer = ScriptedSipPeer.AddTo(network, "192.0.2.10", Options);

        network.RunFor(TimeSpan.FromMinutes(1));

        Assert.Equal([0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5], sentAt);
        Assert.Equal((ScriptedPeerState.Failed, 0), (peer.State, peer.Sent.Count));
    }

    [Fact]
    public void A_lossy_path_is_survived_by_retransmission()
    {
        for (var seed = 0; seed < 20; seed++)
        {
            var network = new SimulatedNetwork(seed) { Loss = 0.3, Duplication = 0.1, Jitter = TimeSpan.FromMilliseconds(60) };
            var (recorder, _) = PlainRecorder.AddTo(network);
            var peer = ScriptedSipPeer.AddTo(network, "192.168.1.10", Options, network.AddNat("203.0.113.1"));

            network.RunFor(TimeSpan.FromSeconds(90));

            Assert.Equal(ScriptedPeerState.Ended, peer.State);
            Assert.Equal(1000, peer.Sent.Count);
            Assert.InRange(recorder.Media.Where(IsRtp).Select(FrameOf).Distinct().Count(), 600, 900);
            network.AssertNothingRented();
        }
    }

    [Fact]
    public void A_refusal_is_acknowledged_and_nothing_is_sent()
    {
        var network = new SimulatedNetwork(seed: 4);
        var (recorder, _) = PlainRecorder.AddTo(network);
        recorder.Status = 403;
        var peer = ScriptedSipPeer.AddTo(network, "192.0.2.10", Options);

        network.RunFor(TimeSpan.FromSeconds(5));

        Assert.Equal(["INVITE", "ACK"], recorder.Requests.Select(request => request.Method));
        Assert.Equal(recorder.Requests[0].Header("Via"), recorder.Requests[1].Header("Via"));
        Assert.Equal((ScriptedPeerState.Failed, 403, 0), (peer.State, peer.Responses[0].Status, peer.Sent.Count));
    }

    [Fact]
    public void A_held_stream_is_silent_and_resumes_at_its_place_in_time()
    {
        var network = new SimulatedNetwork(seed: 5) { Delay = TimeSpan.Zero };
        var (recorder, _) = PlainRecorder.AddTo(network);
        var peer = ScriptedSipPeer.AddTo(network, "192.0.2.10", Options with
        {
            Streams = 1,
            Duration = TimeSpan.FromSeconds(6),
            Changes = [new(TimeSpan.FromSeconds(2), ScriptedChangeKind.Hold), new(TimeSpan.FromSeconds(4), ScriptedChangeKind.Resume)],
        });

        network.RunFor(TimeSpan.FromSeconds(10));

        Assert.Equal(["INVITE", "ACK", "INVITE", "ACK", "INVITE", "ACK", "BYE"], recorder.Requests.Select(request => request.Method));
        Assert.Contains("a=inactive", recorder.Requests[2].Body, StringComparison.Ordinal);
        Assert.Equal("o=client", recorder.Requests[4].Body.Split("\r\n")[1][..8]);
        Assert.Equal(" 3 ", recorder.Requests[4].Body.Split("\r\n")[1].Split("IN IP4")[0][^3..]);
        var missing = Enumerable.Range(0, 300).Except(peer.Sent.Select(frame => frame.Index)).ToList();
        Assert.Equal((100, 200), (missing[0], missing[^1]));
        Assert.Equal(101, missing.Count);
        AssertTimestampsFollowPlaces(peer.Sent);
    }

    [Fact]
    public void A_moved_stream_sends_from_its_other_port()
    {
        var network = new SimulatedNetwork(seed: 6);
        var (recorder, _) = PlainRecorder.AddTo(network);
        ScriptedSipPeer.AddTo(network, "192.0.2.10", Options with { Streams = 1, Duration = TimeSpan.FromSeconds(4), Changes = [new(TimeSpan.FromSeconds(2), ScriptedChangeKind.Move)] });

        network.RunFor(TimeSpan.FromSeconds(10));

        Assert.Equal([40000, 41000], recorder.Media.Where(IsRtp).Select(packet => (int)packet.From.Port).Distinct());
        Assert.Contains("m=audio 41000", recorder.Requests[2].Body, StringComparison.Ordinal);
    }

    [Fact]
    public void What_the_options_do_wrong_happens_at_its_frame()
    {
        var network = new SimulatedNetwork(seed: 7);
        var (recorder, _) = PlainRecorder.AddTo(network);
        var peer = ScriptedSipPeer.AddTo(network, "192.168.1.10", Options with
        {
            Streams = 1,
            RtcpInterval = null,
            FirstSequenceNumber = 65530,
            FirstTimestamp = 0xFFFF_FF00,
            TimestampJumpAtFrame = 100,
            TimestampJump = 1_000_000,
            SsrcChangeAtFrame = 200,
            SourcePortOffset = 50,
            AdvertisedMedia = TransportAddress.Parse("10.1.2.3"),
            AdvertisedSignalling = TransportAddress.Parse("10.1.2.4:5099"),
            HasRport = false,
            Gaps = [new(0, 300, 10)],
        }, network.AddNat("203.0.113.1"));

        network.RunFor(TimeSpan.FromSeconds(15));

        var sent = peer.Sent;
        Assert.Equal(490, sent.Count);
        Assert.Equal([65530, 65535, 0], new[] { sent[0], sent[5], sent[6] }.Select(frame => (int)frame.SequenceNumber));
        Assert.Equal([0xFFFF_FF00, 0xFFFF_FFA0, 0x40], sent.Take(3).Select(frame => frame.Timestamp));
        Assert.Equal(1_000_160u, sent[100].Timestamp - sent[99].Timestamp);
        Assert.Equal(2, sent.Select(frame => frame.Ssrc).Distinct().Count());
        Assert.NotEqual(sent[199].Ssrc, sent[200].Ssrc);
        Assert.Equal((299, 310), (sent[299].Index, sent[300].Index));
        Assert.Equal(1, sent[300].SequenceNumber - sent[299].SequenceNumber);
        Assert.Equal([40050], recorder.Media.Select(packet => (int)packet.From.Port).Distinct());
        Assert.Contains("c=IN IP4 10.1.2.3", recorder.Requests[0].Body, StringComparison.Ordinal);
        Assert.StartsWith("SIP/2.0/UDP 10.1.2.4:5099;branch=", recorder.Requests[0].Header("Via"), StringComparison.Ordinal);
        Assert.DoesNotContain("rport", recorder.Requests[0].Header("Via")!, StringComparison.Ordinal);
    }

    [Fact]
    public void Requests_of_the_recorder_are_answered_and_its_bye_ends_the_session()
    {
        var network = new SimulatedNetwork(seed: 8);
        var (recorder, host) = PlainRecorder.AddTo(network);
        var peer = ScriptedSipPeer.AddTo(network, "192.0.2.10", Options with { Duration = null });
        network.RunFor(TimeSpan.FromSeconds(3));

        host.Run(_ => recorder.Request("OPTIONS"));
        host.Run(_ => recorder.Request("OPTIONS", callId: "another"));
        host.Run(_ => recorder.Request("UPDATE"));
        host.Run(_ => recorder.Request("INVITE"));
        host.Run(_ => recorder.Request("BYE"));
        network.RunFor(TimeSpan.FromSeconds(3));

        Assert.Equal([200, 481, 200, 200, 200], recorder.Responses.Select(response => response.Status));
        Assert.Contains("m=audio", recorder.Responses[3].Body, StringComparison.Ordinal);
        Assert.Equal(ScriptedPeerState.Ended, peer.State);
        Assert.True(peer.Sent[^1].At < new Instant(0) + TimeSpan.FromSeconds(3.1));
    }

    [Fact]
    public void A_dead_peer_answers_nothing_and_a_hurried_one_hangs_up_early()
    {
        var network = new SimulatedNetwork(seed: 9);
        var (recorder, host) = PlainRecorder.AddTo(network);
        var peer = ScriptedSipPeer.AddTo(network, "192.0.2.10", Options with { Keepalive = TimeSpan.FromSeconds(1) });
        network.RunFor(TimeSpan.FromSeconds(2.5));
        peer.AnswersRequests = false;
        host.Run(_ => recorder.Request("OPTIONS"));
        network.RunFor(TimeSpan.FromSeconds(1));
        Assert.Empty(recorder.Responses);
        Assert.Equal(3, recorder.Media.Count(packet => packet.Text == "\r\n\r\n"));

        peer.HangUp();
        network.RunFor(TimeSpan.FromSeconds(1));

        Assert.Equal((ScriptedPeerState.Ended, "BYE"), (peer.State, recorder.Requests[^1].Method));
    }

    [Fact]
    public void What_arrives_on_media_sockets_is_kept_with_its_kind_and_stream()
    {
        var network = new SimulatedNetwork(seed: 10);
        var (recorder, host) = PlainRecorder.AddTo(network);
        var peer = ScriptedSipPeer.AddTo(network, "192.0.2.10", Options with { Duration = null });
        network.RunFor(TimeSpan.FromSeconds(1));
        var flow = recorder.Media[0].Flow;

        foreach (var (port, hex) in new[] { (40000, "8000"), (40003, "80C9"), (40002, "0001"), (40001, "FF") })
        {
            host.Run(_ => recorder.Outbox.Add(flow, TransportAddress.Parse($"192.0.2.10:{port}"), Convert.FromHexString(hex)));
        }

        network.RunFor(TimeSpan.FromSeconds(1));

        Assert.Equal(
            [(0, ReceivedMediaKind.Rtp), (1, ReceivedMediaKind.Rtcp), (1, ReceivedMediaKind.Stun), (0, ReceivedMediaKind.Other)],
            peer.Media.Select(packet => (packet.Stream, packet.Kind)));
    }

    [Fact]
    public void Every_frame_names_itself_and_a_changed_byte_is_noticed()
    {
        foreach (var (stream, index) in new[] { (0, 0), (1, 0), (0, 1), (255, int.MaxValue), (7, 123_456) })
        {
            var payload = ScriptedFrame.Payload(stream, index);
            Assert.True(ScriptedFrame.TryRead(payload, out var readStream, out var readIndex));
            Assert.Equal((stream, index), (readStream, readIndex));

            for (var i = 0; i < payload.Length; i++)
            {
                payload[i] ^= 0x40;
                var isRead = ScriptedFrame.TryRead(payload, out readStream, out readIndex);
                Assert.False(isRead && (readStream, readIndex) == (stream, index));
                payload[i] ^= 0x40;
                Assert.False(ScriptedFrame.TryRead(payload.AsSpan(0, i), out _, out _));
            }
        }
    }

    private static ScriptedPeerOptions Options => new() { Server = Server };

    private static bool IsRtp(ReceivedDatagram packet) => packet.Bytes is [0x80, < 192 or > 223, ..];

    private static (int Stream, int Index) FrameOf(ReceivedDatagram packet)
    {
        Assert.True(ScriptedFrame.TryRead(packet.Bytes.AsSpan(12), out var stream, out var index));
        return (stream, index);
    }

    private static void AssertTimestampsFollowPlaces(IReadOnlyList<SentFrame> sent) => Assert.All(sent, frame =>
        Assert.Equal(unchecked(sent[0].Timestamp + (uint)((frame.Index - sent[0].Index) * ScriptedFrame.Length)), frame.Timestamp));
}
