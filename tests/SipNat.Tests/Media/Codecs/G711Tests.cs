using SipNat.Media.Codecs;

namespace SipNat.Tests.Media.Codecs;

public class G711Tests
{
    // ITU-T G.711 table 2a, column 8 (decoder output y) times 4: the first and last value of segments.
    [Theory]
    [InlineData(0x80, 32124)]
    [InlineData(0x8F, 16764)]
    [InlineData(0x9F, 8316)]
    [InlineData(0xAF, 4092)]
    [InlineData(0xBF, 1980)]
    [InlineData(0xCF, 924)]
    [InlineData(0xDF, 396)]
    [InlineData(0xEF, 132)]
    [InlineData(0xFE, 8)]
    [InlineData(0xFF, 0)]
    [InlineData(0x00, -32124)]
    [InlineData(0x7E, -8)]
    [InlineData(0x7F, 0)]
    public void Mu_law_decodes_as_in_the_table(byte encoded, short sample) =>
        Assert.Equal(sample, G711.Decode(AudioCodec.Pcmu, encoded));

    // ITU-T G.711 table 1a, column 8 times 8, with the even bits inverted.
    [Theory]
    [InlineData(0xAA, 32256)]
    [InlineData(0xA5, 16896)]
    [InlineData(0xBA, 16128)]
    [InlineData(0x80, 5504)]
    [InlineData(0xC5, 264)]
    [InlineData(0xDA, 248)]
    [InlineData(0xD5, 8)]
    [InlineData(0x55, -8)]
    [InlineData(0x2A, -32256)]
    public void A_law_decodes_as_in_the_table(byte encoded, short sample) =>
        Assert.Equal(sample, G711.Decode(AudioCodec.Pcma, encoded));

    [Theory]
    [InlineData(AudioCodec.Pcmu)]
    [InlineData(AudioCodec.Pcma)]
    public void Every_code_word_survives_decoding_and_encoding(AudioCodec codec)
    {
        var changed = Enumerable.Range(0, 256).Where(code => G711.Encode(codec, G711.Decode(codec, (byte)code)) != code);

        // µ-law has two zeros, and the positive one is sent.
        Assert.Equal(codec is AudioCodec.Pcmu ? [0x7F] : [], changed);
    }

    [Theory]
    [InlineData(AudioCodec.Pcmu, 4)]
    [InlineData(AudioCodec.Pcma, 8)]
    public void Encoding_never_decreases_and_errs_by_half_a_step_at_most(AudioCodec codec, int quantum)
    {
        var last = int.MinValue;
        for (int sample = short.MinValue; sample <= short.MaxValue; sample++)
        {
            int decoded = G711.Decode(codec, G711.Encode(codec, (short)sample));
            Assert.True(decoded >= last, $"{sample} decodes to {decoded}, below its predecessor's {last}");

            // A step is a sixteenth of its segment, and the outermost segment is clipped.
            var magnitude = Math.Min(Math.Abs(decoded), 32635);
            var halfStep = Math.Max(quantum, magnitude / 32);
            if (Math.Abs(sample) <= 32635) Assert.True(Math.Abs(sample - decoded) <= halfStep + quantum, $"{sample} decodes to {decoded}");
            last = decoded;
        }
    }

    [Theory]
    [InlineData(AudioCodec.Pcmu, short.MaxValue, 0x80)]
    [InlineData(AudioCodec.Pcmu, short.MinValue, 0x00)]
    [InlineData(AudioCodec.Pcmu, 0, 0xFF)]
    [InlineData(AudioCodec.Pcma, short.MaxValue, 0xAA)]
    [InlineData(AudioCodec.Pcma, short.MinValue, 0x2A)]
    [InlineData(AudioCodec.Pcma, 0, 0xD5)]
    public void The_ends_and_the_middle_of_the_range_encode_without_overflow(AudioCodec codec, short sample, byte encoded) =>
        Assert.Equal(encoded, G711.Encode(codec, sample));

    [Theory]
    [InlineData(AudioCodec.Pcmu)]
    [InlineData(AudioCodec.Pcma)]
    public void The_silence_of_a_codec_is_its_quietest_code_word(AudioCodec codec) =>
        Assert.Equal(
            Enumerable.Range(0, 256).Min(code => Math.Abs((int)G711.Decode(codec, (byte)code))),
            Math.Abs((int)G711.Decode(codec, codec.Silence)));

    [Theory]
    [InlineData(AudioCodec.Pcmu)]
    [InlineData(AudioCodec.Pcma)]
    public void Spans_are_converted_sample_by_sample_without_allocation(AudioCodec codec)
    {
        var encoded = Enumerable.Range(0, 256).Select(code => (byte)code).ToArray();
        var samples = new short[256];
        var again = new byte[256];
        G711.Decode(codec, encoded, samples);
        G711.Encode(codec, samples, again);

        var before = GC.GetAllocatedBytesForCurrentThread();
        G711.Decode(codec, encoded, samples);
        G711.Encode(codec, samples, again);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.Equal(0, allocated);
        Assert.Equal(encoded.Select(code => G711.Decode(codec, code)), samples);
        Assert.Equal(samples.Select(sample => G711.Encode(codec, sample)), again);
    }

    [Fact]
    public void A_destination_that_is_too_short_is_refused_before_anything_is_written()
    {
        Assert.Throws<ArgumentException>(() => G711.Decode(AudioCodec.Pcmu, new byte[2], new short[1]));
        Assert.Throws<ArgumentException>(() => G711.Encode(AudioCodec.Pcmu, new short[2], new byte[1]));
    }

    [Theory]
    [InlineData("PCMU", true, AudioCodec.Pcmu)]
    [InlineData("pcma", true, AudioCodec.Pcma)]
    [InlineData("G729", false, AudioCodec.Pcmu)]
    [InlineData("", false, AudioCodec.Pcmu)]
    public void A_codec_is_found_by_its_encoding_name_in_any_case(string name, bool found, AudioCodec codec)
    {
        Assert.Equal(found, AudioCodecs.TryParse(name, out var parsed));
        Assert.Equal(codec, parsed);
    }
}
