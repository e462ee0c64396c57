using SipNat.Sip.Messages;
using SipNat.Sip.Transactions;
using SipNat.Wire;

namespace SipNat.Tests.Sip.Transactions;

public class TransactionLayerTests
{
    private readonly TransactionHarness _harness = new();

    // Via as sent | transport | ForceRport | destination | Via as returned; the source is always 198.51.100.7:5062.
    [Theory]
    [InlineData("198.51.100.7:5070;branch=b", 1, true, "198.51.100.7:5070", "198.51.100.7:5070;branch=b")]
    [InlineData("198.51.100.7;branch=b", 1, true, "198.51.100.7:5060", "198.51.100.7;branch=b")]
    [InlineData("198.51.100.7:5070;rport;branch=b", 1, true, "198.51.100.7:5062", "198.51.100.7:5070;rport=5062;branch=b;received=198.51.100.7")]
    [InlineData("10.0.0.5:5070;rport;branch=b", 1, false, "198.51.100.7:5062", "10.0.0.5:5070;rport=5062;branch=b;received=198.51.100.7")]
    [InlineData("10.0.0.5:5070;branch=b", 1, true, "198.51.100.7:5062", "10.0.0.5:5070;branch=b;received=198.51.100.7")]
    [InlineData("10.0.0.5:5070;branch=b", 1, false, "198.51.100.7:5070", "10.0.0.5:5070;branch=b;received=198.51.100.7")]
    [InlineData("100.64.3.4;branch=b", 1, true, "198.51.100.7:5062", "100.64.3.4;branch=b;received=198.51.100.7")]
    [InlineData("sbc.example.com:5070;branch=b", 1, true, "198.51.100.7:5062", "sbc.example.com:5070;branch=b;received=198.51.100.7")]
    [InlineData("sbc.example.com:5070;branch=b", 1, false, "198.51.100.7:5070", "sbc.example.com:5070;branch=b;received=198.51.100.7")]
    [InlineData("203.0.113.77:5070;branch=b", 1, true, "198.51.100.7:5070", "203.0.113.77:5070;branch=b;received=198.51.100.7")]
    [InlineData("203.0.113.77;maddr=224.0.1.75;branch=b", 1, true, "198.51.100.7:5060", "203.0.113.77;maddr=224.0.1.75;branch=b;received=198.51.100.7")]
    [InlineData("[fd00::5]:5070;branch=b", 1, true, "198.51.100.7:5062", "[fd00::5]:5070;branch=b;received=198.51.100.7")]
    [InlineData("10.0.0.5:5070;branch=b", 2, true, "198.51.100.7:5062", "10.0.0.5:5070;branch=b;received=198.51.100.7")]
    [InlineData("198.51.100.7:9;branch=b", 2, true, "198.51.100.7:5062", "198.51.100.7:9;branch=b")]
    public void Answer_goes_where_rport_received_and_the_source_say(string via, int flow, bool forceRport, string destination, string returned)
    {
        var harness = new TransactionHarness(new() { ForceRport = forceRport });
        harness.Receive(With("Via: SIP/2.0/UDP " + via), new(flow));
        harness.Respond(200);

        Assert.Equal((new FlowId(flow), TransportAddress.Parse(destination)), (harness.Sent[0].Flow, harness.Sent[0].Destination));
        Assert.Equal("Via: SIP/2.0/UDP " + returned, harness.LastSent.Split('\n')[1]);
    }

    [Fact]
    public void Same_request_by_another_path_is_a_merged_one() // RFC 3261 §8.2.2.2
    {
        _harness.Receive(ServerTransactionTests.Request(SipMethod.Invite));
        _harness.Receive(ServerTransactionTests.Request(SipMethod.Invite, "z9hG4bKother"));
        _harness.Receive(ServerTransactionTests.Request(SipMethod.Invite, "z9hG4bKnext", cseq: 2));
        _harness.Receive(ServerTransactionTests.Request(SipMethod.Info, "z9hG4bKa", "t", 9));
        _harness.Receive(ServerTransactionTests.Request(SipMethod.Info, "z9hG4bKb", "t", 9));

        _harness.AssertLog("0 ! Request INVITE", "0 > 482", "0 ! Request INVITE", "0 ! Request INFO", "0 ! Request INFO");
        Assert.Equal(1, _harness.Layer.Counters.Rejected);
    }

