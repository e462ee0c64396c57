using System.Text;
using SipNat.Sip.Messages;

namespace SipNat.Tests.Sip.Messages;

public class SipMessageTests
{
    private const string Invite = """
        INVITE sip:srs@recorder.example:5060 SIP/2.0
        Via: SIP/2.0/TCP proxy.example:5060;branch=z9hG4bKp;received=203.0.113.9, SIP/2.0/UDP 10.0.0.5:5070;branch=z9hG4bK1;rport
        v: SIP/2.0/UDP inner.example
        f: "Doe, \"Jo\"" <sip:jo@example.com;user=phone>;tag=ft
        To: <sip:srs@recorder.example>
        i:call-1@10.0.0.5
        CSEQ: 4294967295 INVITE
        Supported: siprec, timer
        k: 100rel,,replaces
        Subject: one, two
        X-Cisco-Recording-Participant: <sip:1@a>;media-index="0 1"
        m: <sip:src@10.0.0.5:5070;+sip.src>
        Content-Length: 4

        bodyrest
        """;

    [Fact]
    public void Request_is_read_in_place()
    {
        Assert.True(SipMessage.TryRead(Wired.Bytes(Invite), new(), out var message, out var defect));

        Assert.Equal(SipDefect.None, defect);
        Assert.Equal(SipDefect.None, message.Defect);
        Assert.True(message.IsRequest);
        Assert.Equal(SipMethod.Invite, message.Method);
        Assert.Equal("INVITE", Wired.Text(message.MethodText));
        Assert.Equal("sip:srs@recorder.example:5060", Wired.Text(message.RequestUri));
        Assert.Equal(0, message.StatusCode);
        Assert.Equal("call-1@10.0.0.5", Wired.Text(message.CallId));
        Assert.Equal(4294967295, message.CSeqNumber);
        Assert.Equal("ft", Wired.Text(message.FromTag));
        Assert.Equal("", Wired.Text(message.ToTag));
        Assert.Equal("body", Wired.Text(message.Body));
    }

    [Fact]
    public void Response_is_read_in_place()
    {
        var bytes = Wired.Bytes("""
            SIP/2.0 488 Not Acceptable Here
            Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1
            From: sip:a@example.com;tag=1
            To: sip:b@example.com;tag=2
            Call-ID: c
            CSeq: 7 UPDATE

            all of the rest
            """);

        Assert.True(SipMessage.TryRead(bytes, new(), out var message, out _));
        Assert.False(message.IsRequest);
        Assert.Equal(488, message.StatusCode);
        Assert.Equal("Not Acceptable Here", Wired.Text(message.ReasonPhrase));
        Assert.Equal(SipMethod.Update, message.Method);
        Assert.Equal(7u, message.CSeqNumber);
        Assert.Equal("2", Wired.Text(message.ToTag));
        Assert.Equal("all of the rest", Wired.Text(message.Body));
    }

    [Fact]
    public void Lists_are_divided_at_commas_outside_quotes_and_brackets_over_all_their_lines()
    {
        var message = Wired.Store(Invite);

        Assert.Equal(
            [
                "SIP/2.0/TCP proxy.example:5060;branch=z9hG4bKp;received=203.0.113.9",
                "SIP/2.0/UDP 10.0.0.5:5070;branch=z9hG4bK1;rport",
                "SIP/2.0/UDP inner.example",
            ],
            message.Headers(SipHeader.Via));
        Assert.Equal(["siprec", "timer", "100rel", "replaces"], message.Headers(SipHeader.Supported));
        Assert.Equal(["one, two"], message.Headers(SipHeader.Subject));
        Assert.Equal(["""<sip:1@a>;media-index="0 1" """.TrimEnd()], message.Headers("x-cisco-recording-participant"));
        Assert.True(message.HasToken(SipHeader.Supported, "SIPREC"));
        Assert.False(message.HasToken(SipHeader.Supported, "sip"));
        Assert.False(message.HasToken(SipHeader.Require, "siprec"));
    }

    [Fact]
    public void Folds_are_joined_by_one_space()
    {
        var message = Wired.Store("""
            OPTIONS sip:a@example.com SIP/2.0
            Via: SIP/2.0/UDP
             192.0.2.1
             ;branch=z9hG4bK1
            From:
             sip:a@example.com
            	;tag=1
            To: sip:b@example.com
            Call-ID:
              folded
            CSeq: 1
             OPTIONS
            Subject: first
               second	third
            """);

        Assert.Equal("SIP/2.0/UDP 192.0.2.1 ;branch=z9hG4bK1", message.Header(SipHeader.Via));
        Assert.Equal("1", message.FromTag);
        Assert.Equal("folded", message.CallId);
        Assert.Equal("first second third", message.Header(SipHeader.Subject));
    }

