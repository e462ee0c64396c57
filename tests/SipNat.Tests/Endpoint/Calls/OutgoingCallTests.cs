using SipNat.Endpoint.Accounts;
using SipNat.Endpoint.Calls;
using SipNat.Endpoint.Media;
using SipNat.Simulation;
using SipNat.Simulation.Accounts;
using SipNat.Simulation.Calls;
using SipNat.Sip.Messages;
using SipNat.Sip.Sdp;
using SipNat.Wire;

namespace SipNat.Tests.Endpoint.Calls;

/// <summary>Calls of ours, to a telephone that says what the RFCs let it say.</summary>
public sealed class OutgoingCallTests
{
    private readonly SimulatedNetwork _network = new(7);
    private static readonly string LongTarget = $"sip:{new string('a', 600)}@203.0.113.5";

    private readonly ScriptedPhone _phone;
    private readonly SimulatedCaller _caller;

    public OutgoingCallTests()
    {
        _phone = ScriptedPhone.AddTo(_network, "203.0.113.5:5060");
        _caller = SimulatedCaller.AddTo(_network, "198.51.100.7");
    }

    [Fact]
    public void A_call_rings_is_answered_carries_audio_both_ways_and_ends()
    {
        _phone.OnRequest = request =>
        {
            if (request.Method == "INVITE")
            {
                _phone.Answer(request, "180 Ringing");
                _network.After(TimeSpan.FromSeconds(2), () => _phone.Answer(request, "200 OK", _phone.Sdp()));
            }
            else if (request.Method == "ACK")
            {
                _phone.Speak(RtpOf(_phone.Last("INVITE")!));
            }
            else
            {
                _phone.Answer(request, "200 OK");
            }
        };

        _caller.Place("sip:100@203.0.113.5");
        _network.RunFor(TimeSpan.FromSeconds(1));
        Assert.Equal((CallState.Ringing, 180), (_caller.Call.State, _caller.Call.Status));

        _network.RunFor(TimeSpan.FromSeconds(11));
        Assert.Equal((CallState.Established, "PCMU", true), (_caller.Call.State, _caller.Call.Codec, _caller.Call.MaySend));

        _caller.HangUp();
        _network.RunFor(TimeSpan.FromSeconds(2));
        var call = _caller.Call;
        Assert.Equal((true, 200, "We hang up.", 0), (call.IsComplete, call.Status, call.EndReason, _caller.Core.Calls));
        Assert.Equal(InboundVerdict.Audio, CallVerdict.Of(call).Inbound);
        Assert.InRange(_phone.Heard.Count(h => h.PayloadType == 0 && h.Length == 160), 480, 505);
        Assert.InRange(call.Stream!.Audio!.AudibleBlocks, 480, 505);
        Assert.Equal(["INVITE", "ACK", "BYE"], _phone.Requests.Select(r => r.Method));
        var (invite, bye) = (_phone.Last("INVITE")!, _phone.Last("BYE")!);
        Assert.StartsWith("INVITE sip:100@203.0.113.5 SIP/2.0", invite.Text);
        Assert.Contains("m=audio ", invite.Body);
        Assert.Equal((2, "BYE"), (int.Parse(bye.CSeq.Split(' ')[0], null), bye.CSeq.Split(' ')[1]));
        Assert.StartsWith("BYE sip:phone@203.0.113.5:5060 SIP/2.0", bye.Text);
    }

    [Fact]
    public void Media_before_the_answer_are_heard() // RFC 3960 §3.2
    {
        _phone.OnRequest = request =>
        {
            if (request.Method != "INVITE") return;

            _phone.Answer(request, "183 Session Progress", _phone.Sdp());
            _phone.Speak(RtpOf(request));
        };

        _caller.Place("sip:100@203.0.113.5");
        _network.RunFor(TimeSpan.FromSeconds(4));

        Assert.Equal(CallState.Ringing, _caller.Call.State);
        Assert.InRange(_caller.Call.Stream!.Audio!.AudibleBlocks, 80, 200);
    }

