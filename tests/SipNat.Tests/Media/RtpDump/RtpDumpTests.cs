using System.Text;
using SipNat.Media.RtpDump;
using SipNat.Wire;

namespace SipNat.Tests.Media.RtpDump;

public sealed class RtpDumpTests
{
    private static readonly DateTimeOffset Start = new DateTimeOffset(2026, 11, 20, 23, 59, 58, TimeSpan.Zero).AddMicroseconds(250_001);

    [Fact]
    public void Header_names_where_the_packets_arrived_and_where_they_came_from()
    {
        var header = new RtpDumpHeader(Start, TransportAddress.Parse("198.51.100.10:10000"), TransportAddress.Parse("192.0.2.20:40000")).ToArray();

        Assert.Equal("#!rtpplay1.0 198.51.100.10/10000\n", Encoding.ASCII.GetString(header[..33]));
        Assert.Equal("6B00DEFE" + "0003D091" + "C0000214" + "9C40" + "0000", Convert.ToHexString(header[33..]), ignoreCase: true);
    }

    [Fact]
    public void Ipv6_source_has_no_room_and_its_port_has()
    {
        var header = new RtpDumpHeader(Start, TransportAddress.Parse("[2001:db8::10]:10000"), TransportAddress.Parse("[2001:db8::20]:40000")).ToArray();

        Assert.Equal("#!rtpplay1.0 2001:db8::10/10000\n", Encoding.ASCII.GetString(header[..^16]));
        Assert.Equal("00000000" + "9C40" + "0000", Convert.ToHexString(header[^8..]));
    }

    [Fact]
    public void Length_of_a_header_is_found_whoever_wrote_it_and_no_truncation_is_one()
    {
        byte[] header = [.. "#!rtpplay1.0 224.2.0.1/3456\n"u8, .. new byte[16]];

        Assert.True(RtpDumpHeader.TryReadLength([.. header, 1, 2, 3], out var length));
        Assert.Equal(header.Length, length);
        for (var cut = 0; cut < header.Length; cut++) Assert.False(RtpDumpHeader.TryReadLength(header.AsSpan(0, cut), out _));
        Assert.False(RtpDumpHeader.TryReadLength("RIFF....WAVE and so on and on and on\n................"u8, out _));
        Assert.False(RtpDumpHeader.TryReadLength([.. "#!rtpplay1.0 "u8, .. new byte[500]], out _));
    }

    [Fact]
    public void Record_reads_back_and_no_truncation_is_one()
    {
        var bytes = new byte[64];
        var length = RtpDumpRecord.Write(bytes, 123_456, [1, 2, 3, 4, 5]);

        Assert.Equal([0, 13, 0, 5, 0, 1, 0xE2, 0x40, 1, 2, 3, 4, 5], bytes[..length]);
        Assert.True(RtpDumpRecord.TryRead(bytes, out var record));
        Assert.Equal((13, 123_456u), (record.Length, record.Milliseconds));
        Assert.Equal([1, 2, 3, 4, 5], record.Packet.ToArray());
        for (var cut = 0; cut < length; cut++) Assert.False(RtpDumpRecord.TryRead(bytes.AsSpan(0, cut), out _));
        for (byte tooShort = 0; tooShort < 8; tooShort++) Assert.False(RtpDumpRecord.TryRead([0, tooShort, .. new byte[20]], out _));
    }

    [Fact]
    public void Record_takes_no_more_than_its_length_can_say()
    {
        var bytes = new byte[70_000];

        Assert.Equal(ushort.MaxValue, RtpDumpRecord.Write(bytes, 0, new byte[RtpDumpRecord.MaxPacket]));
        Assert.Throws<ArgumentException>(() => RtpDumpRecord.Write(bytes, 0, new byte[RtpDumpRecord.MaxPacket + 1]));
        Assert.Throws<ArgumentException>(() => RtpDumpRecord.Write(new byte[12], 0, new byte[5]));
    }

    [Fact]
    public void Packets_cover_the_time_between_them() => AssertCoverage(980, 980, Every20Milliseconds(0, 50));

    [Fact]
    public void Lost_packets_cover_nothing() => AssertCoverage(1980, 1485, Every20Milliseconds(0, 100).Where(p => p.Sequence % 4 != 1));

    [Fact]
    public void Overtaken_packets_are_not_lost() =>
        AssertCoverage(80, 80, [(0, 1), (20, 3), (21, 2), (60, 4), (80, 5)]);

    [Fact]
    public void Pauses_cover_a_packet_and_the_packets_lost_in_them_are_not_counted_twice() =>
        AssertCoverage(10_980, 180 + 200 + 780, [.. Every20Milliseconds(0, 10), .. Every20Milliseconds(510, 40)]);

    [Fact]
    public void Numbers_that_begin_anew_are_no_loss() =>
        AssertCoverage(1980, 1980, [.. Every20Milliseconds(0, 50), .. Every20Milliseconds(50, 50).Select(p => (p.Milliseconds, p.Sequence + 20_000))]);

    [Fact]
    public void Numbers_that_wrap_are_no_loss() => AssertCoverage(980, 980, Every20Milliseconds(0, 50).Select(p => (p.Milliseconds, p.Sequence + 65_500)));

    [Fact]
    public void Coverage_allocates_nothing()
    {
        Assert.Equal(0, Allocation.Of(static () =>
        {
            var coverage = new PacketCoverage();
            for (var i = 0; i < 10_000; i++) coverage.Add((uint)i * 20, 1, (ushort)i);
        }));
    }

    private static IEnumerable<(int Milliseconds, int Sequence)> Every20Milliseconds(int first, int count) =>
        Enumerable.Range(first, count).Select(i => (i * 20, i));

    private static void AssertCoverage(int duration, int covered, IEnumerable<(int Milliseconds, int Sequence)> packets)
    {
        var coverage = new PacketCoverage();
        foreach (var (milliseconds, sequence) in packets) coverage.Add((uint)milliseconds, 7, (ushort)sequence);

        Assert.Equal((duration, covered), (coverage.Duration.TotalMilliseconds, coverage.Covered.TotalMilliseconds));
    }
}