    [Theory]
    [InlineData("\n")]
    [InlineData("\r\n")]
    public void Line_ends_may_be_either_kind_and_stand_before_the_message(string lineEnd)
    {
        var lines = Invite.ReplaceLineEndings("\n").Split('\n');
        var mixed = "\r\n\n" + string.Concat(lines.Select((line, i) => line + (i % 2 == 0 ? lineEnd : "\r\n")));

        Assert.True(SipMessage.TryRead(Encoding.UTF8.GetBytes(mixed), new(), out var message, out _));
        Assert.Equal("call-1@10.0.0.5", Wired.Text(message.CallId));
        Assert.Equal("body", Wired.Text(message.Body));
    }

    [Fact]
    public void Stored_message_gives_the_same_view_after_the_bytes_and_the_index_have_been_used_again()
    {
        var bytes = Wired.Bytes(Invite);
        var index = new SipHeaderIndex();
        Assert.True(SipMessage.TryRead(bytes, index, out var message, out _));
        var stored = new StoredSipMessage(message);
        bytes.AsSpan().Fill((byte)'x');
        SipMessage.TryRead(bytes, index, out _, out _);

        Assert.Equal("call-1@10.0.0.5", stored.CallId);
        Assert.Equal("sip:srs@recorder.example:5060", stored.RequestUri);
        Assert.Equal("body", Wired.Text(stored.Body.Span));
        Assert.Equal("sip:src@10.0.0.5:5070;+sip.src", stored.Uri(SipHeader.Contact)!.Text);
        Assert.Equal("body", Wired.Text(stored.View.Body));
        Assert.Null(stored.Header(SipHeader.Route));
    }

    [Theory]
    [InlineData("Via", SipDefect.MissingVia, false)]
    [InlineData("From", SipDefect.MissingFrom, false)]
    [InlineData("To", SipDefect.MissingTo, false)]
    [InlineData("Call-ID", SipDefect.MissingCallId, false)]
    [InlineData("CSeq", SipDefect.MissingCSeq, false)]
    [InlineData("Max-Forwards", SipDefect.None, true)]
    public void Request_without_a_header_that_an_answer_copies_is_dropped(string missing, SipDefect expected, bool readable)
    {
        var lines = Options.Split('\n').Where(l => !l.StartsWith(missing + ":", StringComparison.Ordinal));

        Assert.Equal(readable, SipMessage.TryRead(Wired.Bytes(string.Join('\n', lines)), new(), out _, out var defect));
        Assert.Equal(expected, defect);
    }

    [Theory]
    [InlineData("From: <sip:a@example.com", SipDefect.BadFrom)]
    [InlineData("From: \"a <sip:a@example.com>", SipDefect.BadFrom)]
    [InlineData("To: ", SipDefect.BadTo)]
    [InlineData("To: <>", SipDefect.BadTo)]
    [InlineData("Call-ID: a b", SipDefect.BadCallId)]
    [InlineData("Call-ID:", SipDefect.BadCallId)]
    [InlineData("CSeq: OPTIONS", SipDefect.BadCSeq)]
    [InlineData("CSeq: 1", SipDefect.BadCSeq)]
    [InlineData("CSeq: 1OPTIONS", SipDefect.BadCSeq)]
    [InlineData("CSeq: 4294967296 OPTIONS", SipDefect.BadCSeq)]
    [InlineData("CSeq: 1 options", SipDefect.CSeqMethodMismatch)]
    [InlineData("CSeq: 1 INVITE", SipDefect.CSeqMethodMismatch)]
    [InlineData("Content-Length: 1x", SipDefect.BadContentLength)]
    [InlineData("Content-Length: -1", SipDefect.BadContentLength)]
    [InlineData("Content-Length:", SipDefect.BadContentLength)]
    [InlineData("Content-Length: 1", SipDefect.TruncatedBody)]
    [InlineData("Content-Length: 65537", SipDefect.BodyTooLarge)]
    [InlineData("Content-Length: 99999999999999999999999999", SipDefect.BodyTooLarge)]
    [InlineData("l: 0\nContent-Length: 00", SipDefect.None)]
    [InlineData("l: 0\nContent-Length: 1", SipDefect.DuplicateHeader)]
    [InlineData("To: sip:b@example.com\nTo: sip:c@example.com", SipDefect.DuplicateHeader)]
    [InlineData("Max-Forwards: x", SipDefect.None)]
    [InlineData("no colon in this line", SipDefect.None)]
    [InlineData(": no name", SipDefect.None)]
    [InlineData("two words: no name", SipDefect.None)]
    public void Defect_of_an_answerable_request_is_named(string line, SipDefect expected)
    {
        var name = line.Split(':')[0] + ":";
        var lines = Options.Split('\n').Where(l => !l.StartsWith(name, StringComparison.Ordinal)).Append(line);

        Assert.True(SipMessage.TryRead(Wired.Bytes(string.Join('\n', lines)), new(), out var message, out var defect));
        Assert.Equal(expected, defect);
        Assert.Equal(expected, message.Defect);
    }

