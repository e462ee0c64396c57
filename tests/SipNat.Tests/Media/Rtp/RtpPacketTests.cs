using SipNat.Media.Rtp;

namespace SipNat.Tests.Media.Rtp;

public sealed class RtpPacketTests
{
    // V=2, padding, extension, two CSRCs; marker, PT 8; extension BEDE of one word; payload 4 bytes; 3 bytes of padding.
    private static readonly byte[] Full =
    [
        0xB2, 0x88, 0x12, 0x34, 0x01, 0x02, 0x03, 0x04, 0xDE, 0xAD, 0xBE, 0xEF,
        0x00, 0x00, 0x00, 0x0A, 0x00, 0x00, 0x00, 0x0B,
        0xBE, 0xDE, 0x00, 0x01, 0x10, 0x99, 0x00, 0x00,
        0x51, 0x52, 0x53, 0x54,
        0x00, 0x00, 0x03,
    ];

    [Fact]
    public void Every_field_is_read_from_its_place() // RFC 3550 §5.1
    {
        Assert.True(RtpPacket.TryRead(Full, out var packet, out var defect));

        Assert.Equal(RtpDefect.None, defect);
        Assert.True(packet.Marker);
        Assert.Equal(8, packet.PayloadType);
        Assert.Equal(0x1234, packet.SequenceNumber);
        Assert.Equal(0x01020304u, packet.Timestamp);
        Assert.Equal(0xDEADBEEFu, packet.Ssrc);
        Assert.Equal(2, packet.CsrcCount);
        Assert.Equal(10u, packet.Csrc(0));
        Assert.Equal(11u, packet.Csrc(1));
        Assert.True(packet.HasExtension);
        Assert.Equal(0xBEDE, packet.ExtensionProfile);
        Assert.Equal([0x10, 0x99, 0x00, 0x00], packet.Extension.ToArray());
        Assert.Equal([0x51, 0x52, 0x53, 0x54], packet.Payload.ToArray());
        Assert.Equal(3, packet.PaddingLength);
    }

    [Fact]
    public void Smallest_packet_has_a_header_and_nothing_else()
    {
        Assert.True(RtpPacket.TryRead([0x80, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3], out var packet, out _));

        Assert.True(packet.Payload.IsEmpty);
        Assert.True(packet.Extension.IsEmpty);
        Assert.Equal(0, packet.ExtensionProfile);
        Assert.Equal(0, packet.PaddingLength);
        Assert.False(packet.Marker);
    }

    [Theory]
    [InlineData(new byte[0], RtpDefect.TooShort)]
    [InlineData(new byte[] { 0x80, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0 }, RtpDefect.TooShort)]
    [InlineData(new byte[] { 0x40, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3 }, RtpDefect.WrongVersion)]
    [InlineData(new byte[] { 0xC0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3 }, RtpDefect.WrongVersion)]
    [InlineData(new byte[] { 0x81, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3 }, RtpDefect.TruncatedCsrc)]
    [InlineData(new byte[] { 0x90, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0 }, RtpDefect.TruncatedExtension)]
    [InlineData(new byte[] { 0x90, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 255, 255 }, RtpDefect.TruncatedExtension)]
    [InlineData(new byte[] { 0xA0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0 }, RtpDefect.WrongPadding)]
    [InlineData(new byte[] { 0xA0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 9, 3 }, RtpDefect.WrongPadding)]
    public void Broken_packet_is_refused_with_its_defect(byte[] datagram, RtpDefect expected)
    {
        Assert.False(RtpPacket.TryRead(datagram, out _, out var defect));
        Assert.Equal(expected, defect);
    }

    [Fact]
    public void Packet_of_padding_alone_has_an_empty_payload()
    {
        Assert.True(RtpPacket.TryRead([0xA0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 2], out var packet, out _));

        Assert.True(packet.Payload.IsEmpty);
        Assert.Equal(2, packet.PaddingLength);
    }

    [Fact]
    public void Every_truncation_and_ten_thousand_mutations_are_read_or_refused_without_a_throw()
    {
        for (var length = 0; length < Full.Length; length++) ReadAll(Full.AsSpan(0, length));

        var random = new Random(3550);
        var bytes = new byte[Full.Length];
        for (var i = 0; i < 10_000; i++)
        {
            Full.CopyTo(bytes, 0);
            for (var flips = random.Next(1, 5); flips > 0; flips--) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            ReadAll(bytes.AsSpan(0, random.Next(bytes.Length + 1)));
        }
    }

    [Fact]
    public void Written_packet_reads_back_as_written()
    {
        var random = new Random(1);
        var buffer = new byte[RtpPacket.HeaderLength + 160];
        for (var i = 0; i < 1000; i++)
        {
            var payload = new byte[random.Next(161)];
            random.NextBytes(payload);
            var header = new RtpHeader(random.Next(128), (ushort)random.Next(65536), (uint)random.NextInt64(1L << 32), (uint)random.NextInt64(1L << 32), random.Next(2) == 1);

            var length = RtpWriter.Write(buffer, header, payload);

            Assert.True(RtpPacket.TryRead(buffer.AsSpan(0, length), out var packet, out _));
            Assert.Equal(header, new RtpHeader(packet.PayloadType, packet.SequenceNumber, packet.Timestamp, packet.Ssrc, packet.Marker));
            Assert.True(packet.Payload.SequenceEqual(payload));
        }
    }

    [Fact]
    public void Header_is_written_byte_by_byte_as_the_rfc_draws_it()
    {
        var buffer = new byte[13];

        Assert.Equal(13, RtpWriter.Write(buffer, new(20, 0x0102, 0x03040506, 0x0708090A, Marker: true), [0xFF]));

        Assert.Equal([0x80, 0x94, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0xFF], buffer);
    }

    [Fact]
    public void Reading_allocates_nothing()
    {
        ReadAll(Full);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++) ReadAll(Full);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static void ReadAll(ReadOnlySpan<byte> datagram)
    {
        if (!RtpPacket.TryRead(datagram, out var packet, out var defect))
        {
            if (defect is RtpDefect.None) Assert.Fail("A refusal has a defect.");
            return;
        }

        for (var i = 0; i < packet.CsrcCount; i++) packet.Csrc(i);
        var sum = RtpPacket.HeaderLength + (packet.CsrcCount * 4) + packet.Payload.Length + packet.PaddingLength
            + (packet.HasExtension ? 4 + packet.Extension.Length : 0);
        if (sum != datagram.Length) Assert.Fail("The parts make up the whole.");
    }
}
