using SipNat.Endpoint;
using SipNat.Simulation;
using SipNat.Simulation.Recorder;
using SipNat.Sip.Messages;
using SipNat.Wire;

namespace SipNat.Tests.Endpoint.Signalling;

/// <summary>Who may not record, and what cannot be recorded.</summary>
public sealed class RefusalTests
{
    private static readonly SimulatedRecorderOptions OnlyOneNetwork = new() { AllowedNetworks = [NetworkPrefix.Parse("192.0.2.0/24")] };

    [Fact]
    public void A_stranger_gets_403_and_nothing_is_recorded_and_nothing_sent_to_its_description()
    {
        var scene = new RecorderScene(seed: 90, OnlyOneNetwork);
        var victim = scene.Network.AddHost("203.0.113.66", new DatagramProbe());
        var stranger = ManualClient.AddTo(scene, "203.0.113.5");
        stranger.Send("INVITE", ManualClient.Sdp("203.0.113.66"));
        stranger.RunFor(0.5);

        Assert.Equal(["403 1 INVITE"], stranger.Statuses);
        stranger.Acknowledge();
        stranger.RunFor(60);
        Assert.Equal(["403 1 INVITE"], stranger.Statuses);
        Assert.Empty(stranger.Media);
        Assert.Equal(0, victim.PacketsReceived);
        Assert.Empty(scene.Recorder.Sessions);
        Assert.Equal((0, 0, 1L), (scene.Recorder.Signalling.Transactions, scene.Recorder.Media.Sessions, scene.Recorder.Signalling.Counters.Refused));
        Assert.Equal(
            [new SignallingNotice.NotAllowed(TransportAddress.Parse("203.0.113.5:5060"), SipMethod.Invite)],
            scene.Recorder.Notices);
    }

    [Fact]
    public void A_thousand_invites_of_a_stranger_get_five_answers_a_second_and_leave_nothing_behind()
    {
        var scene = new RecorderScene(seed: 91, OnlyOneNetwork);
        var stranger = ManualClient.AddTo(scene, "203.0.113.5");
        for (var i = 0; i < 1000; i++)
        {
            stranger.CallId = $"flood-{i}";
            stranger.Send("INVITE", ManualClient.Sdp());
            stranger.RunFor(0.002);
        }

        stranger.RunFor(1);
        Assert.Equal(10, stranger.Statuses.Count);
        Assert.All(stranger.Statuses, s => Assert.StartsWith("403", s, StringComparison.Ordinal));
        Assert.Equal((0, 990L), (scene.Recorder.Signalling.Transactions, scene.Recorder.Signalling.RefusalsDropped));
        Assert.Empty(scene.Recorder.Sessions);
        scene.Network.AssertNothingRented();
    }

    [Theory]
    [InlineData("CSeq: 1 INVITE", "CSeq: 1 BYE", 1)]
    [InlineData("INVITE sip:", "INVITE urn:", 1)]
    [InlineData("SIP/2.0\r\n", "NOT-SIP\r\n", 0)]
    [InlineData("INVITE", "CANCEL", 1)]
    public void A_thousand_messages_of_a_stranger_that_cannot_be_served_get_five_answers_a_second(string part, string fault, int answers)
    {
        var scene = new RecorderScene(seed: 95, OnlyOneNetwork);
        var stranger = ManualClient.AddTo(scene, "203.0.113.5");
        var invite = stranger.Send("INVITE", ManualClient.Sdp()).Replace(part, fault, StringComparison.Ordinal);
        stranger.RunFor(2);
        for (var i = 0; i < 1000; i++)
        {
            stranger.SendText(invite);
            stranger.RunFor(0.002);
        }

        stranger.RunFor(1);
        Assert.Equal(1 + (10 * answers), stranger.Statuses.Count);
        Assert.Equal((0, 990L), (scene.Recorder.Signalling.Transactions, scene.Recorder.Signalling.RefusalsDropped));
        Assert.InRange(scene.Recorder.Notices.Count, 1, 11);
        scene.Network.AssertNothingRented();
    }

    [Fact]
    public void A_malformed_request_of_an_allowed_client_is_always_answered()
    {
        var scene = new RecorderScene(seed: 96, OnlyOneNetwork);
        var client = ManualClient.AddTo(scene);
        for (var i = 0; i < 100; i++) client.SendText(client.Send("OPTIONS", cseq: i).Replace(" OPTIONS\r\n", " BYE\r\n", StringComparison.Ordinal));
        client.RunFor(0.5);

        Assert.Equal(100, client.Responses.Count(r => r.Status == 400));
    }

