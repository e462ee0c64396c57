using SipNat.Media.Rtp;

namespace SipNat.Tests.Media.Rtp;

public sealed class MediaDemultiplexerTests
{
    [Theory] // RFC 7983 §7, RFC 5761 §4
    [InlineData(0, 1, MediaPacketKind.Stun)]
    [InlineData(3, 1, MediaPacketKind.Stun)]
    [InlineData(4, 1, MediaPacketKind.Unknown)]
    [InlineData(16, 1, MediaPacketKind.Unknown)]
    [InlineData(19, 1, MediaPacketKind.Unknown)]
    [InlineData(20, 1, MediaPacketKind.Dtls)]
    [InlineData(63, 1, MediaPacketKind.Dtls)]
    [InlineData(64, 1, MediaPacketKind.TurnChannel)]
    [InlineData(79, 1, MediaPacketKind.TurnChannel)]
    [InlineData(80, 1, MediaPacketKind.Unknown)]
    [InlineData(127, 1, MediaPacketKind.Unknown)]
    [InlineData(128, 0, MediaPacketKind.Rtp)]
    [InlineData(128, 0x80, MediaPacketKind.Rtp)]
    [InlineData(128, 191, MediaPacketKind.Rtp)]
    [InlineData(128, 192, MediaPacketKind.Rtcp)]
    [InlineData(191, 200, MediaPacketKind.Rtcp)]
    [InlineData(128, 223, MediaPacketKind.Rtcp)]
    [InlineData(128, 224, MediaPacketKind.Rtp)]
    [InlineData(192, 200, MediaPacketKind.Unknown)]
    [InlineData(255, 0, MediaPacketKind.Unknown)]
    public void First_two_bytes_tell_the_protocol(byte first, byte second, MediaPacketKind expected) =>
        Assert.Equal(expected, MediaDemultiplexer.Classify([first, second, 0, 0]));

    [Fact]
    public void Nothing_and_half_a_header_are_unknown()
    {
        Assert.Equal(MediaPacketKind.Unknown, MediaDemultiplexer.Classify([]));
        Assert.Equal(MediaPacketKind.Unknown, MediaDemultiplexer.Classify([0x80]));
    }
}
