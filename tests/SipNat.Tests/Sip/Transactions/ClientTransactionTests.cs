using SipNat.Sip.Messages;
using SipNat.Wire;

namespace SipNat.Tests.Sip.Transactions;

public class ClientTransactionTests
{
    private readonly TransactionHarness _harness = new();

    [Fact]
    public void Unanswered_invite_is_sent_seven_times_and_given_up_after_32_seconds() // RFC 3261 §17.1.1.2
    {
        _harness.Request(SipMethod.Invite);
        _harness.RunTo(60_000);

        double[] sends = [0, 500, 1500, 3500, 7500, 15500, 31500];
        _harness.AssertLog([.. sends.Select(t => $"{t} > INVITE"), "32000 ! TimedOut"]);
        Assert.Equal(0, _harness.Layer.Count);
        Assert.All(_harness.Sent, s => Assert.Equal(_harness.Sent[0].Bytes, s.Bytes));
        Assert.Contains("\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK", _harness.LastSent, StringComparison.Ordinal);
        Assert.Contains(";rport\nMax-Forwards: 70\n", _harness.LastSent, StringComparison.Ordinal);
    }

    [Fact]
    public void A_request_that_was_abandoned_is_not_sent_again_and_its_answer_is_nobodys()
    {
        var register = _harness.Request(SipMethod.Register);
        _harness.RunTo(600);
        _harness.Layer.Abandon(register);
        _harness.RunTo(60_000);
        _harness.Receive(_harness.Answer(SipMethod.Register, 200));
        _harness.Layer.Abandon(register);

        _harness.AssertLog("0 > REGISTER", "500 > REGISTER");
        Assert.Equal((1, 0), (_harness.Layer.Counters.StrayResponses, _harness.Layer.Count));
    }

    [Fact]
    public void Unanswered_invite_over_tcp_is_sent_once()
    {
        _harness.Request(SipMethod.Invite, TransactionHarness.Tcp);
        _harness.RunTo(60_000);

        _harness.AssertLog("0 > INVITE", "32000 ! TimedOut");
        Assert.DoesNotContain("rport", _harness.LastSent, StringComparison.Ordinal);
    }

    [Fact]
    public void Provisional_answer_stops_the_invite_and_every_2xx_is_told_until_timer_m() // RFC 6026 §7.2
    {
        _harness.Request(SipMethod.Invite);
        _harness.RunTo(600);
        _harness.Receive(_harness.Answer(SipMethod.Invite, 180));
        _harness.RunTo(100_000);
        _harness.Receive(_harness.Answer(SipMethod.Invite, 200));
        _harness.RunTo(100_500);
        _harness.Receive(_harness.Answer(SipMethod.Invite, 200));
        _harness.Receive(_harness.Answer(SipMethod.Invite, 200, "fork"));
        _harness.Receive(_harness.Answer(SipMethod.Invite, 486));
        _harness.RunTo(131_999);
        Assert.Equal(1, _harness.Layer.Count);
        _harness.RunTo(132_000);
        _harness.Receive(_harness.Answer(SipMethod.Invite, 200));

        _harness.AssertLog(
            "0 > INVITE", "500 > INVITE", "600 ! Response 180", "100000 ! Response 200", "100500 ! Response 200", "100500 ! Response 200");
        Assert.Equal(1, _harness.Layer.Counters.StrayResponses);
        Assert.Equal(0, _harness.Layer.Count);
    }

    [Fact]
    public void Error_answer_is_acknowledged_as_often_as_it_comes_until_timer_d() // RFC 3261 §17.1.1.3
    {
        _harness.Request(SipMethod.Invite);
        _harness.Receive(_harness.Answer(SipMethod.Invite, 486, "err"));
        var invite = Wired.Text(_harness.Sent[0].Bytes).Split('\n');
        Assert.Equal(
            [
                "ACK sip:b@example.com SIP/2.0", invite[1], "Max-Forwards: 70", "From: <sip:a@example.com>;tag=1",
                "To: <sip:b@example.com>;tag=err", "Call-ID: c", "CSeq: 1 ACK", "Content-Length: 0", "", "",
            ],
            _harness.LastSent.Split('\n'));
        _harness.RunTo(500);
        _harness.Receive(_harness.Answer(SipMethod.Invite, 486, "err"));
        _harness.RunTo(31_999);
        Assert.Equal(1, _harness.Layer.Count);
        _harness.RunTo(32_000);

        _harness.AssertLog("0 > INVITE", "0 > ACK", "0 ! Response 486", "500 > ACK");
        Assert.Equal(0, _harness.Layer.Count);
    }

