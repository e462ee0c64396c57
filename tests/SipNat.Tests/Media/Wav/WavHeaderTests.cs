using System.Buffers.Binary;
using SipNat.Media.Codecs;
using SipNat.Media.Wav;

namespace SipNat.Tests.Media.Wav;

public class WavHeaderTests
{
    private const string Junk = "4A554E4B 1C000000 00000000000000000000000000000000000000000000000000000000";

    [Theory]
    [InlineData(AudioCodec.Pcmu, "0700")]
    [InlineData(AudioCodec.Pcma, "0600")]
    public void A_codecs_header_has_its_own_format_tag_and_a_fact_chunk(AudioCodec codec, string tag)
    {
        var header = new byte[WavHeader.Length];

        WavHeader.Write(header, WavFormat.Of(codec), 8000);

        Assert.Equal(
            Hex($"52494646 961F0000 57415645 {Junk} 666D7420 12000000 {tag} 0100 401F0000 401F0000 0100 0800 0000 66616374 04000000 401F0000 64617461 401F0000"),
            header);
    }

    [Fact]
    public void A_stereo_pcm_header_counts_the_samples_of_one_channel()
    {
        var header = new byte[WavHeader.Length];

        WavHeader.Write(header, WavFormat.Pcm16(2, 8000), 32000);

        Assert.Equal(
            Hex($"52494646 567D0000 57415645 {Junk} 666D7420 12000000 0100 0200 401F0000 007D0000 0400 1000 0000 66616374 04000000 401F0000 64617461 007D0000"),
            header);
    }

    [Fact]
    public void An_odd_length_counts_its_padding_in_the_file_and_not_in_the_audio()
    {
        var header = new byte[WavHeader.Length];

        WavHeader.Write(header, WavFormat.Of(AudioCodec.Pcmu), 3);

        Assert.Equal((uint)(WavHeader.Length - 8 + 4), BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(4)));
        Assert.Equal(3u, BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(90)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(8000)]
    [InlineData(uint.MaxValue - 96L)]
    [InlineData(uint.MaxValue)]
    [InlineData(5_000_000_000_000)]
    public void What_is_written_is_read_again_at_any_length(long length)
    {
        var bytes = new byte[WavHeader.Length];
        WavHeader.Write(bytes, WavFormat.Of(AudioCodec.Pcma), length);

        var read = WavHeader.TryRead(bytes, WavHeader.Length + length, out var header, out var defect);

        Assert.True(read, defect.ToString());
        Assert.Equal(new WavHeader(WavFormat.Of(AudioCodec.Pcma), WavHeader.Length, length, length), header);
        Assert.Equal(length / 8000.0, header.Seconds);
    }

    [Fact]
    public void Past_four_gibibytes_the_junk_becomes_the_sizes_of_rf64()
    {
        var header = new byte[WavHeader.Length];

        WavHeader.Write(header, WavFormat.Of(AudioCodec.Pcmu), 0x1_0000_0000);

        Assert.Equal(
            Hex("52463634 FFFFFFFF 57415645 64733634 1C000000 5600000001000000 0000000001000000 0000000001000000 00000000"),
            header[..48]);
        Assert.Equal(Hex("66616374 04000000 FFFFFFFF 64617461 FFFFFFFF"), header[74..]);
    }

    [Fact]
    public void A_plain_header_of_another_program_is_read()
    {
        var bytes = Hex("52494646 2C000000 57415645 666D7420 10000000 0100 0100 803E0000 007D0000 0200 1000 64617461 08000000 0000000000000000");

        Assert.True(WavHeader.TryRead(bytes, bytes.Length, out var header, out _));
        Assert.Equal(new WavHeader(WavFormat.Pcm16(1, 16000), 44, 8, 8), header);
        Assert.Null(header.Format.Codec);
    }

    [Fact]
    public void Unknown_chunks_before_the_audio_are_walked_over_with_their_padding()
    {
        var bytes = Hex("52494646 00000000 57415645 4C495354 03000000 41424300 666D7420 12000000 0700 0100 401F0000 401F0000 0100 0800 0000 64617461 02000000 FFFF 4C495354");

        Assert.True(WavHeader.TryRead(bytes, bytes.Length, out var header, out _));
        Assert.Equal(new WavHeader(WavFormat.Of(AudioCodec.Pcmu), 58, 2, 2), header);
    }

    [Theory]
    [InlineData(0u)] // never patched
    [InlineData(1000u)] // patched ahead of the data
    [InlineData(uint.MaxValue)] // streamed
    public void The_audio_of_a_writer_that_was_cut_off_reaches_to_the_end_of_the_file(uint declared)
    {
        var bytes = new byte[WavHeader.Length];
        WavHeader.Write(bytes, WavFormat.Of(AudioCodec.Pcmu), 0);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(90), declared);

