using SipNat.Media.Rtcp;

namespace SipNat.Tests.Media.Rtcp;

public sealed class RtcpCompoundTests
{
    // SR with one block, SDES with a CNAME after a NOTE, APP, BYE of two sources with a reason and padding.
    private static readonly byte[] Full =
    [
        0x81, 200, 0, 12,
        0x00, 0x00, 0x00, 0x01,
        0xE5, 0x00, 0x00, 0x00, 0x80, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x03, 0xE8,
        0x00, 0x00, 0x00, 0x0A,
        0x00, 0x00, 0x06, 0x40,
        0x00, 0x00, 0x00, 0x02, 0x40, 0xFF, 0xFF, 0xFE, 0x00, 0x01, 0x00, 0x05,
        0x00, 0x00, 0x00, 0x07, 0x11, 0x22, 0x33, 0x44, 0x00, 0x01, 0x80, 0x00,
        0x81, 202, 0, 4,
        0x00, 0x00, 0x00, 0x01, 7, 2, 0x68, 0x69, 1, 3, 0x61, 0x40, 0x62, 0, 0, 0,
        0x80, 204, 0, 2,
        0x00, 0x00, 0x00, 0x01, 0x54, 0x45, 0x53, 0x54,
        0xA2, 203, 0, 4,
        0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x02, 3, 0x62, 0x79, 0x65, 0, 0, 0, 4,
    ];

    [Fact]
    public void Every_packet_of_a_compound_is_read_in_order() // RFC 3550 §6.4–6.7
    {
        Assert.True(RtcpCompound.TryRead(Full, out var compound, out _));

        var types = new List<RtcpPacketType>();
        foreach (var packet in compound)
        {
            types.Add(packet.Type);
            if (packet.TryGetSenderReport(out var report))
            {
                Assert.Equal(new SenderReport(1, new(0xE500_0000_8000_0000), 1000, 10, 1600), report);
                Assert.Equal(1, packet.ReportCount);
                Assert.Equal(new ReportBlock(2, 0x40, -2, 0x1_0005, 7, 0x1122_3344, 0x1_8000), packet.Report(0));
            }

            if (packet.TryGetCname(out var ssrc, out var cname))
            {
                Assert.Equal(1u, ssrc);
                Assert.Equal("a@b"u8.ToArray(), cname.ToArray());
            }

            if (packet.GoodbyeCount > 0)
            {
                Assert.Equal([1u, 2u], [packet.GoodbyeSsrc(0), packet.GoodbyeSsrc(1)]);
                Assert.Equal(12, packet.Body.Length);
            }

            if (packet.Type is RtcpPacketType.ApplicationDefined) Assert.Equal(1u, packet.SenderSsrc);
        }

        Assert.Equal([RtcpPacketType.SenderReport, RtcpPacketType.SourceDescription, RtcpPacketType.ApplicationDefined, RtcpPacketType.Goodbye], types);
    }

    [Theory]
    [InlineData(new byte[] { 0x80, 201, 0 }, RtcpDefect.TooShort)]
    [InlineData(new byte[] { 0x40, 201, 0, 1, 0, 0, 0, 1 }, RtcpDefect.WrongVersion)]
    [InlineData(new byte[] { 0x80, 100, 0, 1, 0, 0, 0, 1 }, RtcpDefect.WrongType)]
    [InlineData(new byte[] { 0x80, 201, 0, 2, 0, 0, 0, 1 }, RtcpDefect.WrongLength)]
    [InlineData(new byte[] { 0x80, 201, 0, 1, 0, 0, 0, 1, 0 }, RtcpDefect.WrongLength)]
    [InlineData(new byte[] { 0x81, 201, 0, 1, 0, 0, 0, 1 }, RtcpDefect.WrongCount)]
    [InlineData(new byte[] { 0x80, 201, 0, 0 }, RtcpDefect.WrongCount)]
    [InlineData(new byte[] { 0x80, 200, 0, 1, 0, 0, 0, 1 }, RtcpDefect.WrongCount)]
    [InlineData(new byte[] { 0x82, 203, 0, 1, 0, 0, 0, 1 }, RtcpDefect.WrongCount)]
    [InlineData(new byte[] { 0xA0, 201, 0, 1, 0, 0, 0, 0 }, RtcpDefect.WrongPadding)]
    [InlineData(new byte[] { 0xA0, 201, 0, 1, 0, 0, 0, 8 }, RtcpDefect.WrongPadding)]
    [InlineData(new byte[] { 0xA0, 201, 0, 2, 0, 0, 0, 1, 0, 0, 0, 4, 0x80, 203, 0, 0 }, RtcpDefect.WrongPadding)]
    public void Broken_compound_is_refused_with_its_defect(byte[] datagram, RtcpDefect expected) // RFC 3550 §A.2
    {
        Assert.False(RtcpCompound.TryRead(datagram, out _, out var defect));
        Assert.Equal(expected, defect);
    }

    [Fact]
    public void Compound_of_too_many_packets_is_refused()
    {
        var datagram = Enumerable.Repeat<byte[]>([0x80, 203, 0, 0], RtcpCompound.MaxPackets + 1).SelectMany(b => b).ToArray();

        Assert.False(RtcpCompound.TryRead(datagram, out _, out var defect));
        Assert.Equal(RtcpDefect.TooManyPackets, defect);
    }

