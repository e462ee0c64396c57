using System.Text;
using SipNat.Sip.Sdp;
using SipNat.Wire;

namespace SipNat.Tests.Sip.Sdp;

public sealed class SdpReaderTests
{
    // RFC 8866 §5 and RFC 4574 §4: a complete description with everything that the model keeps.
    private const string Complete =
        "v=0\r\no=alice 2890844526 2890844527 IN IP4 host.example\r\ns=Two legs\r\nc=IN IP4 192.0.2.1\r\nb=AS:128\r\nt=0 0\r\n"
        + "a=sendonly\r\nm=audio 49170 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
        + "a=fmtp:101 0-15\r\na=ptime:20\r\na=label:1\r\nm=audio 49172/2 RTP/AVPF 9\r\nc=IN IP6 2001:db8::1\r\nb=TIAS:64000\r\n"
        + "a=rtcp:53020 IN IP4 192.0.2.9\r\na=rtcp-mux\r\na=inactive\r\na=label:2\r\n";

    [Fact]
    public void A_complete_description_is_written_as_it_was_read() =>
        Assert.Equal(Complete, SdpWriter.WriteText(Read(Complete)));

    [Fact]
    public void Every_field_of_a_complete_description_is_read()
    {
        var session = Read(Complete);
        var first = session.Media[0];
        var second = session.Media[1];

        Assert.Equal(new SdpOrigin("alice", "2890844526", "2890844527", new("IN", "IP4", "host.example")), session.Origin);
        Assert.Equal("Two legs", session.Name);
        Assert.Equal([new("AS", "128")], session.Bandwidths);
        Assert.Equal(("audio", 49170, 1, "RTP/AVP", "1", 20), (first.Kind, first.Port, first.PortCount, first.Protocol, first.Label, first.Ptime));
        Assert.Equal(["0", "8", "101"], first.Formats);
        Assert.Equal([new(0, "PCMU", 8000), new(101, "telephone-event", 8000)], first.Rtpmaps);
        Assert.Equal(new SdpRtpmap(8, "PCMA", 8000), first.RtpmapOf(8));
        Assert.Null(first.RtpmapOf(102));
        Assert.Equal("0-15", first.FmtpOf(101));
        Assert.Equal(SdpDirection.SendOnly, session.DirectionOf(first));
        Assert.Equal(TransportAddress.Parse("192.0.2.1:49170"), first.RtpAddress(session.ConnectionOf(first)));
        Assert.Equal(TransportAddress.Parse("192.0.2.1:49171"), first.RtcpAddress(session.ConnectionOf(first)));
        Assert.Equal(SdpDirection.Inactive, session.DirectionOf(second));
        Assert.Equal((2, true), (second.PortCount, second.RtcpMux));
        Assert.Equal(TransportAddress.Parse("[2001:db8::1]:49172"), second.RtpAddress(session.ConnectionOf(second)));
        Assert.Equal(TransportAddress.Parse("192.0.2.9:53020"), second.RtcpAddress(session.ConnectionOf(second)));
    }

    [Theory]
    [InlineData("\n")]
    [InlineData("\r")]
    [InlineData("\r\n\r\n")]
    [InlineData(" \t\r\n  ")]
    public void Line_ends_and_white_space_do_not_matter(string lineEnd) =>
        Assert.Equal(Complete, SdpWriter.WriteText(Read("\r\n " + Complete.TrimEnd().ReplaceLineEndings(lineEnd))));

    [Theory]
    [InlineData("m=audio 4000 RTP/AVP 0")]
    [InlineData("v=0\nm=audio 4000 RTP/AVP 0")]
    [InlineData("v=0\ns=\no=broken\nt=\nm=audio 4000 RTP/AVP 0\n--boundary\nx=unknown\nz=\nab\nkey\n=")]
    public void What_is_missing_broken_or_unknown_is_passed_over(string text) =>
        Assert.Equal("v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n", SdpWriter.WriteText(Read(text)));

    [Fact]
    public void A_stray_boundary_line_between_media_loses_nothing() =>
        Assert.Equal(["1", "2"], Read("v=0\r\nm=audio 1 RTP/AVP 0\r\na=label:1\r\n--x\r\nm=audio 2 RTP/AVP 0\r\na=label:2").Media.Select(m => m.Label));