    [Fact]
    public void Request_above_the_limit_gets_503_without_state()
    {
        var harness = new TransactionHarness(new() { MaxTransactions = 1, RetryAfter = TimeSpan.FromSeconds(7) });
        harness.Receive(ServerTransactionTests.Request(SipMethod.Options));
        harness.Receive(ServerTransactionTests.Request(SipMethod.Invite, "z9hG4bK2", cseq: 2));
        var first = harness.LastSent;
        harness.Receive(ServerTransactionTests.Request(SipMethod.Invite, "z9hG4bK2", cseq: 2));

        harness.AssertLog("0 ! Request OPTIONS", "0 > 503", "0 > 503");
        Assert.Equal(first, harness.LastSent);
        Assert.Contains("\nRetry-After: 7\n", first, StringComparison.Ordinal);
        Assert.Equal((1, 2L, 2L), (harness.Layer.Count, harness.Layer.Counters.Overload, harness.Layer.Counters.Rejected));
    }

    [Fact]
    public void A_copy_of_an_invite_that_was_refused_for_want_of_room_is_refused_as_well_when_there_is_room()
    {
        _harness.Receive(ServerTransactionTests.Request(SipMethod.Invite));
        _harness.Dismiss(503);
        _harness.RunTo(500);
        _harness.Receive(ServerTransactionTests.Request(SipMethod.Invite));
        _harness.Receive(ServerTransactionTests.Request(SipMethod.Invite, "z9hG4bKanother", cseq: 2));
        _harness.Dismiss(488);
        _harness.Receive(ServerTransactionTests.Request(SipMethod.Invite, "z9hG4bKanother", cseq: 2));

        _harness.AssertLog("0 ! Request INVITE", "0 > 503", "500 > 503", "500 ! Request INVITE", "500 > 488", "500 ! Request INVITE");
        Assert.Equal((1, 1L), (_harness.Layer.Count, _harness.Layer.Counters.RequestRetransmissions));
    }

    [Fact]
    public void Of_refused_invites_two_thousand_are_remembered()
    {
        for (var i = 0; i <= RefusedInvites.Capacity; i++)
        {
            _harness.Receive(ServerTransactionTests.Request(SipMethod.Invite, $"z9hG4bK{i}"));
            _harness.Dismiss(503);
        }

        _harness.Events.Clear();
        _harness.Receive(ServerTransactionTests.Request(SipMethod.Invite, "z9hG4bK1"));
        Assert.Empty(_harness.Events);
        _harness.Receive(ServerTransactionTests.Request(SipMethod.Invite, "z9hG4bK0"));
        Assert.Single(_harness.Events);
    }

    [Fact]
    public void An_invite_that_the_full_table_refused_is_refused_again()
    {
        var harness = new TransactionHarness(new() { MaxTransactions = 1 });
        harness.Receive(ServerTransactionTests.Request(SipMethod.Options));
        harness.Receive(ServerTransactionTests.Request(SipMethod.Invite, "z9hG4bK2", cseq: 2));
        harness.Respond(200);
        harness.RunTo(64 * 500);
        harness.Receive(ServerTransactionTests.Request(SipMethod.Invite, "z9hG4bK2", cseq: 2));

        harness.AssertLog("0 ! Request OPTIONS", "0 > 503", "0 > 200", "32000 > 503");
    }

    [Fact]
    public void Requests_inside_dialogs_have_room_beyond_the_limit()
    {
        var harness = new TransactionHarness(new() { MaxTransactions = 1, ReservedForDialogs = 1 });
        harness.Receive(ServerTransactionTests.Request(SipMethod.Options));
        harness.Receive(ServerTransactionTests.Request(SipMethod.Info, "z9hG4bK2", cseq: 2));
        harness.Receive(ServerTransactionTests.Request(SipMethod.Bye, "z9hG4bK3", "t", 3));
        harness.Receive(ServerTransactionTests.Request(SipMethod.Bye, "z9hG4bK4", "t", 4));

        harness.AssertLog("0 ! Request OPTIONS", "0 > 503", "0 ! Request BYE", "0 > 503");
    }

    [Fact]
    public void Ack_of_an_answer_without_state_is_absorbed()
    {
        var invite = ServerTransactionTests.Request(SipMethod.Invite).Replace("sip:srs@192.0.2.1 SIP", "urn:x SIP", StringComparison.Ordinal);
        _harness.Receive(invite);
        var to = _harness.LastSent.Split('\n').Single(l => l.StartsWith("To:", StringComparison.Ordinal));
        _harness.Receive(ServerTransactionTests.Request(SipMethod.Ack, toTag: to[(to.IndexOf("tag=", StringComparison.Ordinal) + 4)..]));
        _harness.Receive(ServerTransactionTests.Request(SipMethod.Ack, toTag: "another"));

        _harness.AssertLog("0 > 416", "0 ! Malformed UnsupportedScheme", "0 ! Ack");
    }

    [Fact]
    public void Cancel_without_its_invite_gets_481()
    {
        _harness.Receive(ServerTransactionTests.Request(SipMethod.Cancel));
        _harness.Receive(ServerTransactionTests.Request(SipMethod.Options));
        _harness.Receive(ServerTransactionTests.Request(SipMethod.Cancel));

        _harness.AssertLog("0 > 481", "0 ! Request OPTIONS", "0 > 481");
    }

