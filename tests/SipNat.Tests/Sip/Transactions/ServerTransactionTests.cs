using SipNat.Sip.Messages;
using SipNat.Wire;

namespace SipNat.Tests.Sip.Transactions;

public class ServerTransactionTests
{
    private static readonly double[] EveryT2 = [0, 500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500];

    private readonly TransactionHarness _harness = new();

    public static string Request(SipMethod method, string branch = "z9hG4bK1", string toTag = "", uint cseq = 1) =>
        $"{method.Name} sip:srs@192.0.2.1 SIP/2.0\n" +
        $"Via: SIP/2.0/UDP 198.51.100.7:5062;branch={branch};rport\n" +
        "From: <sip:src@198.51.100.7>;tag=f\n" +
        $"To: <sip:srs@192.0.2.1>{(toTag.Length > 0 ? ";tag=" + toTag : "")}\n" +
        "Call-ID: call-1\n" +
        $"CSeq: {cseq} {(method is SipMethod.Ack ? "ACK" : method.Name)}\n" +
        "Content-Length: 0\n";

    [Fact]
    public void Invite_gets_100_after_200_ms_and_its_retransmissions_get_the_last_answer() // RFC 3261 §17.2.1
    {
        _harness.Receive(Request(SipMethod.Invite));
        _harness.RunTo(100);
        _harness.Receive(Request(SipMethod.Invite));
        _harness.RunTo(300);
        _harness.Receive(Request(SipMethod.Invite));
        _harness.Respond(180);
        _harness.RunTo(400);
        _harness.Receive(Request(SipMethod.Invite));
        _harness.RunTo(1000);

        _harness.AssertLog("0 ! Request INVITE", "200 > 100", "300 > 100", "300 > 180", "400 > 180");
        Assert.Equal(3, _harness.Layer.Counters.RequestRetransmissions);
        Assert.Equal(2, _harness.Layer.Counters.Resends);
    }

    [Fact]
    public void Invite_that_is_answered_in_time_gets_no_100()
    {
        _harness.Receive(Request(SipMethod.Invite));
        _harness.RunTo(199);
        _harness.Respond(486);
        _harness.RunTo(400);

        _harness.AssertLog("0 ! Request INVITE", "199 > 486");
    }

