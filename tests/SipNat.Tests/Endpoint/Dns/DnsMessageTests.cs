using SipNat.Endpoint.Dns;
using SipNat.Wire;

namespace SipNat.Tests.Endpoint.Dns;

public sealed class DnsMessageTests
{
    private static readonly byte[] Query =
        [0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 3, (byte)'w', (byte)'w', (byte)'w', 7, (byte)'e', (byte)'x', (byte)'a', (byte)'m', (byte)'p', (byte)'l', (byte)'e', 0, 0, 1, 0, 1];

    [Fact]
    public void A_query_is_written_as_RFC_1035_draws_it()
    {
        var message = new byte[DnsMessage.MaxQueryLength];

        var length = DnsMessage.WriteQuery(message, 0x1234, new("www.example", DnsType.A));

        Assert.Equal(Query, message[..length]);
    }

    [Fact]
    public void Every_type_is_read()
    {
        var bytes = DnsVectors.Answer(
            Query, 0, false,
            [
                DnsVectors.Cname("www.example", "Web.Example", 60),
                DnsVectors.A("web.example", "192.0.2.1"),
                DnsVectors.Aaaa("web.example", "2001:db8::1", uint.MaxValue),
                DnsVectors.Srv("_turn._udp.example", 10, 60, 3478, "relay.example"),
                DnsVectors.Naptr("example", 100, 50, "s", "RELAY:turn.udp", "_turn._udp.example"),
                DnsVectors.Record("web.example", (DnsType)16, 1, 2, (byte)'h', (byte)'i'),
            ],
            [DnsVectors.Soa("example", 3600, 60)]);

        Assert.True(DnsMessage.TryRead(bytes, out var message, out var defect));

        Assert.Equal((DnsDefect.None, 0x1234, new DnsQuestion("www.example", DnsType.A), 0, false), (defect, message.Id, message.Question, message.ResponseCode, message.IsTruncated));
        Assert.Equal(
            [
                new DnsRecord.Alias("www.example", TimeSpan.FromSeconds(60), "web.example"),
                new DnsRecord.Host("web.example", TimeSpan.FromSeconds(300), TransportAddress.Parse("192.0.2.1")),
                new DnsRecord.Host("web.example", TimeSpan.Zero, TransportAddress.Parse("[2001:db8::1]")),
                new DnsRecord.Service("_turn._udp.example", TimeSpan.FromSeconds(300), 10, 60, 3478, "relay.example"),
                new DnsRecord.Pointer("example", TimeSpan.FromSeconds(300), 100, 50, "s", "RELAY:turn.udp", "_turn._udp.example"),
            ],
            message.Answers);
        Assert.Equal([new DnsRecord.Authority("example", TimeSpan.FromHours(1), TimeSpan.FromMinutes(1))], message.Authorities);
    }

    // RFC 1035 §4.1.4: F.ISI.ARPA at 20, FOO and a pointer to it at 40, ARPA by a pointer at 64, the root at 92.
    [Theory]
    [InlineData(20, "f.isi.arpa", 32)]
    [InlineData(40, "foo.f.isi.arpa", 46)]
    [InlineData(64, "arpa", 66)]
    [InlineData(92, "", 93)]
    public void Compressed_names_of_the_RFC_are_read(int offset, string expected, int behind)
    {
        var message = new byte[93];
        DnsVectors.Name("F.ISI.ARPA").CopyTo(message, 20);
        ((byte[])[3, (byte)'F', (byte)'O', (byte)'O', 0xC0, 20]).CopyTo(message, 40);
        ((byte[])[0xC0, 26]).CopyTo(message, 64);

        Assert.True(DnsName.TryRead(message, ref offset, out var name));
        Assert.Equal((expected, behind), (name, offset));
    }

    [Theory]
    [InlineData(new byte[] { 0xC0, 0 }, 0)]
    [InlineData(new byte[] { 0xC0, 2, 0xC0, 0 }, 0)]
    [InlineData(new byte[] { 1, (byte)'a', 0xC0, 0 }, 2)]
    [InlineData(new byte[] { 0xC0, 2, 0 }, 0)]
    [InlineData(new byte[] { 0x40, 0 }, 0)]
    [InlineData(new byte[] { 1 }, 0)]
    [InlineData(new byte[] { 1, (byte)'a' }, 0)]
    [InlineData(new byte[] { 0xC0 }, 0)]
    public void Pointers_that_loop_or_lead_forward_and_cut_names_are_none(byte[] message, int offset) =>
        Assert.False(DnsName.TryRead(message, ref offset, out _));

    [Fact]
    public void A_name_of_more_than_255_bytes_is_none()
    {
        byte[] Long(int last) => DnsVectors.Name(string.Join('.', new string('a', 63), new string('b', 63), new string('c', 63), new string('d', last)));
        var offset = 0;

        Assert.True(DnsName.TryRead(Long(61), ref offset, out _));
        offset = 0;
        Assert.False(DnsName.TryRead(Long(62), ref offset, out _));
    }

    [Fact]
    public void Bytes_that_are_no_part_of_host_names_stay_apart_from_those_that_are()
    {
        var offset = 0;

        Assert.True(DnsName.TryRead([3, (byte)'a', (byte)'.', 0xFF, 1, (byte)'B', 0], ref offset, out var name));
        Assert.Equal("a\\046\\255.b", name);
        Assert.False(DnsName.IsValid(name));
    }

    [Theory]
    [InlineData(2, 0x01, DnsDefect.NotAResponse)]
    [InlineData(2, 0x89, DnsDefect.NotAResponse)]
    [InlineData(5, 0, DnsDefect.NotOneQuestion)]
    [InlineData(5, 2, DnsDefect.NotOneQuestion)]
    [InlineData(28, 3, DnsDefect.NotOneQuestion)]
    [InlineData(12, 0xC0, DnsDefect.BadName)]
    [InlineData(6, 1, DnsDefect.TooManyRecords)]
    [InlineData(7, 2, DnsDefect.BadName)]
    [InlineData(51, 5, DnsDefect.TooShort)]
    [InlineData(51, 3, DnsDefect.BadRecord)]
    public void A_message_that_is_none_is_refused_with_its_defect(int at, byte value, DnsDefect expected)
    {
        var bytes = DnsVectors.Answer(Query, 0, false, [DnsVectors.A("www.example", "192.0.2.1")]);
        bytes[at] = value;

        Assert.False(DnsMessage.TryRead(bytes, out _, out var defect));
        Assert.Equal(expected, defect);
    }

    [Fact]
    public void Every_truncation_is_refused_and_none_throws()
    {
        var bytes = DnsVectors.Answer(
            Query, 0, false,
            [DnsVectors.Srv("a.example", 1, 2, 3, "b.example"), DnsVectors.Naptr("a.example", 1, 2, "s", "RELAY:turn.udp", "c.example")],
            [DnsVectors.Soa("example", 1, 1)]);

        for (var length = 0; length < bytes.Length; length++) Assert.False(DnsMessage.TryRead(bytes.AsSpan(0, length), out _, out _));

        Assert.True(DnsMessage.TryRead(bytes, out _, out _));
    }

    [Fact]
    public void Of_a_message_that_was_cut_off_the_records_are_not_read()
    {
        var bytes = DnsVectors.Answer(Query, 0, true, [DnsVectors.A("www.example", "192.0.2.1")]);

        Assert.True(DnsMessage.TryRead(bytes.AsSpan(..^3), out var message, out _));
        Assert.Equal((true, 0), (message.IsTruncated, message.Answers.Count));
    }
}