    [Fact]
    public void Nobody_outside_the_allowed_networks_can_touch_a_session()
    {
        var scene = new RecorderScene(seed: 92, OnlyOneNetwork);
        var client = ManualClient.AddTo(scene);
        client.Establish();
        var stranger = ManualClient.AddTo(scene, "203.0.113.5");
        (stranger.CallId, stranger.FromTag, stranger.ToTag) = (client.CallId, client.FromTag, client.ToTag);
        stranger.Send("BYE", cseq: 9);
        stranger.RunFor(0.1);
        stranger.ToTag = "";
        stranger.Send("BYE", cseq: 10);
        stranger.RunFor(0.1);

        Assert.Equal(["403 9 BYE", "403 10 BYE"], stranger.Statuses);
        Assert.Equal(1, scene.Recorder.Signalling.Sessions);
    }

    [Theory]
    [InlineData("Require: siprec, gruu, outbound", 420, "Unsupported: gruu, outbound")]
    [InlineData("Content-Encoding: gzip", 415, "Accept-Encoding: identity")]
    public void A_request_that_demands_what_is_not_there_is_refused_with_its_name(string header, int status, string answer)
    {
        var (scene, client) = Scene();
        client.Send("INVITE", ManualClient.Sdp(), headers: [header]);
        client.RunFor(0.1);

        Assert.Equal(status, client.LastResponse.Status);
        Assert.Equal(answer.Split(": ")[1], client.LastResponse.Header(answer.Split(": ")[0]));
        Assert.Empty(scene.Recorder.Sessions);
    }

    [Theory]
    [InlineData("no description at all", "application/sdp", 400, "399 SipNat \"The session description cannot be read: ")]
    [InlineData("v=0\r\nc=IN IP4 192.0.2.20\r\nm=video 4000 RTP/AVP 31\r\n", "application/sdp", 488, "399 SipNat \"medium 1: not audio\"")]
    [InlineData("v=0\r\nc=IN IP4 192.0.2.20\r\nm=audio 4000 RTP/AVP 13 96\r\n", "application/sdp", 488, "399 SipNat \"medium 1: no audio codec that has a name; offered CN, 96\"")]
    [InlineData("v=0\r\nc=IN IP4 192.0.2.20\r\nm=audio 4000 RTP/SAVP 0\r\n", "application/sdp", 488, "399 SipNat \"medium 1: RTP/SAVP without a=crypto; offer keys (RFC 4568), or RTP/AVP\"")]
    [InlineData("v=0\r\nc=IN IP4 192.0.2.20\r\nm=audio 4000 UDP/TLS/RTP/SAVP 0\r\n", "application/sdp", 488, "399 SipNat \"medium 1: DTLS-SRTP is not supported; offer RTP/SAVP with a=crypto (RFC 4568), or RTP/AVP\"")]
    [InlineData("v=0\r\nc=IN IP4 192.0.2.20\r\nm=audio 4000 RTP/SAVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:QUJD\r\n", "application/sdp", 488, "399 SipNat \"medium 1: no a=crypto line that can be taken; offer AES_CM_128_HMAC_SHA1_80 with inline key and no session parameters\"")]
    [InlineData("{}", "application/json", 415, null)]
    public void What_cannot_be_recorded_is_refused_with_a_warning_that_names_the_fault(string body, string type, int status, string? warning)
    {
        var (scene, client) = Scene();
        client.Send("INVITE", body, type);
        client.RunFor(0.1);

        Assert.Equal(status, client.LastResponse.Status);
        Assert.StartsWith(warning ?? "", client.LastResponse.Header("Warning") ?? "", StringComparison.Ordinal);
        Assert.Equal("application/sdp, application/rs-metadata+xml, application/rs-metadata, multipart/mixed", client.LastResponse.Header("Accept"));
        Assert.Empty(scene.Recorder.Sessions);
        Assert.Equal(1, scene.Recorder.Signalling.Counters.Unrecordable);
        client.Acknowledge();
        client.RunFor(40);
        Assert.Equal(0, scene.Recorder.Signalling.Transactions);
    }