    [Fact]
    public void A_reliable_answer_is_acknowledged_once_and_in_its_turn() // RFC 3262 §4
    {
        _phone.OnRequest = request =>
        {
            if (request.Method == "PRACK") _phone.Answer(request, "200 OK");
            if (request.Method != "INVITE") return;

            _phone.Answer(request, "180 Ringing", headers: "Require: 100rel\r\nRSeq: 776\r\n");
            _network.After(TimeSpan.FromSeconds(1), () => _phone.Answer(request, "180 Ringing", headers: "Require: 100rel\r\nRSeq: 776\r\n"));
            _network.After(TimeSpan.FromSeconds(2), () => _phone.Answer(request, "183 Too Early", headers: "Require: 100rel\r\nRSeq: 778\r\n"));
            _network.After(TimeSpan.FromSeconds(3), () => _phone.Answer(request, "183 In Turn", headers: "Require: 100rel\r\nRSeq: 777\r\n"));
        };

        _caller.Place("sip:100@203.0.113.5");
        _network.RunFor(TimeSpan.FromSeconds(5));

        Assert.Equal(["776 1 INVITE", "777 1 INVITE"], _phone.Requests.Where(r => r.Method == "PRACK").Select(r => r.Header("RAck")));
        Assert.Contains("100rel", _phone.Last("INVITE")!.Header("Supported"));
    }

    [Fact]
    public void Of_several_branches_the_one_that_answers_has_the_media_and_a_second_answer_is_hung_up() // RFC 3261 §13.2.2.4
    {
        _phone.OnRequest = request =>
        {
            if (request.Method == "BYE") _phone.Answer(request, "200 OK", tag: "");
            if (request.Method != "INVITE") return;

            _phone.Answer(request, "183 Session Progress", _phone.Sdp(port: 12_500), tag: "one");
            _phone.Answer(request, "180 Ringing", tag: "two");
            _network.After(TimeSpan.FromSeconds(1), () => _phone.Answer(request, "200 OK", _phone.Sdp(), tag: "two"));
            _network.After(TimeSpan.FromMilliseconds(1_100), () => _phone.Answer(request, "200 OK", _phone.Sdp(port: 12_500), tag: "one"));
        };

        _caller.Place("sip:100@203.0.113.5");
        _network.RunFor(TimeSpan.FromSeconds(3));

        Assert.Equal((CallState.Established, _phone.Media), (_caller.Call.State, _caller.Call.Described));
        Assert.Equal(["tag=two", "tag=one"], _phone.Requests.Where(r => r.Method == "ACK").Select(r => r.Header("To")!.Split(';')[1]));
        Assert.EndsWith(";tag=one", _phone.Requests.Single(r => r.Method == "BYE").Header("To"));
    }

    [Fact]
    public void The_way_to_who_wishes_it_is_kept_open_as_often_as_he_does_for_as_long_as_the_call_lasts() // RFC 6223 §4.3, RFC 5626 §4.4.2
    {
        _phone.Keep = 10;
        _phone.OnRequest = request =>
        {
            if (request.Method == "INVITE") _phone.Answer(request, "200 OK", _phone.Sdp());
            if (request.Method == "BYE") _phone.Answer(request, "200 OK");
            if (request.Method == "ACK") _phone.Speak(RtpOf(_phone.Last("INVITE")!));
        };

        _caller.Place("sip:100@203.0.113.5");
        _network.RunFor(TimeSpan.FromMinutes(2));
        _caller.HangUp();
        var during = _phone.StunRequests.ToList();
        _network.RunFor(TimeSpan.FromMinutes(1));

        Assert.EndsWith(";keep", _phone.Last("INVITE")!.Header("Via"), StringComparison.Ordinal);
        var gaps = during.Zip(during.Skip(1), (a, b) => (b - a).TotalSeconds).ToList();
        Assert.InRange(gaps.Count, 10, 15);
        Assert.All(gaps, gap => Assert.InRange(gap, 8, 10.1));
        Assert.Equal(during.Count, _phone.StunRequests.Count);
    }

