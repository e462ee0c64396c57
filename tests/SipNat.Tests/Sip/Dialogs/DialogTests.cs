using SipNat.Sip.Dialogs;
using SipNat.Sip.Messages;

namespace SipNat.Tests.Sip.Dialogs;

public class DialogTests
{
    private const string Contact = "<sip:srs@192.0.2.1>;+sip.srs";

    private static StoredSipMessage Request(string method, uint cseq, string? contact = "<sip:src@10.0.0.5:5070>", string toTag = "t", string extra = "") => Wired.Store(
        $"{method} sip:srs@192.0.2.1 SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.5;branch=z9hG4bK1\n" +
        $"From: \"Jo\" <sip:jo@example.com>;tag=f\nTo: <sip:srs@example.com>{(toTag.Length > 0 ? ";tag=" + toTag : "")}\n" +
        $"Call-ID: call-1\nCSeq: {cseq} {method}\n{(contact is null ? "" : $"Contact: {contact}\n")}{extra}");

    private static Dialog Server(string extra = "", string? contact = "<sip:src@10.0.0.5:5070>") =>
        Dialog.AsServer(Request("INVITE", 10, contact, toTag: "", extra), "t", Contact);

    private static string Describe(SipRequest request) =>
        $"{request.Method.Name} {request.Uri} {request.CSeq} | {string.Join(", ", request.Routes)} | {string.Join(", ", request.Headers.Select(h => $"{h.Name}: {h.Value}"))}";

    [Fact]
    public void Server_takes_its_identity_from_the_invite() // RFC 3261 §12.1.1
    {
        var dialog = Server();

        Assert.Equal(new DialogKey("call-1", "t", "f"), dialog.Key);
        Assert.Equal("<sip:srs@example.com>;tag=t", dialog.Local);
        Assert.Equal("\"Jo\" <sip:jo@example.com>;tag=f", dialog.Remote);
        Assert.Equal("sip:src@10.0.0.5:5070", dialog.RemoteTarget.Text);
        Assert.Equal(dialog.Key, DialogKey.ForRequest(Request("BYE", 11)));
        Assert.Equal("sip:src@10.0.0.5:5070", dialog.NextHop.Text);
    }

    [Fact]
    public void Requests_count_up_and_carry_the_contact_where_it_matters()
    {
        var dialog = Server();

        Assert.Equal("OPTIONS sip:src@10.0.0.5:5070 1 |  | ", Describe(dialog.CreateRequest(SipMethod.Options)));
        Assert.Equal($"INVITE sip:src@10.0.0.5:5070 2 |  | Contact: {Contact}", Describe(dialog.CreateRequest(SipMethod.Invite)));
        Assert.Equal("ACK sip:src@10.0.0.5:5070 2 |  | ", Describe(dialog.CreateAck(2)));
        var bye = dialog.CreateRequest(SipMethod.Bye);
        Assert.Equal("BYE sip:src@10.0.0.5:5070 3 |  | ", Describe(bye));
        Assert.Equal((dialog.Local, dialog.Remote, "call-1"), (bye.From, bye.To, bye.CallId));
        Assert.Equal(3u, dialog.LocalSequence);
    }

    [Fact]
    public void Loose_route_set_leaves_the_target_alone() // RFC 3261 §12.2.1.1
    {
        var dialog = Server("Record-Route: <sip:p2.example;lr>, <sip:p1.example;lr>\nRecord-Route: <sip:p0.example;lr>\n");

        Assert.Equal(
            "BYE sip:src@10.0.0.5:5070 1 | <sip:p2.example;lr>, <sip:p1.example;lr>, <sip:p0.example;lr> | ",
            Describe(dialog.CreateRequest(SipMethod.Bye)));
        Assert.Equal("sip:p2.example;lr", dialog.NextHop.Text);
    }

    [Fact]
    public void Strict_router_stands_in_the_request_uri_and_the_target_behind_the_routes() // RFC 3261 §12.2.1.1
    {
        var dialog = Server("Record-Route: <sip:strict.example?x=y>, <sip:p1.example;lr>\n");

        Assert.Equal("BYE sip:strict.example 1 | <sip:p1.example;lr>, <sip:src@10.0.0.5:5070> | ", Describe(dialog.CreateRequest(SipMethod.Bye)));
        Assert.Equal("sip:strict.example?x=y", dialog.NextHop.Text);
    }

    [Fact]
    public void Client_takes_its_identity_from_the_answer_and_turns_the_route_around() // RFC 3261 §12.1.2
    {
        var invite = new SipRequest
        {
            Method = SipMethod.Invite,
            Uri = "sip:b@example.com",
            From = "<sip:a@example.com>;tag=1",
            To = "<sip:b@example.com>",
            CallId = "c",
            CSeq = 5,
        };
        var answer = Wired.Store("""
            SIP/2.0 200 OK
            Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1
            From: <sip:a@example.com>;tag=1
            To: <sip:b@example.com>;tag=2
            Call-ID: c
            CSeq: 5 INVITE
            Contact: <sip:b@203.0.113.8>
            Record-Route: <sip:near.example;lr>
            Record-Route: <sip:far.example;lr>
            """);
        var dialog = Dialog.AsClient(invite, answer, Contact);

        Assert.Equal(new DialogKey("c", "1", "2"), dialog.Key);
        Assert.Equal("ACK sip:b@203.0.113.8 5 | <sip:far.example;lr>, <sip:near.example;lr> | ", Describe(dialog.CreateAck(5)));
        Assert.Equal("BYE sip:b@203.0.113.8 6 | <sip:far.example;lr>, <sip:near.example;lr> | ", Describe(dialog.CreateRequest(SipMethod.Bye)));
        Assert.Equal(DialogOrder.InOrder, dialog.CheckRequest(Wired.Store("""
            BYE sip:a@192.0.2.1 SIP/2.0
            Via: SIP/2.0/UDP 203.0.113.8;branch=z9hG4bK1
            From: <sip:b@example.com>;tag=2
            To: <sip:a@example.com>;tag=1
            Call-ID: c
            CSeq: 0 BYE
            """)));
    }