    [Fact]
    public void One_stream_that_can_be_recorded_is_enough()
    {
        var (scene, client) = Scene();
        client.Send("INVITE", "v=0\r\nc=IN IP4 192.0.2.20\r\nm=video 4000 RTP/AVP 31\r\na=label:v\r\nm=audio 40002 RTP/AVP 0\r\na=label:a\r\n");
        client.RunFor(0.1);

        Assert.Equal(200, client.LastResponse.Status);
        Assert.Equal([("v", 0), ("a", 10000)], ScriptedAnswer.Read(client.LastResponse.Body).Select(a => (a.Label!, (int)a.Rtp.Port)));
        client.Acknowledge();
        client.Talk(1, 0, 10);
        Assert.Contains("media-refused", scene.Session.Findings);
        client.Send("BYE");
        client.RunFor(1);
        Assert.Equal(10, scene.Session.FileOf(1).Frames().Count);
    }

    [Fact]
    public void An_offer_without_a_stream_waits_for_one()
    {
        var (scene, client) = Scene();
        client.Send("INVITE", "v=0\r\nc=IN IP4 192.0.2.20\r\nm=audio 0 RTP/AVP 0\r\n");
        client.RunFor(0.1);
        Assert.Equal(200, client.LastResponse.Status);
        client.Acknowledge();
        client.Send("INVITE", ManualClient.Sdp(streams: 1));
        client.RunFor(0.1);
        client.Acknowledge();
        client.Talk(0, 0, 10);

        Assert.Equal("recvonly", scene.Session.Snapshot.Streams[0].Direction);
        client.Send("BYE");
        client.RunFor(1);
        Assert.Equal(10, scene.Session.FileOf(0).Frames().Count);
    }

    [Fact]
    public void Options_says_what_is_taken_and_503_while_the_recorder_is_full_or_drains()
    {
        var (scene, client) = Scene(new() { MaxSessions = 1 });
        client.Send("OPTIONS");
        client.RunFor(0.1);
        Assert.Equal(
            ("200 1 OPTIONS", "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, PRACK", "siprec, timer, 100rel, replaces"),
            (client.Statuses[^1], client.LastResponse.Header("Allow"), client.LastResponse.Header("Supported")));

        client.Establish();
        var established = client.ToTag;
        (client.CallId, client.ToTag) = ("another", "");
        client.Send("OPTIONS");
        client.Send("INVITE", ManualClient.Sdp());
        client.RunFor(0.1);
        Assert.Equal(["503 3 OPTIONS", "503 4 INVITE"], client.Statuses.Skip(2).Take(2));
        Assert.All(client.Responses.TakeLast(2), response => Assert.Equal(
            ("30", "399 SipNat \"As many sessions are open as may be: 1 (Sip:MaxSessions)\""),
            (response.Header("Retry-After"), response.Header("Warning"))));

        (client.CallId, client.ToTag) = ("manual-call", established);
        client.Send("BYE");
        client.RunFor(0.5);
        scene.Recorder.Signalling.Drain();
        client.ToTag = "";
        client.Send("OPTIONS");
        client.RunFor(0.1);
        Assert.Equal((503, "399 SipNat \"The server is being stopped\""), (client.LastResponse.Status, client.LastResponse.Header("Warning")));
    }

    [Fact]
    public void While_something_is_short_no_session_begins_and_those_that_run_go_on()
    {
        var (scene, client) = Scene();
        var signalling = scene.Recorder.Signalling;
        client.Establish(ManualClient.Sdp(streams: 1));
        var established = client.ToTag;
        signalling.SetOverload("The \"disk\" is behind");
        (client.CallId, client.ToTag) = ("another", "");
        client.Send("INVITE", ManualClient.Sdp());
        client.Send("OPTIONS");
        client.RunFor(0.1);
        Assert.Equal(["503 2 INVITE", "503 3 OPTIONS"], client.Statuses.Skip(1));
        Assert.All(client.Responses.TakeLast(2), response => Assert.Equal(
            ("30", "399 SipNat \"The \\\"disk\\\" is behind\""),
            (response.Header("Retry-After"), response.Header("Warning"))));

        (client.CallId, client.ToTag) = ("manual-call", established);
        client.Send("UPDATE", ManualClient.Sdp(streams: 1));
        client.RunFor(0.1);
        client.Talk(0, 0, 25, i => client.SendFrame(0, i, ScriptedAnswer.Read(client.Responses.First(r => r.Status == 200).Body)[0].Rtp));
        client.Send("BYE");
        client.RunFor(1);
        Assert.Equal(["200", "200"], client.Statuses.TakeLast(2).Select(status => status[..3]));
        Assert.Equal(25, scene.Recorder.Sessions.Single().FileOf(0).Frames().Count);

        signalling.SetOverload(null);
        (client.CallId, client.ToTag) = ("third", "");
        client.Establish();
        Assert.Equal((1, 1L), (signalling.Sessions, signalling.Counters.Overloaded));
    }

