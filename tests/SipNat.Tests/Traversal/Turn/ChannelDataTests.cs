using SipNat.Traversal.Turn;

namespace SipNat.Tests.Traversal.Turn;

public sealed class ChannelDataTests
{
    // RFC 8656 §12.4 and §12.5: number, length, data, and in a stream padding to a multiple of four.
    [Theory]
    [InlineData("40000000", ChannelDataDefect.None, "")]
    [InlineData("4FFF0003010203", ChannelDataDefect.None, "010203")]
    [InlineData("4FFF000301020300", ChannelDataDefect.None, "010203")]
    [InlineData("4FFF00030102030000", ChannelDataDefect.WrongLength, "")]
    [InlineData("4000000401020304FF", ChannelDataDefect.WrongLength, "")]
    [InlineData("400000040102", ChannelDataDefect.Truncated, "")]
    [InlineData("3FFF0000", ChannelDataDefect.NotAChannel, "")]
    [InlineData("50000000", ChannelDataDefect.NotAChannel, "")]
    [InlineData("400000", ChannelDataDefect.TooShort, "")]
    [InlineData("", ChannelDataDefect.TooShort, "")]
    public void A_message_is_read_or_has_a_defect(string hex, ChannelDataDefect expected, string payload)
    {
        var bytes = Convert.FromHexString(hex);

        Assert.Equal(expected is ChannelDataDefect.None, ChannelData.TryRead(bytes, out var data, out var defect));

        Assert.Equal((expected, payload), (defect, Convert.ToHexString(data.Payload)));
        if (expected is ChannelDataDefect.None) Assert.Equal((bytes[0] << 8) | bytes[1], data.Number);
    }

    [Theory]
    [InlineData("010203", false, "40010003010203")]
    [InlineData("010203", true, "4001000301020300")]
    [InlineData("01020304", true, "4001000401020304")]
    [InlineData("", true, "40010000")]
    public void A_message_is_padded_in_streams(string payload, bool isPadded, string expected)
    {
        var bytes = Convert.FromHexString(payload);
        var message = new byte[ChannelData.LengthOf(bytes.Length, isPadded)];
        Array.Fill(message, (byte)0xEE);

        ChannelData.Write(message, 0x4001, bytes);

        Assert.Equal(expected, Convert.ToHexString(message));
    }

    [Theory]
    [InlineData("", true, 0)]
    [InlineData("000100", true, 0)]
    [InlineData("00010000", true, 20)]
    [InlineData("0001000C2112A442", true, 32)]
    [InlineData("40010003", true, 8)]
    [InlineData("40010000", true, 4)]
    [InlineData("4FFFFFFF", true, 65540)]
    [InlineData("00010003", false, 0)]
    [InlineData("50010000", false, 0)]
    [InlineData("16", false, 0)]
    [InlineData("5349502F32", false, 0)]
    public void A_stream_is_cut_by_the_lengths_in_it(string hex, bool isStream, int expected)
    {
        Assert.Equal(isStream, TurnFrame.TryMeasure(Convert.FromHexString(hex), out var length));

        Assert.Equal(expected, isStream ? length : 0);
    }
}