    [Fact]
    public void Error_answer_over_tcp_ends_the_invite_with_its_ack()
    {
        _harness.Request(SipMethod.Invite, TransactionHarness.Tcp);
        _harness.Receive(_harness.Answer(SipMethod.Invite, 500), TransactionHarness.Tcp);

        _harness.AssertLog("0 > INVITE", "0 > ACK", "0 ! Response 500");
        Assert.Equal(0, _harness.Layer.Count);
    }

    [Fact]
    public void Unanswered_request_is_sent_eleven_times_and_given_up_after_32_seconds() // RFC 3261 §17.1.2.2
    {
        _harness.Request(SipMethod.Options);
        _harness.RunTo(60_000);

        double[] sends = [0, 500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500];
        _harness.AssertLog([.. sends.Select(t => $"{t} > OPTIONS"), "32000 ! TimedOut"]);
    }

    [Fact]
    public void Provisional_answer_slows_a_request_down_to_t2_and_timer_f_still_ends_it()
    {
        _harness.Request(SipMethod.Options);
        _harness.RunTo(600);
        _harness.Receive(_harness.Answer(SipMethod.Options, 100));
        _harness.RunTo(60_000);

        double[] slow = [1500, 5500, 9500, 13500, 17500, 21500, 25500, 29500];
        _harness.AssertLog(["0 > OPTIONS", "500 > OPTIONS", "600 ! Response 100", .. slow.Select(t => $"{t} > OPTIONS"), "32000 ! TimedOut"]);
    }

    [Fact]
    public void Final_answer_is_told_once_and_its_repetitions_are_absorbed_for_t4()
    {
        _harness.Request(SipMethod.Bye);
        _harness.RunTo(100);
        _harness.Receive(_harness.Answer(SipMethod.Bye, 200));
        _harness.Receive(_harness.Answer(SipMethod.Bye, 200));
        _harness.RunTo(5099);
        Assert.Equal(1, _harness.Layer.Count);
        _harness.RunTo(5100);

        _harness.AssertLog("0 > BYE", "100 ! Response 200");
        Assert.Equal(0, _harness.Layer.Count);
    }

    [Fact]
    public void Cancel_waits_for_a_provisional_answer() // RFC 3261 §9.1
    {
        var invite = _harness.Request(SipMethod.Invite);
        Assert.Null(_harness.Layer.Cancel(_harness.Now, invite));
        _harness.RunTo(100);
        _harness.Receive(_harness.Answer(SipMethod.Invite, 100));
        _harness.Receive(_harness.Answer(SipMethod.Invite, 180));
        var sent = Wired.Text(_harness.Sent[0].Bytes).Split('\n');
        Assert.Equal(
            [
                "CANCEL sip:b@example.com SIP/2.0", sent[1], "Max-Forwards: 70", "From: <sip:a@example.com>;tag=1",
                "To: <sip:b@example.com>", "Call-ID: c", "CSeq: 1 CANCEL", "Content-Length: 0", "", "",
            ],
            _harness.LastSent.Split('\n'));
        _harness.Receive(_harness.Answer(SipMethod.Cancel, 200));
        _harness.Receive(_harness.Answer(SipMethod.Invite, 487));

        _harness.AssertLog(
            "0 > INVITE", "100 > CANCEL", "100 ! Response 100", "100 ! Response 180", "100 ! Response 200", "100 > ACK", "100 ! Response 487");
    }

    [Fact]
    public void Cancelled_invite_that_never_ends_is_given_up_after_64_t1()
    {
        var invite = _harness.Request(SipMethod.Invite, TransactionHarness.Tcp);
        _harness.Receive(_harness.Answer(SipMethod.Invite, 180), TransactionHarness.Tcp);
        _harness.RunTo(1000);
        _harness.Cancel(invite);
        _harness.Cancel(invite);
        _harness.Receive(_harness.Answer(SipMethod.Cancel, 200), TransactionHarness.Tcp);
        _harness.RunTo(60_000);

        _harness.AssertLog("0 > INVITE", "0 ! Response 180", "1000 > CANCEL", "1000 ! Response 200", "33000 ! TimedOut");
    }