    [Fact]
    public void Cname_of_a_later_chunk_is_found_and_a_cut_item_is_not()
    {
        byte[] second = [0x82, 202, 0, 5, 0, 0, 0, 9, 8, 0, 0, 0, 0, 0, 0, 5, 1, 1, 0x7A, 0, 0, 0, 0, 0];
        Assert.True(RtcpCompound.TryRead(second, out var compound, out _));
        foreach (var packet in compound)
        {
            Assert.True(packet.TryGetCname(out var ssrc, out var cname));
            Assert.Equal(5u, ssrc);
            Assert.Equal([0x7A], cname.ToArray());
        }

        Assert.True(RtcpCompound.TryRead([0x81, 202, 0, 2, 0, 0, 0, 9, 1, 200, 0, 0], out compound, out _));
        foreach (var packet in compound) Assert.False(packet.TryGetCname(out _, out _));
    }

    [Fact]
    public void Every_truncation_and_ten_thousand_mutations_are_read_or_refused_without_a_throw()
    {
        for (var length = 0; length < Full.Length; length++) ReadAll(Full.AsSpan(0, length));

        var random = new Random(5761);
        var bytes = new byte[Full.Length];
        for (var i = 0; i < 10_000; i++)
        {
            Full.CopyTo(bytes, 0);
            for (var flips = random.Next(1, 4); flips > 0; flips--) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            ReadAll(bytes);
        }
    }

    [Fact]
    public void Written_compound_is_byte_by_byte_what_the_rfc_draws()
    {
        var buffer = new byte[RtcpWriter.SizeOf(1, 3, goodbye: true)];
        var writer = new RtcpWriter(buffer);

        writer.WriteReceiverReport(1, [new(2, 0x40, -2, 0x1_0005, 7, 0x1122_3344, 0x1_8000)]);
        writer.WriteCname(1, "a@b"u8);
        writer.WriteGoodbye(1);

        Assert.Equal(buffer.Length, writer.Length);
        Assert.Equal(
            [
                0x81, 201, 0, 7, 0, 0, 0, 1,
                0, 0, 0, 2, 0x40, 0xFF, 0xFF, 0xFE, 0, 1, 0, 5, 0, 0, 0, 7, 0x11, 0x22, 0x33, 0x44, 0, 1, 0x80, 0,
                0x81, 202, 0, 3, 0, 0, 0, 1, 1, 3, 0x61, 0x40, 0x62, 0, 0, 0,
                0x81, 203, 0, 1, 0, 0, 0, 1,
            ],
            buffer);
    }

    [Theory]
    [InlineData(0x0080_0000, 0x7F_FFFF)]
    [InlineData(-0x0080_0001, -0x80_0000)]
    [InlineData(int.MaxValue, 0x7F_FFFF)]
    [InlineData(-1, -1)]
    public void Cumulative_loss_is_held_to_its_24_bits(int lost, int expected)
    {
        var buffer = new byte[32];
        var writer = new RtcpWriter(buffer);
        writer.WriteReceiverReport(1, [new(2, 255, lost, 0, 0, 0, 0)]);

        Assert.True(RtcpCompound.TryRead(buffer, out var compound, out _));
        foreach (var packet in compound) Assert.Equal(new ReportBlock(2, 255, expected, 0, 0, 0, 0), packet.Report(0));
    }

    [Fact]
    public void Written_name_of_every_length_reads_back()
    {
        for (var length = 0; length <= RtcpWriter.MaxCname; length++)
        {
            var buffer = new byte[RtcpWriter.SizeOf(0, length, goodbye: false)];
            var writer = new RtcpWriter(buffer);
            var name = Enumerable.Range(0, length).Select(i => (byte)(i + 65)).ToArray();
            writer.WriteReceiverReport(1, []);
            writer.WriteCname(9, name);

            Assert.Equal(buffer.Length, writer.Length);
            Assert.True(RtcpCompound.TryRead(buffer, out var compound, out _));
            foreach (var packet in compound)
            {
                if (packet.TryGetCname(out var ssrc, out var cname)) Assert.Equal((9u, true), (ssrc, cname.SequenceEqual(name)));
            }
        }
    }

    [Fact]
    public void Ntp_timestamps_subtract_over_the_era_change_of_2036()
    {
        var late = new NtpTimestamp(ulong.MaxValue - (1UL << 31) + 1);

        var after = late + TimeSpan.FromSeconds(1);

        Assert.Equal(1UL << 31, after.Value);
        Assert.Equal(TimeSpan.FromSeconds(1), after - late);
        Assert.Equal(TimeSpan.FromSeconds(-1), late - after);
        Assert.Equal(late, after + TimeSpan.FromSeconds(-1));
        Assert.Equal(0x2233_4455u, new NtpTimestamp(0x0011_2233_4455_6677).Middle);
    }

    private static void ReadAll(ReadOnlySpan<byte> datagram)
    {
        if (!RtcpCompound.TryRead(datagram, out var compound, out var defect))
        {
            if (defect is RtcpDefect.None) Assert.Fail("A refusal has a defect.");
            return;
        }

        var length = 0;
        foreach (var packet in compound)
        {
            length += 4 + packet.Body.Length;
            _ = packet.SenderSsrc;
            packet.TryGetSenderReport(out _);
            packet.TryGetCname(out _, out _);
            for (var i = 0; i < packet.ReportCount; i++) packet.Report(i);
            for (var i = 0; i < packet.GoodbyeCount; i++) packet.GoodbyeSsrc(i);
        }

        if (length > datagram.Length) Assert.Fail("The packets lie inside the datagram.");
    }
}
