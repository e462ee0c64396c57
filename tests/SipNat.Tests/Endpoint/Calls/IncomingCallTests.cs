using SipNat.Endpoint.Calls;
using SipNat.Simulation;
using SipNat.Simulation.Calls;
using SipNat.Sip.Messages;
using SipNat.Wire;

namespace SipNat.Tests.Endpoint.Calls;

/// <summary>Calls of others, and what a telephone may do to a call that is up.</summary>
public sealed class IncomingCallTests
{
    private const string Dialog = "From: \"Bob\" <sip:bob@203.0.113.5>;tag=b\r\nTo: <sip:me@198.51.100.7>\r\nCall-ID: c1\r\n";
    private static readonly TransportAddress Us = TransportAddress.Parse("198.51.100.7:5060");

    private readonly SimulatedNetwork _network = new(7);
    private readonly ScriptedPhone _phone;
    private readonly SimulatedCaller _caller;
    private int _sequence = 1;

    public IncomingCallTests()
    {
        _phone = ScriptedPhone.AddTo(_network, "203.0.113.5:5060");
        _caller = SimulatedCaller.AddTo(_network, "198.51.100.7", signalling: new() { UsesIce = false, AllowedNetworks = [NetworkPrefix.Parse("203.0.113.0/24")], AllowedTargets = ["203.0.113.5"] });
        _caller.Core.DirectCalls = new();
    }

    [Fact]
    public void A_call_rings_until_it_is_accepted_carries_audio_both_ways_and_ends_with_the_callers_bye()
    {
        Invite(_phone.Sdp());
        _network.RunFor(TimeSpan.FromSeconds(2));
        Assert.Equal((CallState.Ringing, "sip:bob@203.0.113.5", "Bob"), (_caller.Call.State, _caller.Call.Remote, _caller.Call.RemoteName));
        Assert.Equal([180], Statuses());

        Accept();
        Acknowledge();
        _phone.Speak(RtpOf(Answer()));
        _network.RunFor(TimeSpan.FromSeconds(5));
        Assert.Equal(CallState.Established, _caller.Call.State);

        InDialog("BYE");
        _network.RunFor(TimeSpan.FromSeconds(2));
        var call = _caller.Call;
        Assert.Equal((true, true, "The other side hung up.", 0), (call.IsComplete, call.WasEndedByPeer, call.EndReason, _caller.Core.Calls));
        Assert.Equal(InboundVerdict.Audio, CallVerdict.Of(call).Inbound);
        Assert.InRange(_phone.Heard.Count(h => h.PayloadType == 0), 230, 260);
        Assert.Equal([180, 200, 200], Statuses());
    }

    [Fact]
    public void A_call_that_nobody_wants_is_refused()
    {
        Invite(_phone.Sdp());
        _network.RunFor(TimeSpan.FromSeconds(1));
        _caller.Host.Run(now => _caller.Core.RejectCall(now, _caller.Call.Id, 486));
        _network.RunFor(TimeSpan.FromMilliseconds(100));

        Assert.Equal([180, 486], Statuses().Distinct());
        Assert.True(_caller.Call.IsComplete);
    }

    [Fact]
    public void A_caller_who_gives_up_is_told_so()
    {
        Invite(_phone.Sdp());
        _network.RunFor(TimeSpan.FromSeconds(1));
        var via = "Via: SIP/2.0/UDP 203.0.113.5:5060;rport;branch=z9hG4bKphone1\r\n";
        Cancel(via);
        _network.RunFor(TimeSpan.FromMilliseconds(100));

        Assert.Equal([180, 200, 487], Statuses().Distinct());
        Assert.Equal(("The caller gave up.", true), (_caller.Call.EndReason, _caller.Call.WasEndedByPeer));
    }