    [Fact]
    public void Cancel_after_a_final_answer_is_not_sent()
    {
        var invite = _harness.Request(SipMethod.Invite);
        _harness.Cancel(invite);
        _harness.Receive(_harness.Answer(SipMethod.Invite, 200));
        _harness.Cancel(invite);

        _harness.AssertLog("0 > INVITE", "0 ! Response 200");
    }

    [Fact]
    public void Closed_flow_and_refused_destination_fail_what_waits_for_an_answer()
    {
        _harness.Request(SipMethod.Options);
        _harness.Request(SipMethod.Invite);
        _harness.Request(SipMethod.Bye, TransactionHarness.Tcp);
        _harness.ChangeFlow(TransactionHarness.Udp, FlowChangeKind.SendFailed, TransactionHarness.Peer.WithPort(1));
        _harness.ChangeFlow(TransactionHarness.Udp, FlowChangeKind.SendFailed, TransactionHarness.Peer);
        _harness.ChangeFlow(TransactionHarness.Tcp, FlowChangeKind.Closed);
        _harness.Request(SipMethod.Info, TransactionHarness.Tcp);
        _harness.RunTo(60_000);

        _harness.AssertLog(
            "0 > OPTIONS", "0 > INVITE", "0 > BYE", "0 ! TransportFailed", "0 ! TransportFailed", "0 ! TransportFailed", "0 ! TransportFailed");
        Assert.Equal(0, _harness.Layer.Count);
    }

    [Fact]
    public void Ack_of_a_2xx_goes_out_once_with_a_branch_of_its_own()
    {
        _harness.Request(SipMethod.Invite);
        _harness.Receive(_harness.Answer(SipMethod.Invite, 200));
        _harness.SendAck(TransactionHarness.Udp);
        _harness.SendAck(new FlowId(77));
        _harness.RunTo(10_000);

        _harness.AssertLog("0 > INVITE", "0 ! Response 200", "0 > ACK");
        Assert.NotEqual(Wired.Text(_harness.Sent[0].Bytes).Split('\n')[1], _harness.LastSent.Split('\n')[1]);
    }

    [Fact]
    public void Advertised_address_stands_in_the_via_until_it_is_taken_back()
    {
        _harness.Layer.SetAdvertised(TransactionHarness.Udp, TransportAddress.Parse("203.0.113.5:40000"));
        _harness.Request(SipMethod.Options);
        Assert.Contains("Via: SIP/2.0/UDP 203.0.113.5:40000;branch=", _harness.LastSent, StringComparison.Ordinal);

        _harness.Layer.SetAdvertised(TransactionHarness.Udp, default);
        _harness.Request(SipMethod.Options);
        Assert.Contains("Via: SIP/2.0/UDP 192.0.2.1:5060;branch=", _harness.LastSent, StringComparison.Ordinal);
        Assert.True(_harness.Layer.TryGetFlow(TransactionHarness.Udp, out var transport, out var local));
        Assert.Equal((TransportProtocol.Udp, TransactionHarness.Local), (transport, local));
        Assert.False(_harness.Layer.TryGetFlow(new(77), out _, out _));
    }

    [Fact]
    public void Response_with_two_vias_an_unknown_branch_or_another_method_is_dropped() // RFC 3261 §8.1.3.3
    {
        _harness.Request(SipMethod.Options);
        var answer = _harness.Answer(SipMethod.Options, 200);
        _harness.Receive(answer.Replace("From:", "Via: SIP/2.0/UDP other\nFrom:", StringComparison.Ordinal));
        _harness.Receive(answer.Replace("z9hG4bK", "z9hG4bKx", StringComparison.Ordinal));
        _harness.Receive(answer.Replace("1 OPTIONS", "1 INFO", StringComparison.Ordinal));

        _harness.AssertLog("0 > OPTIONS");
        Assert.Equal(3, _harness.Layer.Counters.StrayResponses);
    }

    [Theory]
    [InlineData(SipMethod.Ack)]
    [InlineData(SipMethod.Cancel)]
    [InlineData(SipMethod.Unknown)]
    public void Request_that_is_none_of_its_own_is_refused(SipMethod method) =>
        Assert.Throws<ArgumentException>(() => _harness.Request(method));
}