    [Fact]
    public void Attribute_names_may_begin_with_a_digit_and_values_may_hold_colons() =>
        Assert.Equal([new("3gpp", "a:b"), new("1")], Read("v=0\na=3gpp:a:b\na=1\na=\na=:x\n").Attributes);

    [Fact]
    public void An_origin_user_name_with_spaces_keeps_its_fields_apart() =>
        Assert.Equal(new SdpOrigin("a b", "1", "2", new("IN", "IP4", "h")), Read("v=0\no=a b 1 2 IN IP4 h").Origin);

    [Theory]
    [InlineData("IN IP4 224.2.1.1/127/3", "224.2.1.1:4000")]
    [InlineData("IN IP4 0.0.0.0", "0.0.0.0:4000")]
    [InlineData("IN IP6 ::", "[::]:4000")]
    [InlineData("IN IP6 2001:DB8::1", "[2001:db8::1]:4000")]
    [InlineData("IN IP4 host.example", null)]
    [InlineData("IN IP4 192.0.2.1:80", null)]
    [InlineData("IN IP4", null)]
    public void A_connection_line_gives_an_address_or_none(string connection, string? expected)
    {
        var session = Read($"v=0\nm=audio 4000 RTP/AVP 0\nc={connection}");
        var address = session.Media[0].RtpAddress(session.ConnectionOf(session.Media[0]));

        Assert.Equal(expected, address?.ToString());
        Assert.Equal(connection is "IN IP4 0.0.0.0" or "IN IP6 ::", session.ConnectionOf(session.Media[0])?.IsUnspecified is true);
    }

    [Theory]
    [InlineData("65535", null)]
    [InlineData("0", null)]
    [InlineData("4000\na=rtcp:4005", "192.0.2.1:4005")]
    [InlineData("4000\na=rtcp:x", null)]
    [InlineData("4000\na=rtcp:70000", null)]
    public void The_rtcp_address_is_said_or_one_above_rtp(string port, string? expected)
    {
        var lines = port.Split('\n');
        var session = Read($"v=0\nc=IN IP4 192.0.2.1\nm=audio {lines[0]} RTP/AVP 0\n{string.Join('\n', lines[1..])}");

        Assert.Equal(expected, session.Media[0].RtcpAddress(session.Connection)?.ToString());
    }

    [Theory]
    [InlineData("0 PCMU/8000", true)]
    [InlineData("10 L16/44100/2", true)]
    [InlineData("96\tOPUS/48000/2", true)]
    [InlineData("0 PCMU", false)]
    [InlineData("0 PCMU/0", false)]
    [InlineData("0 /8000", false)]
    [InlineData("128 X/8000", false)]
    [InlineData("x PCMU/8000", false)]
    [InlineData("0 PCMU/8000/0", false)]
    [InlineData("0 PCMU/8000/1/1", false)]
    [InlineData("", false)]
    public void An_rtpmap_is_read_whole_or_not_at_all(string value, bool isReadable) =>
        Assert.Equal(isReadable, SdpRtpmap.Read(value) is { } map && map.ToString() == value.Replace('\t', ' '));

    [Theory]
    [InlineData("20", 20)]
    [InlineData("20.5", 20)]
    [InlineData("0", null)]
    [InlineData("-20", null)]
    [InlineData("99999", null)]
    [InlineData("x", null)]
    public void An_implausible_packet_time_is_not_read(string ptime, int? expected) =>
        Assert.Equal(expected, Read($"m=audio 1 RTP/AVP 0\na=ptime:{ptime}").Media[0].Ptime);

    [Fact]
    public void Keys_in_the_description_are_seen()
    {
        var session = Read("v=0\na=fingerprint:sha-256 AA\nm=audio 1 RTP/SAVP 0\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x\nm=audio 2 RTP/AVP 0");

        Assert.Equal([true, false], session.Media.Select(m => m.HasCrypto));
        Assert.All(session.Media, media => Assert.True(session.HasFingerprint(media)));
    }