    [Fact]
    public void Without_an_offer_ours_is_in_the_answer_and_the_callers_answer_in_its_ack()
    {
        Invite("");
        _network.RunFor(TimeSpan.FromSeconds(1));
        Accept();
        Assert.Contains("RTP/AVP 0 8 13 101", Answer().Body);

        Acknowledge(_phone.Sdp(formats: "8"));
        _network.RunFor(TimeSpan.FromSeconds(1));
        Assert.Equal((CallState.Established, "PCMA"), (_caller.Call.State, _caller.Call.Codec));
        Assert.True(_phone.Heard.Count(h => h.PayloadType == 8) > 40);
    }

    [Fact]
    public void An_answer_that_is_never_acknowledged_ends_with_bye_after_32_seconds() // RFC 3261 §13.3.1.4
    {
        Invite(_phone.Sdp());
        _network.RunFor(TimeSpan.FromSeconds(1));
        Accept();
        _network.RunFor(TimeSpan.FromSeconds(33));

        Assert.True(Statuses().Count(s => s == 200) > 6);
        Assert.NotNull(_phone.Last("BYE"));
        Assert.IsType<CallFailure.Lost>(_caller.Call.Failure);
    }

    [Fact]
    public void A_caller_who_wants_reliable_answers_gets_them_until_it_says_that_they_came() // RFC 3262 §3
    {
        Invite(_phone.Sdp(), headers: "Require: 100rel\r\n");
        _network.RunFor(TimeSpan.FromMilliseconds(1_800));
        var ringing = _phone.Responses.Last();
        Assert.Equal([180, 180, 180], Statuses());

        InDialog("PRACK", headers: $"RAck: {ringing.Header("RSeq")} 1 INVITE\r\n");
        _network.RunFor(TimeSpan.FromSeconds(10));
        Assert.Equal([180, 180, 180, 200], Statuses());

        InDialog("PRACK", headers: "RAck: 1 1 INVITE\r\n");
        _network.RunFor(TimeSpan.FromMilliseconds(100));
        Assert.Equal(481, Statuses().Last());
    }

    [Theory]
    [InlineData("Require: x-magic\r\n", null, 420)]
    [InlineData("", "v=0\r\nm=audio", 400)]
    [InlineData("", "v=0\r\nc=IN IP4 203.0.113.5\r\nm=audio 4000 RTP/AVP 96\r\na=rtpmap:96 SILK/24000\r\n", 488)]
    [InlineData("Session-Expires: 30\r\nSupported: timer\r\n", null, 422)]
    [InlineData("Content-Type: text/plain\r\n", "hello", 415)]
    public void What_cannot_be_taken_is_refused_for_what_it_is(string headers, string? body, int status)
    {
        Invite(body ?? _phone.Sdp(), headers);
        _network.RunFor(TimeSpan.FromMilliseconds(200));

        Assert.Equal([status], Statuses().Distinct());
        Assert.Equal(0, _caller.Core.Calls);
    }

    [Theory]
    [InlineData("sendonly", "recvonly", true, false)]
    [InlineData("inactive", "inactive", true, false)]
    [InlineData("recvonly", "sendonly", true, true)]
    public void The_other_side_may_hold_us_and_go_on(string offered, string answered, bool isHeld, bool maySend) // RFC 3264 §8.4
    {
        Establish();

        InDialog("INVITE", _phone.Sdp(offered));
        _network.RunFor(TimeSpan.FromMilliseconds(100));
        Assert.Contains($"a={answered}", Answer().Body);
        Assert.Equal((isHeld, maySend), (_caller.Call.IsHeldByPeer, _caller.Call.MaySend));
        Acknowledge();
        _network.RunFor(TimeSpan.FromSeconds(1));
        var heard = _phone.Heard.Count(h => h.PayloadType == 0);
        _network.RunFor(TimeSpan.FromSeconds(1));
        Assert.Equal(maySend, _phone.Heard.Count(h => h.PayloadType == 0) > heard);

        InDialog("INVITE", _phone.Sdp());
        _network.RunFor(TimeSpan.FromMilliseconds(100));
        Acknowledge();
        Assert.Contains("a=sendrecv", Answer().Body);
        Assert.Equal((false, true), (_caller.Call.IsHeldByPeer, _caller.Call.MaySend));
    }