    [Theory]
    [InlineData("SIP/2.0 99 Low", SipDefect.BadStatusCode)]
    [InlineData("SIP/2.0 700 High", SipDefect.BadStatusCode)]
    [InlineData("SIP/2.0 2000 Long", SipDefect.BadStatusCode)]
    [InlineData("SIP/2.0 20 Short", SipDefect.BadStatusCode)]
    [InlineData("SIP/2.0 +20 Sign", SipDefect.BadStatusCode)]
    [InlineData("SIP/3.0 200 OK", SipDefect.WrongVersion)]
    [InlineData("SIP/2.0", SipDefect.NotSip)]
    [InlineData("HTTP/1.1 200 OK", SipDefect.NotSip)]
    [InlineData("GET / HTTP/1.1", SipDefect.NotSip)]
    [InlineData("OPTIONS sip:a@example.com", SipDefect.NotSip)]
    [InlineData("OP(TIONS sip:a@example.com SIP/2.0", SipDefect.NotSip)]
    [InlineData("OPTIONS", SipDefect.NotSip)]
    public void Start_line_that_no_answer_can_help_is_dropped(string startLine, SipDefect expected)
    {
        var text = startLine + Options[Options.IndexOf('\n', StringComparison.Ordinal)..];

        Assert.False(SipMessage.TryRead(Wired.Bytes(text), new(), out _, out var defect));
        Assert.Equal(expected, defect);
    }

    [Theory]
    [InlineData("SIP/2.0 200", 200, "")]
    [InlineData("SIP/2.0 200 ", 200, "")]
    [InlineData("sip/2.0 404  Not  Found ", 404, "Not  Found")]
    public void Status_line_may_lack_its_phrase(string startLine, int status, string phrase)
    {
        var text = startLine + Options[Options.IndexOf('\n', StringComparison.Ordinal)..];

        Assert.True(SipMessage.TryRead(Wired.Bytes(text), new(), out var message, out _));
        Assert.Equal(status, message.StatusCode);
        Assert.Equal(phrase, Wired.Text(message.ReasonPhrase));
    }

    [Theory]
    [InlineData("", SipDefect.Empty)]
    [InlineData("\r\n\r\n", SipDefect.Empty)]
    [InlineData("\0\0\0\0", SipDefect.Empty)]
    [InlineData("x", SipDefect.NotSip)]
    public void Bytes_without_a_message_are_told_apart(string text, SipDefect expected)
    {
        Assert.False(SipMessage.TryRead(Encoding.ASCII.GetBytes(text), new(), out _, out var defect));
        Assert.Equal(expected, defect);
    }

    [Fact]
    public void Header_lines_above_the_limit_refuse_the_message()
    {
        var header = Options + string.Concat(Enumerable.Repeat("\nx: y", SipHeaderIndex.MaxHeaders - 6));

        Assert.True(SipMessage.TryRead(Wired.Bytes(header), new(), out var message, out _));
        Assert.Equal(SipDefect.None, message.Defect);
        Assert.True(SipMessage.TryRead(Wired.Bytes(header + "\nx: y"), new(), out message, out _));
        Assert.Equal(SipDefect.TooManyHeaders, message.Defect);
    }

    [Fact]
    public void Header_block_above_the_limit_is_dropped()
    {
        var text = Options + "\nx: " + new string('y', SipMessage.MaxHeaderLength);

        Assert.False(SipMessage.TryRead(Wired.Bytes(text), new(), out _, out var defect));
        Assert.Equal(SipDefect.TooLong, defect);
        Assert.False(SipMessage.TryRead(new byte[SipMessage.MaxLength + 1], new(), out _, out defect));
        Assert.Equal(SipDefect.TooLong, defect);
    }

    [Fact]
    public void Reading_allocates_nothing()
    {
        var bytes = Wired.Bytes(Invite);
        var index = new SipHeaderIndex();
        var count = Visit(bytes, index);
        var before = GC.GetAllocatedBytesForCurrentThread();

        for (var i = 0; i < 100; i++) count = Visit(bytes, index);

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(8, count);
    }

    private static int Visit(byte[] bytes, SipHeaderIndex index)
    {
        if (!SipMessage.TryRead(bytes, index, out var message, out _)) return -1;

        var count = 0;
        foreach (var _ in message.Values(SipHeader.Supported)) count++;
        if (message.TryGetTopVia(out var via) && via.Port == 5060) count++;
        if (message.TryGetAddress(SipHeader.Contact, out var contact) && contact.HasFeature("src"u8)) count++;
        if (message.TryGetOther("x-cisco-recording-participant"u8, out _)) count++;
        if (message.HasToken(SipHeader.Supported, "replaces"u8)) count++;
        return count;
    }

    private const string Options =
        "OPTIONS sip:a@example.com SIP/2.0\n" +
        "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\n" +
        "From: sip:a@example.com;tag=1\n" +
        "To: sip:b@example.com\n" +
        "Call-ID: c\n" +
        "CSeq: 1 OPTIONS\n" +
        "Max-Forwards: 70";
}