    [Fact]
    public void Trying_can_be_left_out()
    {
        var harness = new TransactionHarness(new() { TryingAfter = null });
        harness.Receive(Request(SipMethod.Invite));
        harness.RunTo(60_000);

        harness.AssertLog("0 ! Request INVITE");
        Assert.Null(harness.Layer.Deadline);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Accepted_invite_repeats_its_2xx_on_every_transport_and_misses_its_ack_after_32_seconds(int flow) // RFC 3261 §13.3.1.4
    {
        _harness.Receive(Request(SipMethod.Invite), new(flow));
        _harness.Respond(200);
        _harness.RunTo(60_000);

        _harness.AssertLog(["0 ! Request INVITE", .. EveryT2.Select(t => $"{t} > 200"), "32000 ! NoAck"]);
        Assert.Equal(0, _harness.Layer.Count);
        Assert.Null(_harness.Layer.Deadline);
    }

    [Fact]
    public void Acknowledged_2xx_rests_and_absorbs_retransmitted_invites_until_timer_l() // RFC 6026 §7.1
    {
        _harness.Receive(Request(SipMethod.Invite));
        _harness.Respond(200, "t");
        _harness.RunTo(600);
        _harness.Receive(Request(SipMethod.Ack, "z9hG4bK2", "t"));
        _harness.Layer.Acknowledged(_harness.Now, _harness.LastTransaction);
        _harness.Receive(Request(SipMethod.Invite));
        _harness.Receive(Request(SipMethod.Ack, "z9hG4bK2", "t"));
        _harness.RunTo(31_999);
        Assert.Equal(1, _harness.Layer.Count);
        _harness.RunTo(60_000);

        _harness.AssertLog("0 ! Request INVITE", "0 > 200", "500 > 200", "600 ! Ack", "600 ! Ack");
        Assert.Equal(0, _harness.Layer.Count);
    }

    [Fact]
    public void Ack_of_a_2xx_with_the_branch_of_its_invite_is_for_the_user_too()
    {
        _harness.Receive(Request(SipMethod.Invite));
        _harness.Respond(200, "t");
        _harness.Receive(Request(SipMethod.Ack, toTag: "t"));

        _harness.AssertLog("0 ! Request INVITE", "0 > 200", "0 ! Ack");
    }

    [Fact]
    public void Error_answer_is_repeated_over_udp_until_timer_h() // RFC 3261 §17.2.1
    {
        _harness.Receive(Request(SipMethod.Invite));
        _harness.Respond(403);
        _harness.RunTo(60_000);

        _harness.AssertLog(["0 ! Request INVITE", .. EveryT2.Select(t => $"{t} > 403"), "32000 ! TimedOut"]);
        Assert.Equal(0, _harness.Layer.Count);
    }

    [Fact]
    public void Error_answer_rests_after_its_ack_and_absorbs_further_ones_for_t4()
    {
        _harness.Receive(Request(SipMethod.Invite));
        _harness.Respond(403, "t");
        _harness.RunTo(700);
        _harness.Receive(Request(SipMethod.Ack, toTag: "t"));
        _harness.Receive(Request(SipMethod.Ack, toTag: "t"));
        _harness.Receive(Request(SipMethod.Invite));
        _harness.RunTo(5699);
        Assert.Equal(1, _harness.Layer.Count);
        _harness.RunTo(5700);

        _harness.AssertLog("0 ! Request INVITE", "0 > 403", "500 > 403");
        Assert.Equal(0, _harness.Layer.Count);
    }

    [Fact]
    public void Error_answer_over_tcp_is_sent_once_and_ends_with_its_ack()
    {
        _harness.Receive(Request(SipMethod.Invite), TransactionHarness.Tcp);
        _harness.Respond(403, "t");
        _harness.RunTo(10_000);
        _harness.Receive(Request(SipMethod.Ack, toTag: "t"), TransactionHarness.Tcp);

        _harness.AssertLog("0 ! Request INVITE", "0 > 403");
        Assert.Equal(0, _harness.Layer.Count);
    }

    [Fact]
    public void Retransmitted_invite_in_completed_gets_its_error_again()
    {
        _harness.Receive(Request(SipMethod.Invite));
        _harness.Respond(403);
        _harness.RunTo(200);
        _harness.Receive(Request(SipMethod.Invite));

        _harness.AssertLog("0 ! Request INVITE", "0 > 403", "200 > 403");
    }

    [Fact]
    public void Second_final_answer_is_not_sent_but_counted()
    {
        _harness.Receive(Request(SipMethod.Invite));
        _harness.Respond(200);
        _harness.Respond(500);
        _harness.Layer.Respond(_harness.Now, new(99), new(200));

        _harness.AssertLog("0 ! Request INVITE", "0 > 200");
        Assert.Equal(2, _harness.Layer.Counters.LateAnswers);
    }

    [Fact]
    public void Suspended_process_repeats_once_and_counts_on_from_then()
    {
        _harness.Receive(Request(SipMethod.Invite));
        _harness.Respond(200);
        _harness.SleepTo(10_000);
        _harness.RunTo(12_000);
        _harness.Layer.Acknowledged(_harness.Now, _harness.LastTransaction);

        _harness.AssertLog("0 ! Request INVITE", "0 > 200", "10000 > 200", "11000 > 200");
    }

    [Fact]
    public void Other_request_is_answered_again_until_timer_j() // RFC 3261 §17.2.2
    {
        _harness.Receive(Request(SipMethod.Options));
        _harness.Receive(Request(SipMethod.Options));
        _harness.Respond(200);
        _harness.RunTo(31_999);
        _harness.Receive(Request(SipMethod.Options));
        _harness.RunTo(32_000);
        _harness.Receive(Request(SipMethod.Options));

        _harness.AssertLog("0 ! Request OPTIONS", "0 > 200", "31999 > 200", "32000 ! Request OPTIONS");
    }

    [Fact]
    public void Other_request_over_tcp_ends_with_its_answer_and_unanswered_after_64_t1()
    {
        _harness.Receive(Request(SipMethod.Bye), TransactionHarness.Tcp);
        _harness.Respond(200);
        Assert.Equal(0, _harness.Layer.Count);
        _harness.Receive(Request(SipMethod.Info, "z9hG4bK3"));
        _harness.RunTo(32_000);

        _harness.AssertLog("0 ! Request BYE", "0 > 200", "0 ! Request INFO");
        Assert.Equal(0, _harness.Layer.Count);
    }

    [Fact]
    public void Cancel_is_answered_with_the_tag_of_its_invite_and_told_once() // RFC 3261 §9.2
    {
        _harness.Receive(Request(SipMethod.Invite));
        _harness.Respond(180, "t");
        _harness.Receive(Request(SipMethod.Cancel));
        Assert.Contains("To: <sip:srs@192.0.2.1>;tag=t\n", _harness.LastSent, StringComparison.Ordinal);
        Assert.Contains("CSeq: 1 CANCEL\n", _harness.LastSent, StringComparison.Ordinal);
        _harness.Receive(Request(SipMethod.Cancel));
        _harness.Respond(487, "t");
        _harness.Receive(Request(SipMethod.Cancel));
        _harness.Receive(Request(SipMethod.Ack, toTag: "t"));

        _harness.AssertLog("0 ! Request INVITE", "0 > 180", "0 > 200", "0 ! Cancelled", "0 > 200", "0 > 487", "0 > 200");
    }

    [Fact]
    public void Cancel_after_the_2xx_changes_nothing()
    {
        _harness.Receive(Request(SipMethod.Invite));
        _harness.Respond(200);
        _harness.Receive(Request(SipMethod.Cancel));

        _harness.AssertLog("0 ! Request INVITE", "0 > 200", "0 > 200");
    }

    [Fact]
    public void Closed_flow_ends_what_has_no_answer_and_waits_on_for_the_ack_of_a_2xx()
    {
        _harness.Receive(Request(SipMethod.Options), TransactionHarness.Tcp);
        _harness.Receive(Request(SipMethod.Invite, "z9hG4bK2", cseq: 2), TransactionHarness.Tcp);
        _harness.Receive(Request(SipMethod.Invite, "z9hG4bK3", cseq: 3), TransactionHarness.Tcp);
        _harness.Respond(200);
        _harness.Forget();
        _harness.ChangeFlow(TransactionHarness.Tcp, FlowChangeKind.Closed);
        _harness.RunTo(40_000);

        _harness.AssertLog("0 ! TransportFailed", "0 ! TransportFailed", "32000 ! NoAck");
    }
}