    [Theory]
    [InlineData("Content-Length: 7", "400 Content-Length exceeds the message")]
    [InlineData("Content-Length: 70000", "413 Request Entity Too Large")]
    [InlineData("CSeq: 1 BYE", "400 CSeq names another method")]
    public void Malformed_request_is_told_its_fault(string line, string expected)
    {
        _harness.Receive(With(line));

        Assert.Equal("SIP/2.0 " + expected, _harness.LastSent.Split('\n')[0]);
        Assert.IsType<TransactionEvent.Malformed>(Assert.Single(_harness.Events));
        Assert.Equal((1L, 1L, 0), (_harness.Layer.Counters.Malformed, _harness.Layer.Counters.Rejected, _harness.Layer.Count));
    }

    [Fact]
    public void Malformed_ack_is_answered_by_nothing()
    {
        _harness.Receive(ServerTransactionTests.Request(SipMethod.Ack).Replace("1 ACK", "x ACK", StringComparison.Ordinal));

        _harness.AssertLog("0 ! Malformed BadCSeq");
    }

    [Fact]
    public void Stream_message_without_content_length_gets_400_and_a_datagram_none()
    {
        var request = ServerTransactionTests.Request(SipMethod.Options).Replace("Content-Length: 0\n", "", StringComparison.Ordinal);
        _harness.Receive(request, TransactionHarness.Tcp);
        _harness.Receive(request);

        _harness.AssertLog("0 > 400", "0 ! Malformed MissingContentLength", "0 ! Request OPTIONS");
    }

    [Fact]
    public void Keepalives_junk_and_messages_of_unknown_flows_are_counted()
    {
        _harness.Receive("\r\n\r\n"u8);
        _harness.Receive(stackalloc byte[4]);
        _harness.Receive("junk"u8);
        _harness.Receive(ServerTransactionTests.Request(SipMethod.Options), new FlowId(77));

        _harness.AssertLog("0 ! Malformed NotSip");
        var counters = _harness.Layer.Counters;
        Assert.Equal((2L, 1L, 1L, 0L), (counters.Keepalives, counters.Malformed, counters.UnknownFlow, counters.Requests));
    }

    [Fact]
    public void Peer_of_rfc_2543_is_matched_without_a_branch() // RFC 3261 §17.2.3
    {
        var invite = ServerTransactionTests.Request(SipMethod.Invite).Replace(";branch=z9hG4bK1", "", StringComparison.Ordinal);
        _harness.Receive(invite);
        _harness.Receive(invite);
        _harness.Respond(486, "t");
        _harness.Receive(ServerTransactionTests.Request(SipMethod.Ack, toTag: "t").Replace(";branch=z9hG4bK1", "", StringComparison.Ordinal));
        _harness.RunTo(4999);
        _harness.Receive(ServerTransactionTests.Request(SipMethod.Invite, cseq: 2).Replace(";branch=z9hG4bK1", "", StringComparison.Ordinal));

        _harness.AssertLog("0 ! Request INVITE", "0 > 486", "4999 ! Request INVITE");
    }

    [Fact]
    public void Same_branch_from_another_client_is_another_transaction()
    {
        var request = ServerTransactionTests.Request(SipMethod.Options, toTag: "t");
        _harness.Receive(request);
        _harness.Receive(request.Replace("UDP 198.51.100.7:5062", "UDP 198.51.100.8:5062", StringComparison.Ordinal));

        _harness.AssertLog("0 ! Request OPTIONS", "0 ! Request OPTIONS");
    }

    [Fact]
    public void Same_seed_gives_the_same_bytes()
    {
        var first = new TransactionHarness();
        var second = new TransactionHarness();
        foreach (var harness in (TransactionHarness[])[first, second])
        {
            harness.Request(SipMethod.Invite);
            harness.Receive(ServerTransactionTests.Request(SipMethod.Options));
            harness.Respond(200);
            harness.Receive(ServerTransactionTests.Request(SipMethod.Cancel, "z9hG4bK5"));
        }

        Assert.Equal(first.Sent.Select(s => Wired.Text(s.Bytes)), second.Sent.Select(s => Wired.Text(s.Bytes)));
    }

    // An OPTIONS request in which one line replaces the one of the same name.
    private static string With(string line)
    {
        var name = line[..line.IndexOf(':', StringComparison.Ordinal)];
        var lines = ServerTransactionTests.Request(SipMethod.Options).TrimEnd().Split('\n');
        return string.Join('\n', lines.Select(l => l.StartsWith(name + ":", StringComparison.Ordinal) ? line : l));
    }
}