    [Fact]
    public void We_may_hold_the_other_side_and_go_on()
    {
        Establish();
        _phone.OnRequest = request => _phone.Answer(request, "200 OK", request.Method == "INVITE" ? _phone.Sdp("recvonly") : "", tag: "");

        _caller.Host.Run(now => _caller.Core.HoldCall(now, _caller.Call.Id, true));
        _network.RunFor(TimeSpan.FromSeconds(1));
        Assert.Contains("a=sendonly", _phone.Last("INVITE")!.Body);
        Assert.Equal((true, false), (_caller.Call.IsHeld, _caller.Call.IsHeldByPeer));

        _phone.OnRequest = request => _phone.Answer(request, "200 OK", request.Method == "INVITE" ? _phone.Sdp() : "", tag: "");
        _caller.Host.Run(now => _caller.Core.HoldCall(now, _caller.Call.Id, false));
        _network.RunFor(TimeSpan.FromSeconds(1));
        Assert.Contains("a=sendrecv", _phone.Last("INVITE")!.Body);
        Assert.False(_caller.Call.IsHeld);
    }

    [Fact]
    public void Offers_that_cross_are_refused_and_ours_is_made_again() // RFC 3261 §14.1
    {
        Establish();
        var refuses = true;
        _phone.OnRequest = request =>
        {
            if (request.Method != "INVITE") return;

            _phone.Answer(request, refuses ? "491 Request Pending" : "200 OK", refuses ? "" : _phone.Sdp("recvonly"), tag: "");
            refuses = false;
        };
        _caller.Host.Run(now => _caller.Core.HoldCall(now, _caller.Call.Id, true));
        InDialog("INVITE", _phone.Sdp());
        _network.RunFor(TimeSpan.FromSeconds(5));

        Assert.Contains(491, Statuses());
        Assert.Equal(2, _phone.Count("INVITE"));
        Assert.True(_caller.Call.IsHeld);
    }

    [Fact]
    public void The_other_side_may_have_us_call_somebody_and_hears_what_became_of_it() // RFC 3515
    {
        Establish();
        var notified = new List<string>();
        _phone.OnRequest = request =>
        {
            if (request.Method == "NOTIFY") notified.Add(request.Body.Trim());
            if (request.Method is not "ACK") _phone.Answer(request, "200 OK", request.Method == "INVITE" ? _phone.Sdp() : "", tag: request.Method == "INVITE" ? "third" : "");
        };

        InDialog("REFER", headers: "Refer-To: <sip:carol@203.0.113.5:5060?Replaces=x%40y%3Bto-tag%3D1%3Bfrom-tag%3D2>\r\nReferred-By: <sip:bob@203.0.113.5>\r\n");
        _network.RunFor(TimeSpan.FromSeconds(2));

        Assert.Contains(202, Statuses());
        Assert.Equal(["SIP/2.0 100 Trying", "SIP/2.0 200 OK"], notified);
        var invite = _phone.Last("INVITE")!;
        Assert.StartsWith("INVITE sip:carol@203.0.113.5:5060 SIP/2.0", invite.Text);
        Assert.Equal(("x@y;to-tag=1;from-tag=2", "<sip:bob@203.0.113.5>"), (invite.Header("Replaces"), invite.Header("Referred-By")));
        Assert.Equal(2, _caller.Calls.Count);
        Assert.Equal(_caller.Calls[0].Id, _caller.Calls[1].TransferOf);
    }

    [Fact]
    public void It_may_not_have_us_call_anywhere_else()
    {
        Establish();

        InDialog("REFER", headers: "Refer-To: <sip:0900666@premium.example>\r\n");
        _network.RunFor(TimeSpan.FromSeconds(1));

        Assert.Contains(403, Statuses());
        Assert.Single(_caller.Calls);
    }