    [Fact]
    public void Requests_of_the_peer_are_placed_by_their_cseq() // RFC 3261 §12.2.2
    {
        var dialog = Server();

        Assert.Equal(DialogOrder.InOrder, dialog.CheckRequest(Request("ACK", 10)));
        Assert.Equal(DialogOrder.Repeated, dialog.CheckRequest(Request("INFO", 10)));
        Assert.Equal(DialogOrder.InOrder, dialog.CheckRequest(Request("INFO", 4_000_000_000)));
        Assert.Equal(DialogOrder.OutOfOrder, dialog.CheckRequest(Request("INFO", 11)));
        Assert.Equal(DialogOrder.OtherDialog, dialog.CheckRequest(Request("INFO", 4_000_000_001, toTag: "other")));
        Assert.Equal(DialogOrder.OtherDialog, dialog.CheckRequest(Request("BYE", 4_000_000_001, toTag: "")));
        Assert.Equal(DialogOrder.InOrder, dialog.CheckRequest(Request("BYE", 4_000_000_001)));
    }

    [Fact]
    public void Target_is_refreshed_by_invite_and_update_in_order_alone()
    {
        var dialog = Server();

        dialog.CheckRequest(Request("INFO", 11, "<sip:info@192.0.2.9>"));
        Assert.Equal("sip:src@10.0.0.5:5070", dialog.RemoteTarget.Text);
        dialog.CheckRequest(Request("UPDATE", 12, "<sip:update@192.0.2.9>"));
        Assert.Equal("sip:update@192.0.2.9", dialog.RemoteTarget.Text);
        dialog.CheckRequest(Request("INVITE", 5, "<sip:late@192.0.2.9>"));
        Assert.Equal("sip:update@192.0.2.9", dialog.RemoteTarget.Text);
        dialog.CheckRequest(Request("INVITE", 13, contact: null));
        Assert.Equal("sip:update@192.0.2.9", dialog.RemoteTarget.Text);
    }

    [Theory]
    [InlineData(200, "UPDATE", "sip:moved@192.0.2.9")]
    [InlineData(200, "INFO", "sip:src@10.0.0.5:5070")]
    [InlineData(488, "UPDATE", "sip:src@10.0.0.5:5070")]
    public void Target_is_refreshed_by_the_answer_to_our_own_request(int status, string method, string target)
    {
        var dialog = Server();
        dialog.HandleResponse(Wired.Store(
            $"SIP/2.0 {status} X\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\nFrom: <sip:srs@example.com>;tag=t\nTo: <sip:jo@example.com>;tag=f\n" +
            $"Call-ID: call-1\nCSeq: 1 {method}\nContact: <sip:moved@192.0.2.9>"));

        Assert.Equal(target, dialog.RemoteTarget.Text);
    }

    [Theory]
    [InlineData(null, "sip:jo@example.com")]
    [InlineData("<not a uri>", "sip:jo@example.com")]
    public void Peer_without_a_usable_contact_is_reached_at_its_from(string? contact, string target) =>
        Assert.Equal(target, Server(contact: contact).RemoteTarget.Text);

    [Fact]
    public void Route_set_is_cut_at_its_limit_and_what_the_peer_wrote_can_be_written()
    {
        var routes = string.Concat(Enumerable.Repeat("Record-Route: <sip:p.example;lr>\n", Dialog.MaxRoutes + 5));
        var dialog = Server(routes + "Subject: a\u0001b\n");
        var writer = new SipWriter();
        dialog.CreateRequest(SipMethod.Bye).Write(writer, "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1", null);

        Assert.Equal(Dialog.MaxRoutes, dialog.RouteSet.Count);
        Assert.True(StoredSipMessage.TryRead(writer.Written, out _));
    }

    [Fact]
    public void Dialog_of_any_readable_invite_gives_a_request_that_is_read_back()
    {
        foreach (var (name, bytes) in Wired.Corpus)
        {
            if (!StoredSipMessage.TryRead(bytes, out var invite) || !invite!.IsRequest) continue;

            var writer = new SipWriter();
            var dialog = Dialog.AsServer(invite, "t", Contact);
            dialog.CreateRequest(SipMethod.Bye).Write(writer, "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1", null);

            Assert.True(StoredSipMessage.TryRead(writer.Written, out var bye), name);
            Assert.Equal((invite.CallId, dialog.Key.LocalTag), (bye!.CallId, bye.FromTag));
        }
    }
}