    [Fact]
    public void An_answer_that_is_repeated_is_acknowledged_each_time() // RFC 3261 §13.2.2.4
    {
        _phone.OnRequest = request =>
        {
            if (request.Method == "INVITE") _phone.Answer(request, "200 OK", _phone.Sdp());
        };

        _caller.Place("sip:100@203.0.113.5");
        _network.RunFor(TimeSpan.FromSeconds(1));
        _phone.Answer(_phone.Last("INVITE")!, "200 OK", _phone.Sdp());
        _network.RunFor(TimeSpan.FromSeconds(1));

        Assert.Equal(["INVITE", "ACK", "ACK"], _phone.Requests.Select(r => r.Method));
        Assert.Single(_phone.Requests.Where(r => r.Method == "ACK").Select(r => r.CSeq).Distinct());
    }

    [Fact]
    public void A_call_that_is_given_up_while_it_rings_is_cancelled()
    {
        _phone.OnRequest = request =>
        {
            if (request.Method == "INVITE") _phone.Answer(request, "180 Ringing");
            if (request.Method != "CANCEL") return;

            _phone.Answer(request, "200 OK");
            _phone.Answer(_phone.Last("INVITE")!, "487 Request Terminated");
        };

        _caller.Place("sip:100@203.0.113.5");
        _network.RunFor(TimeSpan.FromSeconds(1));
        _caller.HangUp();
        _network.RunFor(TimeSpan.FromSeconds(1));

        Assert.Equal(["INVITE", "CANCEL", "ACK"], _phone.Requests.Select(r => r.Method));
        Assert.Equal((true, 0), (_caller.Call.IsComplete, _caller.Core.Calls));
    }

    [Fact]
    public void An_answer_that_crosses_our_cancel_is_acknowledged_and_hung_up() // RFC 3261 §9.1
    {
        _phone.OnRequest = request =>
        {
            if (request.Method == "INVITE") _phone.Answer(request, "180 Ringing");
            if (request.Method == "BYE") _phone.Answer(request, "200 OK");
            if (request.Method != "CANCEL") return;

            _phone.Answer(_phone.Last("INVITE")!, "200 OK", _phone.Sdp());
            _phone.Answer(request, "200 OK");
        };

        _caller.Place("sip:100@203.0.113.5");
        _network.RunFor(TimeSpan.FromSeconds(1));
        _caller.HangUp();
        _network.RunFor(TimeSpan.FromSeconds(3));

        Assert.Equal(["INVITE", "CANCEL", "ACK", "BYE"], _phone.Requests.Select(r => r.Method));
        Assert.Equal(0, _caller.Core.Calls);
    }

    [Fact]
    public void Nobody_is_waited_for_longer_than_was_said()
    {
        _phone.OnRequest = request =>
        {
            if (request.Method == "INVITE") _phone.Answer(request, "180 Ringing");
        };

        _caller.Place(new CallRequest { Target = SipUri.Parse("sip:100@203.0.113.5"), RingTimeout = TimeSpan.FromSeconds(20) });
        _network.RunFor(TimeSpan.FromSeconds(21));

        Assert.Equal(new CallFailure.NoAnswer(TimeSpan.FromSeconds(20)), _caller.Call.Failure);
        Assert.NotNull(_phone.Last("CANCEL"));
    }

    [Fact]
    public void Where_nobody_responds_the_next_address_is_tried_and_then_it_is_said()
    {
        _phone.OnRequest = _ => { };
        _caller.Names["example.com"] = [new(TransportProtocol.Udp, TransportAddress.Parse("203.0.113.66:5060"), null), new(TransportProtocol.Udp, TransportAddress.Parse("203.0.113.5:5060"), null)];

        _caller.Place("sip:100@example.com");
        _network.RunFor(TimeSpan.FromSeconds(70));

        Assert.Equal(new CallFailure.NoResponse(TransportAddress.Parse("203.0.113.5:5060")), _caller.Call.Failure);
        Assert.True(_phone.Count("INVITE") > 3);
        Assert.Equal(0, _caller.Core.Calls);
    }