    [Fact]
    public void We_may_have_the_other_side_call_somebody_and_hang_up_when_it_has()
    {
        Establish();
        _phone.OnRequest = request =>
        {
            if (request.Method == "REFER") _phone.Answer(request, "202 Accepted", tag: "");
            if (request.Method == "BYE") _phone.Answer(request, "200 OK", tag: "");
        };

        _caller.Host.Run(now => _caller.Core.TransferCall(now, _caller.Call.Id, SipUri.Parse("sip:carol@example.com"), null));
        _network.RunFor(TimeSpan.FromSeconds(1));
        Assert.Equal("<sip:carol@example.com>", _phone.Last("REFER")!.Header("Refer-To"));

        InDialog("NOTIFY", "SIP/2.0 200 OK\r\n", "Event: refer\r\nSubscription-State: terminated\r\nContent-Type: message/sipfrag\r\n");
        _network.RunFor(TimeSpan.FromSeconds(1));
        Assert.Equal(("Transferred.", true), (_caller.Call.EndReason, _phone.Last("BYE") is not null));
    }

    [Fact]
    public void A_call_may_take_the_place_of_another() // RFC 3891
    {
        Establish();
        var ours = Answer().Header("To")!.Split(";tag=")[1];
        _phone.OnRequest = request => _phone.Answer(request, "200 OK", tag: "");

        _phone.Request("INVITE", "sip:me@198.51.100.7", Us, $"From: <sip:carol@203.0.113.5>;tag=c\r\nTo: <sip:me@198.51.100.7>\r\nCall-ID: c2\r\nCSeq: 1 INVITE\r\nReplaces: c1;to-tag={ours};from-tag=b\r\n", _phone.Sdp());
        _network.RunFor(TimeSpan.FromSeconds(1));
        var second = _caller.Calls[1];
        _caller.Host.Run(now => _caller.Core.AcceptCall(now, second.Id));
        _network.RunFor(TimeSpan.FromMilliseconds(100));
        var answer = _phone.Responses.Last(r => r.Status == 200 && r.Header("Call-ID") == "c2");
        _phone.Request("ACK", "sip:me@198.51.100.7", Us, $"From: <sip:carol@203.0.113.5>;tag=c\r\nTo: {answer.Header("To")}\r\nCall-ID: c2\r\nCSeq: 1 ACK\r\n");
        _network.RunFor(TimeSpan.FromSeconds(1));

        Assert.Equal(CallState.Established, _caller.Calls[1].State);
        Assert.Equal("Another call took its place (RFC 3891).", _caller.Calls[0].EndReason);
        Assert.Equal("c1", _phone.Last("BYE")!.Header("Call-ID"));
    }

    [Theory]
    [InlineData("INFO", "Signal=5\r\nDuration=160\r\n", "Content-Type: application/dtmf-relay\r\n", 200)]
    [InlineData("INFO", "", "", 200)]
    [InlineData("INFO", "x", "Content-Type: text/plain\r\n", 415)]
    [InlineData("OPTIONS", "", "", 200)]
    [InlineData("MESSAGE", "", "", 405)]
    [InlineData("NONSENSE", "", "", 501)]
    [InlineData("UPDATE", "", "", 200)]
    [InlineData("REFER", "", "", 400)]
    public void Every_request_in_the_dialog_gets_the_answer_that_it_deserves(string method, string body, string headers, int status)
    {
        Establish();

        InDialog(method, body, headers);
        _network.RunFor(TimeSpan.FromMilliseconds(200));

        Assert.Equal(status, Statuses().Last());
        if (body.StartsWith("Signal", StringComparison.Ordinal)) Assert.Contains(_caller.Call.Timeline, e => e.Kind == "dtmf" && e.Text.Contains('5', StringComparison.Ordinal));
    }

