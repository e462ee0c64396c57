using System.Text;
using SipNat.Sip.Messages;
using SipNat.Wire;

namespace SipNat.Tests.Sip.Messages;

public class SipWriterTests
{
    private const string Invite = """
        INVITE sip:srs@recorder.example SIP/2.0
        Via: SIP/2.0/UDP 10.0.0.5:5070;branch=z9hG4bK1;rport;x="a,b", SIP/2.0/UDP second.example;rport
        Via: SIP/2.0/TCP third.example;
         branch=z9hG4bK3
        From: "Jo"
         <sip:jo@example.com>;tag=ft
        To: <sip:srs@recorder.example>
        Call-ID: call-1
        CSeq: 2 INVITE
        Record-Route: <sip:p2.example;lr>, <sip:p1.example;lr>
        Record-Route: <sip:p0.example;lr>
        Max-Forwards: 70
        """;

    private static readonly ViaStamp Stamp = new(TransportAddress.Parse("203.0.113.9:1024"), 1024);

    [Fact]
    public void Response_copies_what_the_request_gives_and_adds_received_and_rport_to_the_top_via_alone()
    {
        var response = new SipResponse(200)
        {
            ToTag = "ours",
            Headers = [new(SipHeader.Contact, "<sip:srs@192.0.2.1>;+sip.srs"), new("X-Note", "1")],
            ContentType = "application/sdp",
            Body = "v=0\r\n"u8.ToArray(),
        };

        Assert.Equal(
            """
            SIP/2.0 200 OK
            Via: SIP/2.0/UDP 10.0.0.5:5070;branch=z9hG4bK1;rport=1024;x="a,b";received=203.0.113.9, SIP/2.0/UDP second.example;rport
            Via: SIP/2.0/TCP third.example; branch=z9hG4bK3
            From: "Jo" <sip:jo@example.com>;tag=ft
            To: <sip:srs@recorder.example>;tag=ours
            Call-ID: call-1
            CSeq: 2 INVITE
            Record-Route: <sip:p2.example;lr>, <sip:p1.example;lr>
            Record-Route: <sip:p0.example;lr>
            Contact: <sip:srs@192.0.2.1>;+sip.srs
            X-Note: 1
            Server: test
            Content-Type: application/sdp
            Content-Length: 5

            v=0

            """,
            Write(response, Invite));
    }