    [Theory]
    [InlineData("", SdpDefect.Empty)]
    [InlineData("hello", SdpDefect.NotSdp)]
    [InlineData("a=label:1", SdpDefect.NotSdp)]
    [InlineData("v=0\0", SdpDefect.NulCharacter)]
    [InlineData("m=audio 4000 RTP/AVP", SdpDefect.None)]
    [InlineData("m=audio 4000", SdpDefect.MalformedMedia)]
    [InlineData("m=audio x RTP/AVP 0", SdpDefect.MalformedMedia)]
    [InlineData("m=audio 65536 RTP/AVP 0", SdpDefect.MalformedMedia)]
    [InlineData("m=audio 4000/0 RTP/AVP 0", SdpDefect.MalformedMedia)]
    [InlineData("m=audio -1 RTP/AVP 0", SdpDefect.MalformedMedia)]
    public void A_defect_is_named(string text, SdpDefect expected)
    {
        Assert.Equal(expected is SdpDefect.None, SdpReader.TryRead(Encoding.UTF8.GetBytes(text), out var session, out var defect));
        Assert.Equal(expected, defect);
        Assert.Equal(expected is SdpDefect.None, session is not null);
    }

    [Fact]
    public void Every_list_and_length_has_its_limit()
    {
        Assert.Equal(SdpDefect.TooManyMedia, DefectOf("v=0\n" + Repeat("m=audio 1 RTP/AVP 0\n", SdpReader.MaxMedia + 1)));
        Assert.Equal(SdpDefect.None, DefectOf("v=0\n" + Repeat("m=audio 1 RTP/AVP 0\n", SdpReader.MaxMedia)));
        Assert.Equal(SdpDefect.TooManyAttributes, DefectOf("v=0\n" + Repeat("a=x\n", SdpReader.MaxAttributes + 1)));
        Assert.Equal(SdpDefect.None, DefectOf("v=0\n" + Repeat("a=x\n", SdpReader.MaxAttributes) + "m=audio 1 RTP/AVP 0\na=y"));
        Assert.Equal(SdpDefect.TooManyAttributes, DefectOf("v=0\n" + Repeat("b=AS:1\n", SdpReader.MaxAttributes + 1)));
        Assert.Equal(SdpDefect.TooManyFormats, DefectOf("m=audio 1 RTP/AVP" + Repeat(" 0", SdpReader.MaxFormats + 1)));
        Assert.Equal(SdpDefect.TooManyLines, DefectOf("v=0\n" + Repeat("x=\n", SdpReader.MaxLines)));
        Assert.Equal(SdpDefect.LineTooLong, DefectOf("v=0\ns=" + Repeat("x", SdpReader.MaxLineLength)));
        Assert.Equal(SdpDefect.TooLong, DefectOf("v=0\n" + Repeat("\n", SdpReader.MaxLength)));
    }

    [Fact]
    public void No_truncation_and_no_mutation_makes_the_reader_throw()
    {
        var bytes = Encoding.UTF8.GetBytes(Complete);
        for (var length = 0; length < bytes.Length; length++) _ = SdpReader.TryRead(bytes.AsSpan(0, length), out _, out _);

        var random = new Random(8866);
        for (var round = 0; round < 1200; round++)
        {
            var mutated = bytes.ToArray();
            for (var change = 0; change <= round % 8; change++) mutated[random.Next(mutated.Length)] = (byte)random.Next(256);
            if (!SdpReader.TryRead(mutated, out var session, out _)) continue;

            // Whatever was read can be asked for everything, and written.
            foreach (var media in session.Media) _ = (media.Rtpmaps, media.Ptime, media.RtcpAddress(session.ConnectionOf(media)), session.DirectionOf(media));
            Assert.True(SdpReader.TryRead(SdpWriter.Write(session), out var again, out _));
            Assert.Equal(SdpWriter.WriteText(session), SdpWriter.WriteText(again));
        }
    }

    [Fact]
    public void The_writer_refuses_a_value_that_would_begin_a_line_of_its_own() =>
        Assert.Throws<ArgumentException>(() => SdpWriter.Write(new() { Name = "x\r\na=evil" }));

    private static SdpSession Read(string text) =>
        SdpReader.TryRead(Encoding.UTF8.GetBytes(text), out var session, out var defect) ? session : throw new FormatException(defect.ToString());

    private static SdpDefect DefectOf(string text)
    {
        _ = SdpReader.TryRead(Encoding.UTF8.GetBytes(text), out _, out var defect);
        return defect;
    }

    private static string Repeat(string text, int count) => string.Concat(Enumerable.Repeat(text, count));
}
