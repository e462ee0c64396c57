using System.Buffers;
using SipNat.Endpoint.Tracing;
using SipNat.Wire;

namespace SipNat.Tests.Endpoint.Tracing;

/// <summary>The packets were computed by a script of a dozen lines apart from the code, sums included.</summary>
public sealed class PcapWriterTests
{
    private static readonly DateTimeOffset At = DateTimeOffset.FromUnixTimeSeconds(1_700_000_000) + TimeSpan.FromMicroseconds(123_456);

    private readonly PcapWriter _writer = new();
    private readonly ArrayBufferWriter<byte> _output = new();

    [Fact]
    public void A_file_begins_with_its_version_and_the_kind_of_its_packets()
    {
        PcapWriter.WriteFileHeader(_output);

        Assert.Equal("d4c3b2a1020004000000000000000000ffff000065000000", Taken());
    }

    [Fact]
    public void A_datagram_is_in_ip_and_udp()
    {
        Write(TransportProtocol.Udp, "192.0.2.1:5060", "198.51.100.2:5062", "hello"u8);

        Assert.Equal("00f1536540e201002100000021000000450000210000400040114e95c0000201c633640213c413c6000da84068656c6c6f", Taken());
    }

    [Fact]
    public void A_datagram_that_is_cut_says_how_long_it_was()
    {
        Write(TransportProtocol.Udp, "192.0.2.1:10000", "198.51.100.2:20000", [0x80, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3], length: 172);

        Assert.Equal("00f1536540e2010028000000c8000000450000c80000400040114deec0000201c633640227104e2000b40000800000010000000200000003", Taken());
    }

    [Fact]
    public void Messages_of_a_connection_follow_each_other_in_both_directions()
    {
        Write(TransportProtocol.Tcp, "[2001:db8::1]:5060", "[2001:db8::2]:40000", "abc"u8);
        Assert.Equal("00f1536540e201003f0000003f000000600000000017064020010db800000000000000000000000120010db80000000000000000" + "0000000213c49c4000000001000000015018ffffdfeb0000616263", Taken());

        Write(TransportProtocol.Tcp, "[2001:db8::2]:40000", "[2001:db8::1]:5060", "de"u8);
        Assert.Equal("00f1536540e201003e0000003e000000600000000016064020010db800000000000000000000000220010db80000000000000000" + "000000019c4013c400000001000000045018ffff3fe700006465", Taken());
    }

    [Theory]
    [InlineData("192.0.2.1:1", "[2001:db8::1]:1")]
    [InlineData("", "")]
    public void What_has_no_addresses_is_left_out(string from, string to)
    {
        _writer.Write(_output, new(At, TransportProtocol.Udp, Address(from), Address(to), 1), "x"u8);

        Assert.Equal("", Taken());
    }

    [Theory]
    [InlineData(TransportProtocol.Udp, 65_535, 1)]
    [InlineData(TransportProtocol.Tls, 131_072, 1)]
    [InlineData(TransportProtocol.Tcp, 131_072, 8)]
    public void The_longest_message_is_in_packets_that_exist(TransportProtocol transport, int length, int packets)
    {
        Write(transport, "192.0.2.1:1", "192.0.2.2:2", new byte[length]);

        Assert.Equal(packets, Records().Count);
        Assert.All(Records(), record => Assert.InRange(record, 1, 65_535));
    }

    private static TransportAddress Address(string text) => text.Length == 0 ? default : TransportAddress.Parse(text);

    private void Write(TransportProtocol transport, string from, string to, ReadOnlySpan<byte> shown, int? length = null) =>
        _writer.Write(_output, new(At, transport, Address(from), Address(to), length ?? shown.Length), shown);

    private List<int> Records()
    {
        var lengths = new List<int>();
        for (var rest = _output.WrittenSpan; !rest.IsEmpty; rest = rest[(16 + lengths[^1])..]) lengths.Add(BitConverter.ToInt32(rest[8..12]));
        return lengths;
    }

    private string Taken()
    {
        var text = Convert.ToHexStringLower(_output.WrittenSpan);
        _output.Clear();
        return text;
    }
}
