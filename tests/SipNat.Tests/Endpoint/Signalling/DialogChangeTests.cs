using SipNat.Endpoint;
using SipNat.Simulation;
using SipNat.Wire;

namespace SipNat.Tests.Endpoint.Signalling;

/// <summary>What a client may change while its session runs.</summary>
public sealed class DialogChangeTests
{
    private readonly RecorderScene _scene = new(seed: 21);
    private readonly ManualClient _client;

    public DialogChangeTests() => _client = ManualClient.AddTo(_scene);

    [Fact]
    public void An_invite_without_description_gets_our_offer_and_the_ack_brings_the_answer()
    {
        _client.Send("INVITE");
        _client.RunFor(0.5);
        Assert.Equal(["200 1 INVITE"], _client.Statuses);
        Assert.Equal(
            ["c=IN IP4 198.51.100.10", "m=audio 10000 RTP/AVP 0 8 13 101", "a=recvonly"],
            Lines(_client.LastResponse.Body, "c=", "m=", "a=recvonly"));

        _client.Acknowledge(ManualClient.Sdp(streams: 1));
        _client.Talk(0, 0, 50);
        _client.Send("BYE");
        _client.RunFor(1);

        AssertFrames(0, [.. Enumerable.Range(0, 50)]);
        Assert.Equal("BYE from the peer.", _scene.Session.Snapshot.EndReason);
    }

    [Fact]
    public void An_ack_without_the_answer_to_our_offer_ends_the_session()
    {
        _client.Send("INVITE");
        _client.RunFor(0.1);
        _client.Acknowledge();
        _client.RunFor(1);

        Assert.Equal(["BYE"], _client.Methods);
        Assert.Equal("The ACK brought no answer to our offer that could be recorded.", _scene.Session.Snapshot.EndReason);
        Assert.Equal(0, _scene.Recorder.Signalling.Sessions);
    }

    [Fact]
    public void A_later_offer_of_ours_that_stays_unanswered_changes_nothing()
    {
        _client.Establish();
        _client.Talk(0, 0, 10);
        _client.Send("INVITE");
        _client.RunFor(0.1);
        _client.Acknowledge();
        _client.Talk(0, 15, 10);
        _client.Send("BYE");
        _client.RunFor(1);

        Assert.Equal(["200 1 INVITE", "200 2 INVITE", "200 3 BYE"], _client.Statuses);
        AssertFrames(0, [.. Enumerable.Range(0, 10), .. Enumerable.Range(15, 10)]);
    }

    [Theory]
    [InlineData("inactive")]
    [InlineData("recvonly")]
    public void A_hold_is_answered_with_inactive_and_its_time_is_silence(string direction)
    {
        _client.Establish();
        _client.Talk(0, 0, 50);
        _client.Send("INVITE", ManualClient.Sdp(direction: direction));
        _client.RunFor(0.1);
        Assert.Equal(["a=inactive", "a=inactive"], Lines(_client.LastResponse.Body, "a=inactive", "a=recvonly"));
        _client.Acknowledge();
        _client.RunFor(1.9);
        Assert.Equal(["inactive", "inactive"], _scene.Session.Snapshot.Streams.Select(s => s.Direction));

        _client.Send("INVITE", ManualClient.Sdp());
        _client.RunFor(0.1);
        Assert.Equal(["a=recvonly", "a=recvonly"], Lines(_client.LastResponse.Body, "a=inactive", "a=recvonly"));
        _client.Acknowledge();
        _client.Talk(0, 155, 50);
        _client.Send("BYE");
        _client.RunFor(1);

        AssertFrames(0, [.. Enumerable.Range(0, 50), .. Enumerable.Range(155, 50)]);
        Assert.Equal(TimeSpan.FromSeconds(2.1), _scene.Session.Snapshot.Streams[0].Report!.Stream.SilenceFilled);
    }

    [Fact]
    public void A_hold_by_0_0_0_0_keeps_the_packets_going_where_they_went() // RFC 3264 §8.4
    {
        _client.Establish();
        _client.Talk(0, 0, 50);
        _client.Send("INVITE", ManualClient.Sdp(address: "0.0.0.0", port: 49000));
        _client.RunFor(0.1);
        Assert.Equal(["a=inactive", "a=inactive"], Lines(_client.LastResponse.Body, "a=inactive", "a=recvonly"));
        _client.Acknowledge();
        var before = _client.Media.Count;
        _client.RunFor(60);

        Assert.InRange(_client.Media.Skip(before).Count(m => m.Stream == 0), 2, 4);
        Assert.All(_scene.Log.SentBy(_scene.Recorder.Host.Address).Where(p => p.IsRtp || p.IsRtcp), p => Assert.InRange(p.To.Port, 40000, 40003));
    }