        Assert.True(WavHeader.TryRead(bytes, WavHeader.Length + 321, out var header, out _));
        Assert.Equal(new WavHeader(WavFormat.Of(AudioCodec.Pcmu), WavHeader.Length, declared, 321), header);
    }

    [Fact]
    public void A_last_sample_that_is_not_whole_is_left_out()
    {
        var bytes = new byte[WavHeader.Length];
        WavHeader.Write(bytes, WavFormat.Pcm16(2, 8000), 0);

        Assert.True(WavHeader.TryRead(bytes, WavHeader.Length + 11, out var header, out _));
        Assert.Equal(8, header.DataLength);
    }

    [Theory]
    [InlineData("", WavDefect.TooShort)]
    [InlineData("52494646 00000000 574156", WavDefect.TooShort)]
    [InlineData("52494658 00000000 57415645", WavDefect.NotWave)]
    [InlineData("52494646 00000000 41564920", WavDefect.NotWave)]
    [InlineData("52494646 00000000 57415645", WavDefect.NoData)]
    [InlineData("52494646 00000000 57415645 4C495354 FFFFFFFF 00", WavDefect.NoData)]
    [InlineData("52494646 00000000 57415645 64617461 00000000", WavDefect.NoFormat)]
    [InlineData("52494646 00000000 57415645 666D7420 0E000000 0700 0100 401F0000 401F0000 0100", WavDefect.BadFormat)]
    [InlineData("52494646 00000000 57415645 666D7420 10000000 0700 0000 401F0000 401F0000 0100 0800", WavDefect.BadFormat)]
    [InlineData("52494646 00000000 57415645 666D7420 10000000 0700 0100 00000000 401F0000 0100 0800", WavDefect.BadFormat)]
    [InlineData("52494646 00000000 57415645 666D7420 10000000 5500 0100 401F0000 401F0000 0100 0800", WavDefect.UnknownFormat)]
    [InlineData("52494646 00000000 57415645 666D7420 10000000 0700 0100 401F0000 401F0000 0100 1000", WavDefect.UnknownFormat)]
    public void What_is_no_wave_file_is_refused_with_its_reason(string hex, WavDefect expected)
    {
        var bytes = Hex(hex);

        Assert.False(WavHeader.TryRead(bytes, bytes.Length, out var header, out var defect));
        Assert.Equal(expected, defect);
        Assert.Equal(default, header);
    }

    [Fact]
    public void Every_truncation_of_a_header_is_refused()
    {
        var bytes = new byte[WavHeader.Length];
        WavHeader.Write(bytes, WavFormat.Of(AudioCodec.Pcmu), 0);

        for (var length = 0; length < bytes.Length; length++)
        {
            Assert.False(WavHeader.TryRead(bytes.AsSpan(0, length), length, out _, out var defect), $"{length} bytes");
            Assert.Equal(length < 12 ? WavDefect.TooShort : length is >= 56 and < 72 ? WavDefect.BadFormat : WavDefect.NoData, defect);
        }
    }

    [Fact]
    public void Mutated_headers_never_throw_and_never_claim_audio_beyond_the_file()
    {
        var random = new Random(3190);
        var bytes = new byte[WavHeader.Length + 32];
        for (var round = 0; round < 20_000; round++)
        {
            WavHeader.Write(bytes, WavFormat.Of(AudioCodec.Pcmu), round % 3 == 0 ? 0x2_0000_0000 : 32);
            for (var i = random.Next(1, 5); i > 0; i--) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            var fileLength = random.Next(bytes.Length + 40);

            if (!WavHeader.TryRead(bytes, fileLength, out var header, out _)) continue;

            Assert.InRange(header.DataLength, 0, fileLength - header.DataOffset);
            Assert.Equal(0, header.DataLength % header.Format.BlockAlign);
        }
    }

    [Fact]
    public void Reading_and_writing_allocate_nothing()
    {
        var bytes = new byte[WavHeader.Length];
        WavHeader.Write(bytes, WavFormat.Of(AudioCodec.Pcmu), 160);
        WavHeader.TryRead(bytes, 254, out _, out _);

        var before = GC.GetAllocatedBytesForCurrentThread();
        WavHeader.Write(bytes, WavFormat.Of(AudioCodec.Pcmu), 160);
        WavHeader.TryRead(bytes, 254, out _, out _);

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static byte[] Hex(string hex) => Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));
}