    [Fact]
    public void Of_sessions_that_are_turned_away_the_log_has_the_first_and_then_their_number_each_ten_seconds()
    {
        var (scene, client) = Scene();
        scene.Recorder.Signalling.SetOverload("The disk is behind");
        for (var i = 0; i < 12; i++)
        {
            (client.CallId, client.ToTag) = ($"call-{i}", "");
            client.Send("INVITE", ManualClient.Sdp());
            client.RunFor(1);
        }

        Assert.Equal(
            [(1, "The disk is behind"), (10, "The disk is behind")],
            scene.Recorder.Notices.OfType<SignallingNotice.TurnedAway>().Select(notice => (notice.Count, notice.Reason)));
    }

    [Fact]
    public void A_peer_that_is_full_gets_503_while_another_is_served()
    {
        var (scene, client) = Scene(new() { MaxSessionsPerPeer = 1 });
        var other = ManualClient.AddTo(scene, "203.0.113.5");
        client.Establish();
        var established = client.ToTag;
        (client.CallId, client.ToTag) = ("another", "");
        client.Send("INVITE", ManualClient.Sdp());
        client.Send("OPTIONS");
        client.RunFor(0.1);
        Assert.Equal(["503 2 INVITE", "200 3 OPTIONS"], client.Statuses.Skip(1));
        Assert.Equal(
            ("30", "399 SipNat \"As many sessions of this address are open as may be: 1 (Sip:MaxSessionsPerPeer)\""),
            (client.Responses.Single(r => r.Status == 503).Header("Retry-After"), client.Responses.Single(r => r.Status == 503).Header("Warning")));

        other.CallId = "other-call";
        other.Establish();
        (client.CallId, client.ToTag) = ("manual-call", established);
        client.Send("BYE");
        client.RunFor(0.5);
        (client.CallId, client.ToTag) = ("third", "");
        client.Establish();

        Assert.Equal((2, 1L), (scene.Recorder.Signalling.Sessions, scene.Recorder.Signalling.Counters.Overloaded));
    }

    [Fact]
    public void Invites_that_nobody_acknowledges_fill_two_places_and_leave_room_for_those_who_do()
    {
        var (scene, client) = Scene(new() { MaxUnacknowledgedPerPeer = 2 });
        var flood = ManualClient.AddTo(scene, "203.0.113.5");
        flood.Answer = _ => null;
        for (var i = 0; i < 50; i++)
        {
            (flood.CallId, flood.ToTag) = ($"flood-{i}", "");
            flood.Send("INVITE", ManualClient.Sdp("203.0.113.5"));
            flood.RunFor(0.02);
        }

        client.Establish();
        for (var i = 0; i < 3; i++)
        {
            (client.CallId, client.ToTag) = ($"acknowledged-{i}", "");
            client.Establish();
        }

        Assert.All(flood.Responses.Where(r => r.Status == 503), response => Assert.Equal(
            "399 SipNat \"As many sessions of this address were never acknowledged as may be: 2\"", response.Header("Warning")));
        Assert.Equal((48, 6), (flood.Statuses.Count(s => s.StartsWith("503", StringComparison.Ordinal)), scene.Recorder.Signalling.Sessions));

        flood.RunFor(120);
        (flood.CallId, flood.ToTag) = ("later", "");
        flood.Establish();
        Assert.Equal(5, scene.Recorder.Signalling.Sessions);
    }