    [Fact]
    public void A_third_stream_joins_and_leaves_while_the_others_go_on()
    {
        _client.Establish();
        _client.Talk(0, 0, 10);
        _client.Send("INVITE", ManualClient.Sdp(streams: 3));
        _client.RunFor(0.1);
        Assert.Equal(["m=audio 10000", "m=audio 10002", "m=audio 10004"], PortsOf(_client.LastResponse.Body));
        Assert.Equal(["a=label:1", "a=label:2", "a=label:3"], Lines(_client.LastResponse.Body, "a=label"));
        _client.Acknowledge();
        _client.Talk(2, 0, 10);
        _client.Talk(0, 26, 10);

        _client.Send("INVITE", ManualClient.Sdp(streams: 3).Replace("m=audio 40004", "m=audio 0", StringComparison.Ordinal));
        _client.RunFor(0.1);
        Assert.Equal(["m=audio 10000", "m=audio 10002", "m=audio 0"], PortsOf(_client.LastResponse.Body));
        Assert.Equal(["a=label:1", "a=label:2", "a=label:3"], Lines(_client.LastResponse.Body, "a=label"));
        _client.Acknowledge();
        _client.Talk(0, 42, 10);
        _client.Send("BYE");
        _client.RunFor(1);

        AssertFrames(0, [.. Enumerable.Range(0, 10), .. Enumerable.Range(26, 10), .. Enumerable.Range(42, 10)]);
        AssertFrames(2, [.. Enumerable.Range(0, 10)]);
        Assert.Equal(["recvonly", "recvonly", "inactive"], _scene.Session.Snapshot.Streams.Select(s => s.Direction));
    }

    [Fact]
    public void A_stream_for_which_there_is_no_port_is_refused_and_the_others_go_on()
    {
        var scene = new RecorderScene(seed: 22, new() { LastMediaPort = 10003, SparePorts = 2 });
        var client = ManualClient.AddTo(scene);
        client.Establish();
        client.Send("INVITE", ManualClient.Sdp(streams: 3));
        client.RunFor(0.1);

        Assert.Equal(["m=audio 10000", "m=audio 10002", "m=audio 0"], PortsOf(client.LastResponse.Body));
        client.Acknowledge();
        client.Talk(1, 0, 10);
        client.Send("BYE");
        client.RunFor(1);
        Assert.Equal(10, scene.Session.FileOf(1).Frames().Count);
        Assert.Contains("media-refused", scene.Session.Findings);
    }

    [Fact]
    public void A_session_for_which_there_is_no_port_is_refused_and_the_next_one_is_served()
    {
        var scene = new RecorderScene(seed: 23, new() { LastMediaPort = 10003, SparePorts = 1 });
        var client = ManualClient.AddTo(scene);
        client.Send("INVITE", ManualClient.Sdp(streams: 3));
        client.RunFor(0.1);
        Assert.Equal(["503 1 INVITE"], client.Statuses);
        Assert.Equal(("30", "399 SipNat \"No media ports left\""), (client.LastResponse.Header("Retry-After"), client.LastResponse.Header("Warning")));
        client.Acknowledge();

        client.CallId = "second";
        client.Send("INVITE", ManualClient.Sdp(streams: 2));
        client.RunFor(0.1);
        Assert.Equal(["503 1 INVITE", "200 2 INVITE"], client.Statuses);
        Assert.Equal(1, scene.Recorder.Signalling.Sessions);
    }

    [Fact]
    public void A_flood_of_sessions_for_which_there_is_no_port_begins_twenty_a_second()
    {
        var scene = new RecorderScene(seed: 24, new() { LastMediaPort = 10003, SparePorts = 1 });
        var client = ManualClient.AddTo(scene);
        for (var i = 0; i < 100; i++)
        {
            client.CallId = $"flood-{i}";
            client.Send("INVITE", ManualClient.Sdp(streams: 3));
            client.RunFor(0.005);
        }

        client.Send("OPTIONS");
        client.RunFor(0.1);
        Assert.Equal(Enumerable.Range(1, 100).Select(cseq => $"503 {cseq} INVITE").Append("503 101 OPTIONS"), client.Statuses.Distinct());
        Assert.Equal((21L, 79L), (scene.Recorder.Signalling.Counters.Begun, scene.Recorder.Signalling.Counters.Overloaded));
        Assert.Equal(21, scene.Recorder.Notices.OfType<SignallingNotice.OutOfPorts>().Count());

        client.RunFor(1);
        (client.CallId, client.ToTag) = ("second", "");
        client.Send("INVITE", ManualClient.Sdp(streams: 2));
        client.RunFor(0.1);
        Assert.Contains("200 102 INVITE", client.Statuses);
    }