    [Fact]
    public void A_flood_of_requests_in_one_dialog_is_answered_with_503_and_the_bye_is_served()
    {
        Establish();

        for (var i = 0; i < 100; i++) InDialog("OPTIONS");
        InDialog("BYE");
        _network.RunFor(TimeSpan.FromSeconds(1));

        Assert.Equal(80, Statuses().Count(s => s == 503));
        Assert.True(_caller.Call.IsComplete);
    }

    [Fact]
    public void Strangers_do_not_get_through()
    {
        var stranger = ScriptedPhone.AddTo(_network, "192.0.2.9:5060");
        stranger.Request("INVITE", "sip:me@198.51.100.7", Us, $"{Dialog}CSeq: 1 INVITE\r\n", stranger.Sdp());
        _network.RunFor(TimeSpan.FromSeconds(1));

        Assert.Equal([403], stranger.Responses.Select(r => r.Status).Distinct());
        Assert.Empty(_caller.Calls);
    }

    [Fact]
    public void Only_the_first_stream_of_an_offer_is_taken()
    {
        Invite(_phone.Sdp() + "m=audio 12002 RTP/AVP 0\r\nm=video 12004 RTP/AVP 96\r\n");
        _network.RunFor(TimeSpan.FromSeconds(1));
        Accept();

        Assert.Equal(["m=audio 10000 RTP/AVP 0", "m=audio 0 RTP/AVP 0", "m=video 0 RTP/AVP 96"], Answer().Body.Split("\r\n").Where(l => l.StartsWith("m=", StringComparison.Ordinal)));
    }

    private void Establish()
    {
        Invite(_phone.Sdp());
        _network.RunFor(TimeSpan.FromSeconds(1));
        Accept();
        Acknowledge();
        _phone.Speak(RtpOf(Answer()));
        _network.RunFor(TimeSpan.FromSeconds(1));
        Assert.Equal(CallState.Established, _caller.Call.State);
    }

    private void Invite(string body, string headers = "") =>
        _phone.Request("INVITE", "sip:me@198.51.100.7", Us, $"{Dialog}CSeq: {_sequence} INVITE\r\n{headers}", body);

    private void Accept()
    {
        _caller.Host.Run(now => _caller.Core.AcceptCall(now, _caller.Call.Id));
        _network.RunFor(TimeSpan.FromMilliseconds(400));
    }

    private void Acknowledge(string body = "") => InDialog("ACK", body);

    private void Cancel(string via) => _phone.Host.Run(_ => _phone.Outbox.Add(
        _phone.Sip, Us, System.Text.Encoding.UTF8.GetBytes($"CANCEL sip:me@198.51.100.7 SIP/2.0\r\n{via}Max-Forwards: 70\r\n{Dialog}CSeq: 1 CANCEL\r\nContent-Length: 0\r\n\r\n")));

    private void InDialog(string method, string body = "", string headers = "")
    {
        if (method is not "ACK") _sequence++;
        var to = _phone.Responses.Last(r => r.Method is "INVITE" && r.Status is >= 180 and < 300).Header("To");
        _phone.Request(method, "sip:me@198.51.100.7", Us, $"From: \"Bob\" <sip:bob@203.0.113.5>;tag=b\r\nTo: {to}\r\nCall-ID: c1\r\nCSeq: {_sequence} {method}\r\n{headers}", body);
    }

    private ScriptedSipMessage Answer() => _phone.Responses.Last(r => r.Method == "INVITE" && r.Status == 200);

    private List<int> Statuses() => [.. _phone.Responses.Select(r => r.Status)];

    private static TransportAddress RtpOf(ScriptedSipMessage description)
    {
        var lines = description.Body.Split("\r\n");
        var address = lines.First(l => l.StartsWith("c=", StringComparison.Ordinal)).Split(' ')[2];
        var port = lines.First(l => l.StartsWith("m=", StringComparison.Ordinal)).Split(' ')[1];
        return TransportAddress.Parse($"{address}:{port}");
    }
}