    [Fact]
    public void A_dialog_that_floods_with_offers_gets_twenty_answers_a_second_and_records_on()
    {
        var (scene, client) = Scene();
        client.Establish(ManualClient.Sdp(streams: 1));
        client.RunFor(1);
        var transactions = scene.Recorder.Signalling.Transactions;
        client.Talk(0, 0, 25, i =>
        {
            client.SendFrame(0, i, ScriptedAnswer.Read(client.Responses.First(r => r.Status == 200).Body)[0].Rtp);
            for (var j = 0; j < 20; j++) client.Send("UPDATE", ManualClient.Sdp(streams: 1));
        });

        var answers = client.Statuses.Where(s => s.EndsWith("UPDATE", StringComparison.Ordinal)).CountBy(s => s[..3]).OrderBy(pair => pair.Key, StringComparer.Ordinal).ToList();
        Assert.Equal([new("200", 20), new("503", 480)], answers);
        Assert.Equal("1", client.Responses.First(r => r.Status == 503).Header("Retry-After"));
        Assert.InRange(scene.Recorder.Signalling.Transactions, transactions, transactions + 20);

        client.Send("BYE");
        client.RunFor(1);
        Assert.StartsWith("200", client.Statuses[^1], StringComparison.Ordinal);
        Assert.Equal(25, scene.Recorder.Sessions.Single().FileOf(0).Frames().Count);
    }

    [Fact]
    public void Answers_outside_a_session_keep_no_state_and_have_a_bound_for_each_source()
    {
        var (scene, client) = Scene(new() { AnswersPerSecond = 40 });
        var other = ManualClient.AddTo(scene, "203.0.113.5");
        client.Establish();
        client.RunFor(1);
        var transactions = scene.Recorder.Signalling.Transactions;
        var tag = client.ToTag;
        client.ToTag = "";
        for (var i = 0; i < 100; i++) client.Send(i % 2 == 0 ? "OPTIONS" : "INFO");
        other.Send("OPTIONS");
        client.RunFor(0.1);

        Assert.Equal((20, 20), (client.Statuses.Count(s => s.StartsWith("481", StringComparison.Ordinal)), client.Statuses.Count(s => s.EndsWith("OPTIONS", StringComparison.Ordinal))));
        Assert.Equal(["200 1 OPTIONS"], other.Statuses);
        Assert.Equal(60, scene.Recorder.Signalling.RefusalsDropped);
        Assert.Equal(transactions, scene.Recorder.Signalling.Transactions);

        client.ToTag = tag;
        client.Send("BYE");
        client.RunFor(0.5);
        Assert.StartsWith("200", client.Statuses[^1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("BYE", 481)]
    [InlineData("UPDATE", 481)]
    [InlineData("INFO", 481)]
    [InlineData("SUBSCRIBE", 405)]
    [InlineData("REGISTER", 405)]
    [InlineData("FROBNICATE", 501)]
    public void A_request_without_a_session_gets_the_status_of_its_method(string method, int status)
    {
        var (_, client) = Scene();
        client.Send(method);
        client.RunFor(0.1);

        Assert.Equal(status, client.LastResponse.Status);
    }

    [Fact]
    public void Bad_input_of_every_kind_leaves_the_recorder_at_work()
    {
        var (scene, client) = Scene();
        var random = new Random(93);
        var invite = client.Send("INVITE", ManualClient.Sdp());
        client.RunFor(0.1);
        client.Acknowledge();
        for (var i = 0; i < 400; i++)
        {
            var bytes = invite.Replace("manual-call", $"bad-{i}", StringComparison.Ordinal).Replace("z9hG4bKb1;", $"z9hG4bKbad{i};", StringComparison.Ordinal).ToCharArray();
            for (var change = 0; change < 5; change++) bytes[random.Next(bytes.Length)] = (char)random.Next(256);
            client.SendText(new string(bytes, 0, i % 2 == 0 ? bytes.Length : random.Next(bytes.Length)));
            client.RunFor(0.001);
        }

        client.Talk(0, 0, 10);
        client.Send("BYE", cseq: 500);
        client.RunFor(60);

        Assert.Equal("200 500 BYE", client.Statuses.Single(s => s.EndsWith("BYE", StringComparison.Ordinal)));
        Assert.Equal(10, scene.Recorder.Sessions.Single(s => s.Snapshot.CallId is "manual-call").FileOf(0).Frames().Count);
    }

    private static (RecorderScene Scene, ManualClient Client) Scene(SimulatedRecorderOptions? options = null)
    {
        var scene = new RecorderScene(seed: 94, options);
        return (scene, ManualClient.AddTo(scene));
    }
}