    [Fact]
    public void Servers_that_do_not_answer_hold_up_neither_the_call_nor_the_processor()
    {
        var caller = SimulatedCaller.AddTo(_network, "192.168.3.100", _network.AddNat("198.51.100.9"), new() { UsesIce = true }, new() { Ice = IceMode.Offered, SparePorts = 0 });
        caller.Host.Run(now =>
        {
            caller.SetStunServers(now, TransportAddress.Parse("203.0.113.98:3478"));
            caller.Media.SetTurnServers([new() { Server = TransportAddress.Parse("203.0.113.99:3478"), Credentials = new("user", "password") }]);
        });

        caller.Place("sip:100@203.0.113.5");
        var inputs = 0;
        for (; inputs < 1_000 && _phone.Count("INVITE") == 0; inputs++) _network.RunFor(TimeSpan.FromMilliseconds(10));

        Assert.InRange(inputs, 20, 300);
        Assert.True(caller.Core.Deadline > _network.Now);
    }

    [Fact]
    public void A_name_that_the_dns_does_not_know_is_named()
    {
        _caller.Place("sip:100@nowhere.example");
        _network.RunFor(TimeSpan.FromSeconds(1));

        Assert.Equal((new CallFailure.NotLocated("nowhere.example"), true), (_caller.Call.Failure, _caller.Call.IsComplete));
    }

    [Theory]
    [InlineData("486 Busy Here", 486)]
    [InlineData("603 Decline", 603)]
    [InlineData("404 Not Found", 404)]
    public void A_refusal_is_told_as_it_is(string status, int code)
    {
        _phone.OnRequest = request =>
        {
            if (request.Method == "INVITE") _phone.Answer(request, status);
        };

        _caller.Place("sip:100@203.0.113.5");
        _network.RunFor(TimeSpan.FromSeconds(1));

        Assert.Equal(new CallFailure.Rejected(code, status[4..]), _caller.Call.Failure);
        Assert.Equal(["INVITE", "ACK"], _phone.Requests.Select(r => r.Method));
    }

    [Fact]
    public void A_longer_session_interval_that_is_asked_for_is_proposed() // RFC 4028 §7.3
    {
        _phone.OnRequest = request =>
        {
            if (request.Method == "INVITE") _phone.Answer(request, request.Header("Session-Expires") == "3600" ? "200 OK" : "422 Session Interval Too Small", "", headers: "Min-SE: 3600\r\n");
        };

        _caller.Place("sip:100@203.0.113.5");
        _network.RunFor(TimeSpan.FromSeconds(1));

        Assert.Equal(["1800", "3600"], _phone.Requests.Where(r => r.Method == "INVITE").Select(r => r.Header("Session-Expires")));
        Assert.Equal([null, "3600"], _phone.Requests.Where(r => r.Method == "INVITE").Select(r => r.Header("Min-SE")));
    }

    [Fact]
    public void A_session_that_is_ours_to_refresh_is_refreshed_and_its_loss_ends_the_call() // RFC 4028 §10
    {
        _phone.OnRequest = request =>
        {
            if (request.Method == "INVITE") _phone.Answer(request, "200 OK", _phone.Sdp(), headers: "Session-Expires: 120;refresher=uac\r\nRequire: timer\r\nAllow: UPDATE\r\n");
            if (request.Method == "UPDATE" && _phone.Count("UPDATE") < 3) _phone.Answer(request, "200 OK", headers: "Session-Expires: 120;refresher=uac\r\n");
        };

        _caller.Place("sip:100@203.0.113.5");
        _network.RunFor(TimeSpan.FromSeconds(150));
        Assert.Equal((CallState.Established, 2), (_caller.Call.State, _phone.Count("UPDATE")));

        _network.RunFor(TimeSpan.FromSeconds(120));
        Assert.IsType<CallFailure.Lost>(_caller.Call.Failure);
        Assert.NotNull(_phone.Last("BYE"));
    }

