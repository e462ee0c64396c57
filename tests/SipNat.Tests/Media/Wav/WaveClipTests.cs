using System.Buffers.Binary;
using SipNat.Media.Wav;

namespace SipNat.Tests.Media.Wav;

/// <summary>Clips, from files whose bytes are written down here.</summary>
public sealed class WaveClipTests
{
    [Theory]
    [InlineData(1, 8, new byte[] { 128, 0, 255 }, new short[] { 0, -32768, 32512 })]
    [InlineData(1, 16, new byte[] { 0, 0, 0x34, 0x12, 0, 0x80 }, new short[] { 0, 0x1234, -32768 })]
    [InlineData(1, 24, new byte[] { 0, 0x34, 0x12, 0, 0, 0x80, 0xFF, 0xFF, 0xFF }, new short[] { 0x1234, -32768, 0 })]
    [InlineData(1, 32, new byte[] { 0, 0, 0x34, 0x12, 0, 0, 0, 0x80 }, new short[] { 0x1234, -32768 })]
    [InlineData(3, 32, new byte[] { 0, 0, 0, 0x3F, 0, 0, 0x80, 0xBF, 0, 0, 0xC0, 0x7F, 0, 0, 0x80, 0x7F }, new short[] { 16384, -32768, 0, 0 })]
    [InlineData(7, 8, new byte[] { 0xFF, 0x80, 0x00 }, new short[] { 0, 32124, -32124 })]
    [InlineData(6, 8, new byte[] { 0xD5, 0x55 }, new short[] { 8, -8 })]
    public void Samples_of_every_format_come_to_the_scale_of_16_bits(int tag, int bits, byte[] data, short[] samples)
    {
        foreach (var isExtensible in (bool[])[false, true])
        {
            Assert.True(WaveClip.TryRead(File(tag, 1, 22_050, bits, data, isExtensible), out var clip, out _));
            Assert.Equal(samples, clip!.Samples.ToArray());
            Assert.Equal(22_050, clip.SampleRate);
        }
    }

    [Fact]
    public void Channels_are_mixed_to_their_mean()
    {
        Assert.True(WaveClip.TryRead(File(1, 2, 8000, 16, [0x10, 0, 0x30, 0, 0xFF, 0x7F, 0xFF, 0x7F]), out var clip, out _));
        Assert.Equal([0x20, 0x7FFF], clip!.Samples.ToArray());
    }

    [Fact]
    public void A_file_that_was_cut_off_is_played_as_far_as_it_goes()
    {
        var file = File(1, 1, 8000, 16, [1, 0, 2, 0, 3, 0]);
        Assert.True(WaveClip.TryRead(file.AsSpan(0, file.Length - 3), out var clip, out _));
        Assert.Equal([1], clip!.Samples.ToArray());
    }

    [Theory]
    [InlineData(2, 1, 8000, 4, ClipDefect.UnknownFormat)]
    [InlineData(0x55, 1, 8000, 16, ClipDefect.UnknownFormat)]
    [InlineData(1, 1, 8000, 12, ClipDefect.UnknownFormat)]
    [InlineData(1, 0, 8000, 16, ClipDefect.BadFormat)]
    [InlineData(1, 9, 8000, 16, ClipDefect.TooManyChannels)]
    [InlineData(1, 1, 3999, 16, ClipDefect.UnusableRate)]
    [InlineData(1, 1, 192_001, 16, ClipDefect.UnusableRate)]
    public void What_cannot_be_played_is_refused_with_its_reason(int tag, int channels, int rate, int bits, ClipDefect expected)
    {
        Assert.False(WaveClip.TryRead(File(tag, channels, rate, bits, new byte[64]), out var clip, out var defect));
        Assert.Equal((null, expected), (clip, defect));
        Assert.NotEqual("", defect.Explain());
    }

    [Fact]
    public void A_file_without_audio_and_one_that_is_no_wave_are_refused()
    {
        Assert.False(WaveClip.TryRead(File(1, 1, 8000, 16, []), out _, out var defect));
        Assert.Equal(ClipDefect.NoAudio, defect);
        Assert.False(WaveClip.TryRead("ID3 is the beginning of an MP3 file"u8, out _, out defect));
        Assert.Equal(ClipDefect.NotWave, defect);
        Assert.False(WaveClip.TryRead([], out _, out defect));
        Assert.Equal(ClipDefect.NotWave, defect);
    }

    [Fact]
    public void Every_truncation_is_refused_or_played()
    {
        var file = File(1, 2, 44_100, 24, new byte[60], isExtensible: true);
        for (var length = 0; length < file.Length; length++) WaveClip.TryRead(file.AsSpan(0, length), out _, out _);
    }

    private static byte[] File(int tag, int channels, int rate, int bits, byte[] data, bool isExtensible = false)
    {
        var format = new byte[isExtensible ? 40 : 16];
        BinaryPrimitives.WriteUInt16LittleEndian(format, (ushort)(isExtensible ? 0xFFFE : tag));
        BinaryPrimitives.WriteUInt16LittleEndian(format.AsSpan(2), (ushort)channels);
        BinaryPrimitives.WriteInt32LittleEndian(format.AsSpan(4), rate);
        BinaryPrimitives.WriteUInt16LittleEndian(format.AsSpan(14), (ushort)bits);
        if (isExtensible) BinaryPrimitives.WriteUInt16LittleEndian(format.AsSpan(24), (ushort)tag);
        return [.. "RIFF"u8, 0, 0, 0, 0, .. "WAVE"u8, .. Chunk("LIST"u8, new byte[6]), .. Chunk("fmt "u8, format), .. Chunk("data"u8, data)];
    }

    private static byte[] Chunk(ReadOnlySpan<byte> name, byte[] body)
    {
        var size = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(size, body.Length);
        return [.. name, .. size, .. body];
    }
}
