using System.Text;
using SipNat.Sip.Messages;

namespace SipNat.Tests.Sip.Messages;

/// <summary>The values that answers to REGISTER, redirections and refusals carry.</summary>
public sealed class RegistrationValueTests
{
    [Theory]
    [InlineData("\"Mr. Watson\" <sip:watson@worcester.bell-telephone.com> ;q=0.7; expires=3600", "sip:watson@worcester.bell-telephone.com expires=3600 q=700")] // RFC 3261 §20.10
    [InlineData("<mailto:watson@bell-telephone.com> ;q=0.1", "mailto:watson@bell-telephone.com q=100")]
    [InlineData("sip:caller@u1.example.com;expires=0;q=1.000", "sip:caller@u1.example.com expires=0 q=1000")]
    [InlineData("<sip:line1@192.168.0.2>;reg-id=1;+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-000A95A0E128>\"", "sip:line1@192.168.0.2 q=1000 urn:uuid:00000000-0000-1000-8000-000A95A0E128 1")] // RFC 5626 §4.2
    [InlineData("<sip:a@b;expires=9>;+SIP.Instance=urn:x:1;Reg-ID=2147483647;EXPIRES=\"60\"", "sip:a@b;expires=9 q=1000 urn:x:1 2147483647")]
    [InlineData("<sip:a@b>;q=2;reg-id=0;expires=-1;+sip.instance=\"\"", "sip:a@b q=1000")]
    [InlineData("<sip:a@b>;q=x;reg-id=1x;expires=99999999999999999999", "sip:a@b expires=4294967295 q=1000")]
    [InlineData("*", null)]
    [InlineData("<sip:a@>", null)]
    [InlineData("\"x <sip:a@b>", null)]
    public void A_contact_is_read(string value, string? expected)
    {
        var isRead = Contact.TryRead(Encoding.UTF8.GetBytes(value), out var contact);

        Assert.Equal(expected, !isRead ? null : string.Join(' ', (string[])
        [
            contact.Uri.Text,
            .. contact.Expires is { } expires ? [$"expires={expires.TotalSeconds}"] : Array.Empty<string>(),
            $"q={contact.Preference}",
            .. contact.Instance is { } instance ? [instance] : Array.Empty<string>(),
            .. contact.RegId is { } id ? [$"{id}"] : Array.Empty<string>(),
        ]));
    }

    [Theory]
    [InlineData("18000;duration=3600", "18000 3600")] // RFC 3261 §20.33
    [InlineData("120 (I'm in a meeting)", "120")]
    [InlineData("5 (a (nested \\) one) ;duration=1) ; Duration = 7", "5 7")]
    [InlineData("5(without an end;duration=7", "5")]
    [InlineData(" 0 ", "0")]
    [InlineData("10;duration=soon", "10")]
    [InlineData("10 minutes", "10")]
    [InlineData("10min", null)]
    [InlineData("Fri, 18 Nov 2026 07:28:00 GMT", null)]
    [InlineData("-1", null)]
    [InlineData("", null)]
    public void A_time_to_try_again_is_read(string value, string? expected)
    {
        var isRead = RetryAfter.TryRead(Encoding.UTF8.GetBytes(value), out var retryAfter);

        Assert.Equal(expected, !isRead ? null : $"{retryAfter.Delay.TotalSeconds} {retryAfter.Duration?.TotalSeconds}".TrimEnd());
    }

    [Theory]
    [InlineData("SIP ;cause=600 ;text=\"Busy Everywhere\"", "SIP;cause=600;text=\"Busy Everywhere\"")] // RFC 3326 §2
    [InlineData("Q.850 ;cause=16 ;text=\"Terminated\"", "Q.850;cause=16;text=\"Terminated\"")]
    [InlineData("preemption;cause=1;text=\"UA \\\"Preemption\\\"\r\n here\"", "preemption;cause=1;text=\"UA \\\"Preemption\\\" here\"")]
    [InlineData("SIP;text=token;cause=x", "SIP;text=\"token\"")]
    [InlineData("SIP", "SIP")]
    [InlineData("two words;cause=1", null)]
    [InlineData(";cause=1", null)]
    public void A_reason_is_read_and_written(string value, string? expected) =>
        Assert.Equal(expected, Reason.TryRead(Encoding.UTF8.GetBytes(value), out var reason) ? reason.Value : null);

    [Theory] // RFC 6223 §4
    [InlineData("SIP/2.0/TCP a.example;branch=z9hG4bK1;keep=30", 30)]
    [InlineData("SIP/2.0/TCP a.example;branch=z9hG4bK1;KEEP=0", 0)]
    [InlineData("SIP/2.0/TCP a.example;branch=z9hG4bK1;keep", null)]
    [InlineData("SIP/2.0/TCP a.example;branch=z9hG4bK1;keep=soon", null)]
    [InlineData("SIP/2.0/TCP a.example;branch=z9hG4bK1", null)]
    public void Via_says_whether_keepalives_are_taken(string value, int? seconds)
    {
        Assert.True(Via.TryRead(Encoding.UTF8.GetBytes(value), out var via));

        Assert.Equal(seconds, via.TryGetKeep(out var interval) ? (int)interval.TotalSeconds : null);
    }

    [Theory]
    [InlineData("\"a \\\"b\\\"\\\\ \"", "a \"b\"\\ ")]
    [InlineData("\"a\r\n \t b\"", "a b")]
    [InlineData(" token ", "token")]
    [InlineData("\"", "\"")]
    [InlineData("\"\"", "")]
    public void A_quoted_string_is_read(string value, string expected) => Assert.Equal(expected, SipText.Unquote(Encoding.UTF8.GetBytes(value)));

    [Fact]
    public void Lists_are_read_up_to_their_caps()
    {
        var values = string.Join(',', Enumerable.Range(0, 100).Select(static i => $"<sip:{i}@b>"));
        var reasons = string.Join(',', Enumerable.Range(0, 100).Select(static i => $"SIP;cause={i}"));
        var response = Wired.Store($"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: 1\r\nCSeq: 1 REGISTER\r\nContact: *, {values}\r\nReason: {reasons}\r\n\r\n");

        Assert.Equal(64, Contact.ReadAll(response.View).Count);
        Assert.Equal([0, 1, 2, 3, 4, 5, 6, 7], Reason.ReadAll(response.View).Select(static reason => reason.Cause!.Value));
    }
}