    [Fact]
    public void The_offer_may_be_left_to_the_other_side() // RFC 3261 §13.2.1
    {
        _phone.OnRequest = request =>
        {
            if (request.Method == "INVITE") _phone.Answer(request, "200 OK", _phone.Sdp(formats: "8 0"));
            if (request.Method == "ACK") _phone.Speak(RtpOf(request));
        };

        _caller.Place(new CallRequest { Target = SipUri.Parse("sip:100@203.0.113.5"), OffersLater = true });
        _network.RunFor(TimeSpan.FromSeconds(5));

        Assert.Equal("", _phone.Last("INVITE")!.Body);
        Assert.Contains("m=audio ", _phone.Last("ACK")!.Body);
        Assert.Contains("RTP/AVP 8 0", _phone.Last("ACK")!.Body);
        Assert.Equal((CallState.Established, "PCMA"), (_caller.Call.State, _caller.Call.Codec));
        Assert.True(_caller.Call.Stream!.Audio!.AudibleBlocks > 100);
    }

    [Fact]
    public void Srtp_that_is_refused_is_offered_once_more_without() // RFC 4568: SAVP or AVP, not both
    {
        _phone.OnRequest = request =>
        {
            if (request.Method == "INVITE") _phone.Answer(request, request.Body.Contains("RTP/SAVP", StringComparison.Ordinal) ? "488 Not Acceptable Here" : "200 OK", request.Body.Contains("RTP/SAVP", StringComparison.Ordinal) ? "" : _phone.Sdp());
        };

        _caller.Place("sip:100@203.0.113.5:5061;transport=tls");
        _network.RunFor(TimeSpan.FromSeconds(3));

        var offers = _phone.Requests.Where(r => r.Method == "INVITE").Select(r => r.Body).ToList();
        Assert.Equal((true, false), (offers[0].Contains("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:", StringComparison.Ordinal), offers[1].Contains("a=crypto", StringComparison.Ordinal)));
        Assert.Equal((2, CallState.Established, false), (offers.Count, _caller.Call.State, _caller.Call.IsEncrypted));
    }

    [Fact]
    public void Keys_are_not_told_where_sip_can_be_read()
    {
        _caller.Place(new CallRequest { Target = SipUri.Parse("sip:100@203.0.113.5"), Terms = new() { Srtp = SrtpMode.Required } });
        _network.RunFor(TimeSpan.FromSeconds(1));

        Assert.Equal(new CallFailure.KeysUnprotected(), _caller.Call.Failure);
        Assert.Empty(_phone.Requests);
    }