    [Fact]
    public void Trying_has_no_tag_and_an_error_no_record_route()
    {
        Assert.Contains("To: <sip:srs@recorder.example>\nCall-ID", Write(new SipResponse(100) { ToTag = "never" }, Invite), StringComparison.Ordinal);
        var error = Write(new SipResponse(403), Invite);
        Assert.Contains("To: <sip:srs@recorder.example>;tag=chosen\n", error, StringComparison.Ordinal);
        Assert.DoesNotContain("Record-Route", error, StringComparison.Ordinal);
        Assert.EndsWith("Content-Length: 0\n\n", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Tag_of_the_request_stays()
    {
        var request = Invite.Replace("To: <sip:srs@recorder.example>", "To: <sip:srs@recorder.example>;tag=old", StringComparison.Ordinal);

        Assert.Contains("To: <sip:srs@recorder.example>;tag=old\n", Write(new SipResponse(200) { ToTag = "new" }, request), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("10.0.0.5;rport=9;branch=b", "10.0.0.5;rport=1024;branch=b;received=203.0.113.9")]
    [InlineData("10.0.0.5;RPort;branch=b", "10.0.0.5;RPort=1024;branch=b;received=203.0.113.9")]
    [InlineData("10.0.0.5;received=1.2.3.4;rport", "10.0.0.5;rport=1024;received=203.0.113.9")]
    [InlineData("10.0.0.5 ; branch = b", "10.0.0.5 ; branch = b;received=203.0.113.9")]
    [InlineData("10.0.0.5", "10.0.0.5;received=203.0.113.9")]
    public void Top_via_is_stamped(string via, string expected)
    {
        var writer = new SipWriter();
        Stamp.Write(writer, Encoding.ASCII.GetBytes("SIP/2.0/UDP " + via));

        Assert.Equal($"Via: SIP/2.0/UDP {expected}\n", Wired.Text(writer.Written));
    }

    [Fact]
    public void Request_is_written_whole_and_read_back()
    {
        var request = new SipRequest
        {
            Method = SipMethod.Invite,
            Uri = "sip:b@example.com",
            From = "<sip:a@example.com>;tag=1",
            To = "<sip:b@example.com>",
            CallId = "c",
            CSeq = 3,
            Routes = ["<sip:p1.example;lr>", "<sip:p2.example;lr>"],
            Headers = [new(SipHeader.Contact, "<sip:a@192.0.2.1>")],
            ContentType = "text/plain",
            Body = "é"u8.ToArray(),
        };
        var writer = new SipWriter();
        request.Write(writer, "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1;rport", "test");

        Assert.Equal(
            """
            INVITE sip:b@example.com SIP/2.0
            Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1;rport
            Max-Forwards: 70
            Route: <sip:p1.example;lr>
            Route: <sip:p2.example;lr>
            From: <sip:a@example.com>;tag=1
            To: <sip:b@example.com>
            Call-ID: c
            CSeq: 3 INVITE
            Contact: <sip:a@192.0.2.1>
            User-Agent: test
            Content-Type: text/plain
            Content-Length: 2

            é
            """,
            Wired.Text(writer.Written));
        Assert.True(StoredSipMessage.TryRead(writer.Written, out var read));
        Assert.Equal(["<sip:p1.example;lr>", "<sip:p2.example;lr>"], read!.Headers(SipHeader.Route));
        Assert.Equal("é", Wired.Text(read.Body.Span));
    }

    [Theory]
    [InlineData("a\r\nX-Evil: 1")]
    [InlineData("a\nX-Evil: 1")]
    [InlineData("a\rX-Evil: 1")]
    [InlineData("a\0")]
    public void Line_end_in_text_of_ours_is_refused(string text)
    {
        Assert.Throws<ArgumentException>(() => new SipHeaderField(SipHeader.Subject, text));
        Assert.Throws<ArgumentException>(() => new SipHeaderField(text, "value"));
        Assert.Throws<ArgumentException>(() => new SipResponse(200, text));
        Assert.Throws<ArgumentException>(() => new SipWriter().Text(text));
        Assert.Throws<ArgumentException>(() => Write(new SipResponse(200) { ToTag = text }, Invite));
    }

    [Fact]
    public void Text_of_a_peer_is_cleaned_and_quoted()
    {
        Assert.Equal("a  X-Evil: 1", SipHeaderField.FromWire(SipHeader.Subject, "a\r\nX-Evil: 1").Value);
        Assert.Equal("\"say \\\"a\\\\b\\\" \"", SipText.Quote("say \"a\\b\"\n"));
    }

    [Fact]
    public void Values_of_a_peer_never_begin_a_line_of_ours()
    {
        foreach (var (name, bytes) in Wired.Corpus)
        {
            if (!SipMessage.TryRead(bytes, new(), out var request, out _) || !request.IsRequest) continue;

            var writer = new SipWriter();
            new SipResponse(200).Write(writer, request, Stamp, "chosen", null);
            var lines = Wired.Text(writer.Written).TrimEnd('\n').Split('\n');

            Assert.All(lines.Skip(1), line => Assert.Matches("^(Via|From|To|Call-ID|CSeq|Record-Route|Content-Length): ", line));
            Assert.True(SipMessage.TryRead(writer.Written, new(), out _, out _) || request.Defect is not SipDefect.None, name);
        }
    }

    private static string Write(SipResponse response, string request)
    {
        var writer = new SipWriter();
        response.Write(writer, Wired.Store(request).View, Stamp, "chosen", "test");
        return Wired.Text(writer.Written);
    }
}