    [Fact]
    public void A_move_to_another_port_is_followed_and_greeted_at_once()
    {
        _client.Establish();
        _client.Talk(0, 0, 50);
        _client.RunFor(30);
        _client.Send("INVITE", ManualClient.Sdp(port: ManualClient.MediaPort + 4));
        _client.RunFor(0.1);
        _client.Acknowledge();
        _client.RunFor(0.1);
        Assert.Contains(_client.Media, m => m is { Stream: 4, Kind: ReceivedMediaKind.Rtp });
        _client.Talk(0, 1560, 50, instead: i => _client.SendFrame(0, i, TransportOfStream0, portOffset: 4));
        _client.Send("BYE");
        _client.RunFor(1);

        Assert.Equal(100, _scene.Session.FileOf(0).Frames().Count);
        Assert.Equal($"{RecorderScene.PublicClient}:40004", _scene.Session.Snapshot.Streams[0].Report!.Remote.ToString());
    }

    [Fact]
    public void An_update_with_a_description_is_answered_with_one_and_without_is_not() // RFC 3311 §5.2
    {
        _client.Establish();
        _client.Send("UPDATE", ManualClient.Sdp(direction: "inactive"));
        _client.RunFor(0.1);
        Assert.Equal(["a=inactive", "a=inactive"], Lines(_client.LastResponse.Body, "a=inactive", "a=recvonly"));

        _client.Send("UPDATE");
        _client.RunFor(0.1);
        Assert.Equal(("", "<sip:recorder@198.51.100.10:5060>;+sip.srs"), (_client.LastResponse.Body, _client.LastResponse.Header("Contact")));
        Assert.Equal(["200 1 INVITE", "200 2 UPDATE", "200 3 UPDATE"], _client.Statuses);
        Assert.Equal("inactive", _scene.Session.Snapshot.Streams[0].Direction);
    }

    [Fact]
    public void An_update_with_nothing_but_metadata_is_taken()
    {
        _client.Establish();
        const string Metadata = """<recording xmlns="urn:ietf:params:xml:ns:recording:1"><datamode>complete</datamode><participant participant_id="p1"><nameID aor="sip:late@example.com"/></participant></recording>""";
        _client.Send("UPDATE", Metadata, "application/rs-metadata+xml", ["Content-Disposition: recording-session"]);
        _client.RunFor(0.1);

        Assert.Equal("200 2 UPDATE", _client.Statuses[^1]);
        Assert.Equal(["sip:late@example.com"], _scene.Session.Snapshot.Participants.Select(p => p.Aor));
        Assert.Equal(2, _scene.Session.Snapshot.Streams.Count(s => s.Direction is "recvonly"));
    }

    [Fact]
    public void A_refused_offer_leaves_everything_as_it_was() // RFC 3261 §14.2
    {
        _client.Establish(headers: ["Supported: timer", "Session-Expires: 1800;refresher=uac"]);
        _client.Talk(0, 0, 10);
        _client.Send("INVITE", ManualClient.Sdp(streams: 2).Replace("RTP/AVP 0 101", "RTP/SAVP 0", StringComparison.Ordinal), headers: ["Supported: timer", "Session-Expires: 100;refresher=uac"]);
        _client.RunFor(0.1);
        Assert.Equal("488 2 INVITE", _client.Statuses[^1]);
        Assert.StartsWith("399 SipNat \"medium 1: RTP/SAVP without a=crypto", _client.LastResponse.Header("Warning"), StringComparison.Ordinal);
        _client.Talk(0, 15, 10);
        _client.RunFor(200);

        Assert.Equal(1, _scene.Recorder.Signalling.Sessions);
        Assert.Equal(["recvonly", "recvonly"], _scene.Session.Snapshot.Streams.Select(s => s.Direction));
        _client.Send("BYE");
        _client.RunFor(1);
        AssertFrames(0, [.. Enumerable.Range(0, 10), .. Enumerable.Range(15, 10)]);
    }

    private TransportAddress TransportOfStream0 => ScriptedAnswer.Read(_client.Responses.Last(r => r.Body.Length > 0).Body)[0].Rtp;

    private static IReadOnlyList<string> Lines(string body, params string[] starts) =>
        [.. body.Split("\r\n").Where(line => Array.Exists(starts, s => line.StartsWith(s, StringComparison.Ordinal)))];

    private static IReadOnlyList<string> PortsOf(string body) => [.. Lines(body, "m=").Select(line => string.Join(' ', line.Split(' ')[..2]))];

    private void AssertFrames(int stream, IReadOnlyList<int> frames) =>
        Assert.Equal(frames.Select(f => (f, (f - frames[0]) * ScriptedFrame.Length)), _scene.Session.FileOf(stream).Frames());
}