    [Fact]
    public void A_large_invite_goes_by_tcp_where_the_server_takes_connections() // RFC 3261 §18.1.1
    {
        _phone.Host.Listen(5060);
        AnswerInvites();

        _caller.Place(LongTarget);
        _network.RunFor(TimeSpan.FromSeconds(2));

        var invite = Assert.Single(_phone.Requests, r => r.Method == "INVITE");
        Assert.StartsWith("SIP/2.0/TCP ", invite.Header("Via"), StringComparison.Ordinal);
        Assert.EndsWith(";transport=tcp>", invite.Header("Contact"), StringComparison.Ordinal);
        Assert.Equal(("1 INVITE", CallState.Established), (invite.CSeq, _caller.Call.State));
        _caller.HangUp();
        _network.RunFor(TimeSpan.FromSeconds(1));
        Assert.StartsWith("SIP/2.0/TCP ", _phone.Last("BYE")!.Header("Via"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true, 2.0)]
    [InlineData(false, 0.1)]
    public void Where_no_connection_comes_about_it_goes_by_udp_and_the_next_one_at_once(bool isLost, double seconds)
    {
        // A firewall that drops what it does not know, or a reset.
        if (isLost) _network.Blocks = static transport => transport is TransportProtocol.Tcp;
        AnswerInvites();

        var began = _network.Now;
        var first = _caller.Place(LongTarget);
        _network.RunFor(TimeSpan.FromSeconds(4));
        Assert.Equal(CallState.Established, _caller.Calls[0].State);
        Assert.InRange((_caller.Calls[0].AnsweredAt!.Value - began).TotalSeconds, seconds - 0.1, seconds + 0.3);

        _caller.Place(LongTarget);
        _network.RunFor(TimeSpan.FromSeconds(0.3));

        Assert.Equal([CallState.Established, CallState.Established], _caller.Calls.Select(c => c.State));
        Assert.All(_phone.Requests.Where(r => r.Method == "INVITE"), invite => Assert.StartsWith("SIP/2.0/UDP ", invite.Header("Via"), StringComparison.Ordinal));
        Assert.NotEqual(first, _caller.Calls[1].Id);
    }

    [Fact]
    public void An_offer_is_trimmed_before_another_transport_is_tried()
    {
        AnswerInvites();
        var formats = new[] { PayloadFormat.TelephoneEvent, PayloadFormat.Pcma }.Concat(Enumerable.Range(0, 12).Select(i => new PayloadFormat($"A-CODEC-WITH-A-LONG-NAME-{i}", 8000))).Append(PayloadFormat.Pcmu).ToList();

        _caller.Place(new CallRequest { Target = SipUri.Parse($"sip:{new string('a', 200)}@203.0.113.5"), Terms = new() { Formats = formats } });
        _network.RunFor(TimeSpan.FromSeconds(1));

        var invite = Assert.Single(_phone.Requests, r => r.Method == "INVITE");
        Assert.InRange(invite.Text.Length, 900, 1300);
        Assert.StartsWith("SIP/2.0/UDP ", invite.Header("Via"), StringComparison.Ordinal);
        Assert.Equal(["PCMA/8000", "A-CODEC-WITH-A-LONG-NAME-0/8000", "telephone-event/8000"], invite.Body.Split("\r\n").Where(l => l.StartsWith("a=rtpmap:", StringComparison.Ordinal)).Select(l => l.Split(' ')[1]).OrderBy(f => f.Contains("tele", StringComparison.Ordinal)));
    }

    [Fact]
    public void What_a_sips_uri_names_is_called_by_tls_and_told_a_sips_contact() // RFC 3261 §8.1.1.8
    {
        _caller.Names["phone.example"] = [new(TransportProtocol.Tls, TransportAddress.Parse("203.0.113.5:5061"), "phone.example")];

        _phone.OnRequest = request =>
        {
            if (request.Method == "INVITE") _phone.Answer(request, "200 OK", _phone.Sdp());
        };

        _caller.Place("sips:100@phone.example");
        _network.RunFor(TimeSpan.FromSeconds(3));

        Assert.Equal(CallState.Established, _caller.Call.State);
        var invite = _phone.Last("INVITE")!;
        Assert.StartsWith("SIP/2.0/TLS 198.51.100.7:", invite.Header("Via"), StringComparison.Ordinal);
        Assert.Equal("<sips:sipnat@198.51.100.7:5060>", invite.Header("Contact"));
    }

    [Fact]
    public void What_a_sips_uri_names_is_not_called_by_a_way_without_tls() // RFC 3261 §26.2.2
    {
        _caller.Names["phone.example"] = [new(TransportProtocol.Udp, TransportAddress.Parse("203.0.113.5:5060"), null)];

        _caller.Place("sips:100@phone.example");
        _network.RunFor(TimeSpan.FromSeconds(3));

        Assert.Equal(new CallFailure.Unsecured("sips:100@phone.example"), _caller.Call.Failure);
        Assert.Empty(_phone.Requests);
    }

    [Fact]
    public void Whoever_asked_for_tls_is_not_sent_on_to_less() // RFC 5630 §4
    {
        var caller = SimulatedCaller.AddTo(_network, "198.51.100.8", signalling: new() { UsesIce = false, AllowedTargets = ["203.0.113.5"] });
        caller.Names["phone.example"] = [new(TransportProtocol.Tls, TransportAddress.Parse("203.0.113.5:5061"), "phone.example")];
        _phone.OnRequest = request =>
        {
            if (request.Method == "INVITE") _phone.Answer(request, "302 Moved Temporarily");
        };

        caller.Place("sips:100@phone.example");
        _network.RunFor(TimeSpan.FromSeconds(3));

        Assert.IsType<CallFailure.RedirectRefused>(caller.Call.Failure);
        Assert.Equal(1, _phone.Count("INVITE"));
    }

    [Fact]
    public void A_connection_that_proved_one_name_carries_nothing_for_another()
    {
        foreach (var name in (string[])["one.example", "two.example", "one.example"])
        {
            _caller.Names[name] = [new(TransportProtocol.Tls, TransportAddress.Parse("203.0.113.5:5061"), name)];
            _caller.Place($"sips:100@{name}");
            _network.RunFor(TimeSpan.FromSeconds(2));
        }

        Assert.Equal((3, 2), (_phone.Count("INVITE"), _phone.Connections));
    }

    [Fact]
    public void A_call_that_is_sent_on_goes_only_where_calls_may_go()
    {
        _phone.OnRequest = request =>
        {
            if (request.Method == "INVITE") _phone.Answer(request, "302 Moved Temporarily", headers: "Contact: <sip:premium@203.0.113.99>\r\n");
        };

        _caller.Place("sip:100@203.0.113.5");
        _network.RunFor(TimeSpan.FromSeconds(1));

        // The phone's own Contact stands before the one that it sends us to.
        Assert.IsType<CallFailure.RedirectRefused>(_caller.Call.Failure);
        Assert.Equal(1, _phone.Count("INVITE"));
    }

    [Theory]
    [InlineData("sip:200@example.com", CallState.Established)]
    [InlineData("sips:200@example.com", CallState.Over)]
    public void A_call_of_an_account_is_sent_on_by_its_own_way_but_for_what_that_way_may_not_carry(string target, CallState state)
    {
        Register();
        _phone.OnRequest = request =>
        {
            if (request.Method != "INVITE") return;
            if (request.StartLine.Contains("sip:100@", StringComparison.Ordinal)) _phone.Answer(request, "302 Moved Temporarily", contact: target);
            else _phone.Answer(request, "200 OK", _phone.Sdp());
        };

        _caller.Place(new CallRequest { Target = SipUri.Parse("sip:100@example.com"), Account = "line" });
        _network.RunFor(TimeSpan.FromSeconds(2));

        Assert.Equal(state, _caller.Call.State);
        Assert.Equal(state is CallState.Over ? new CallFailure.Unsecured(target) : null, _caller.Call.Failure);
    }

    [Fact]
    public void Sent_round_in_a_circle_it_stops_after_five_times()
    {
        var caller = SimulatedCaller.AddTo(_network, "198.51.100.8", signalling: new() { UsesIce = false, AllowedTargets = ["203.0.113.5"] });
        _phone.OnRequest = request =>
        {
            if (request.Method == "INVITE") _phone.Answer(request, "302 Moved Temporarily");
        };

        caller.Place("sip:100@203.0.113.5");
        _network.RunFor(TimeSpan.FromSeconds(10));

        Assert.IsType<CallFailure.RedirectRefused>(caller.Call.Failure);
        Assert.Equal(6, _phone.Count("INVITE"));
    }

    [Fact]
    public void Who_is_not_our_provider_learns_nothing_from_a_challenge()
    {
        Register();
        _phone.OnRequest = request =>
        {
            if (request.Method != "ACK") _phone.Answer(request, "401 Unauthorized", headers: "WWW-Authenticate: Digest realm=\"example.com\", nonce=\"n\", qop=\"auth\"\r\n");
        };

        _caller.Place("sip:100@203.0.113.5");
        _network.RunFor(TimeSpan.FromSeconds(2));

        Assert.IsType<CallFailure.NotAuthorized>(_caller.Call.Failure);
        Assert.DoesNotContain(_phone.Requests, r => r.Header("Authorization") is not null && r.Method != "REGISTER");
    }

    [Theory]
    [InlineData("UDP", 4)]
    [InlineData("TCP", 600)]
    public void The_provider_is_shown_credentials_and_a_call_of_an_account_goes_by_its_flow_or_one_for_its_size(string transport, int length)
    {
        Register();
        _phone.Host.Listen(5060);
        var target = $"sip:{new string('4', length)}@example.com";
        _phone.OnRequest = request =>
        {
            if (request.Method == "INVITE") _phone.Answer(request, request.Header("Proxy-Authorization") is null ? "407 Proxy Authentication Required" : "200 OK", request.Header("Proxy-Authorization") is null ? "" : _phone.Sdp(), headers: "Proxy-Authenticate: Digest realm=\"example.com\", nonce=\"n\", qop=\"auth\"\r\n");
            if (request.Method == "BYE") _phone.Answer(request, request.Header("Proxy-Authorization") is null ? "407 Proxy Authentication Required" : "200 OK", headers: "Proxy-Authenticate: Digest realm=\"example.com\", nonce=\"n\", qop=\"auth\"\r\n");
        };

        _caller.Place(new CallRequest { Target = SipUri.Parse(target), Account = "line" });
        _network.RunFor(TimeSpan.FromSeconds(2));
        Assert.Equal(CallState.Established, _caller.Call.State);

        _caller.HangUp();
        _network.RunFor(TimeSpan.FromSeconds(2));

        var invites = _phone.Requests.Where(r => r.Method == "INVITE").ToList();
        Assert.Equal(2, invites.Count);
        Assert.Contains("<sip:line@example.com>;tag=", invites[1].Header("From"));
        Assert.All(_phone.Requests.Where(r => r.Method != "REGISTER"), r => Assert.StartsWith($"SIP/2.0/{transport} ", r.Header("Via"), StringComparison.Ordinal));
        Assert.Contains($"uri=\"{target}\"", invites[1].Header("Proxy-Authorization"));
        Assert.Equal(invites[1].Header("Proxy-Authorization"), _phone.Last("ACK")!.Header("Proxy-Authorization"));
        Assert.NotNull(_phone.Last("BYE")!.Header("Proxy-Authorization"));
        Assert.Equal(0, _caller.Core.Calls);
    }

    [Fact]
    public void An_account_that_is_not_registered_cannot_call()
    {
        _caller.Host.Run(now => _caller.Core.AddAccount(now, SimulatedPhone.Options()));

        _caller.Place(new CallRequest { Target = SipUri.Parse("sip:4443@example.com"), Account = "line" });
        _network.RunFor(TimeSpan.FromSeconds(1));

        Assert.Equal(new CallFailure.NotRegistered("line"), _caller.Call.Failure);
    }

    // The phone as the registrar of example.com, which believes everybody.
    private void Register()
    {
        _phone.OnRequest = request =>
        {
            if (request.Method == "REGISTER") _phone.Answer(request, "200 OK", headers: $"Contact: {request.Header("Contact")}\r\n");
        };
        _caller.Names["example.com"] = [new(TransportProtocol.Udp, TransportAddress.Parse("203.0.113.5:5060"), null)];
        _caller.Host.Run(now => _caller.Core.AddAccount(now, SimulatedPhone.Options()));
        _network.RunFor(TimeSpan.FromSeconds(1));
        Assert.Equal(AccountState.Registered, _caller.Core.Accounts.Single().State);
    }

    private void AnswerInvites() => _phone.OnRequest = request =>
    {
        if (request.Method == "INVITE") _phone.Answer(request, "200 OK", _phone.Sdp(formats: request.Body.Contains("m=audio 10000 RTP/AVP 0", StringComparison.Ordinal) ? "0" : "8"));
        else if (request.Method != "ACK") _phone.Answer(request, "200 OK");
    };

    private static TransportAddress RtpOf(ScriptedSipMessage description)
    {
        var lines = description.Body.Split("\r\n");
        var address = lines.First(l => l.StartsWith("c=", StringComparison.Ordinal)).Split(' ')[2];
        var port = lines.First(l => l.StartsWith("m=", StringComparison.Ordinal)).Split(' ')[1];
        return TransportAddress.Parse($"{address}:{port}");
    }
}
