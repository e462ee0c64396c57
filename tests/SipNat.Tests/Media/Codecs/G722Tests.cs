using System.Runtime.InteropServices;
using SipNat.Media.Codecs;

namespace SipNat.Tests.Media.Codecs;

/// <summary>Against what ffmpeg encoded and decoded (<c>tests/data/codecs/make.sh</c>).</summary>
public class G722Tests
{
    // The two filters of 24 coefficients delay by 22 samples together.
    private const int Delay = 22;

    [Theory]
    [InlineData("source")]
    [InlineData("random")]
    public void Decodes_to_the_samples_that_ffmpeg_decodes_to(string vector)
    {
        var samples = Decode(Bytes($"{vector}.g722"));

        Assert.Equal(Samples($"{vector}.g722.s16"), samples);
    }

    [Fact]
    public void Encodes_to_the_bytes_that_ffmpeg_encodes_to() =>
        Assert.Equal(Bytes("source.g722"), Encode(Samples("source.s16")));

    [Fact]
    public void Speech_band_noise_comes_back_delayed_and_20_dB_above_its_error()
    {
        var random = new Random(722);
        var (source, level) = (new short[16_000], 0.0);
        for (var i = 0; i < source.Length; i++) source[i] = (short)(level = (0.9 * level) + random.Next(-2000, 2001));

        var decoded = Decode(Encode(source));

        Assert.InRange(SignalToNoise(source.AsSpan(..^Delay), decoded.AsSpan(Delay..)), 20, 40);
    }

    [Fact]
    public void A_stream_in_pieces_decodes_as_in_one()
    {
        var encoded = Bytes("source.g722");
        var decoder = new G722Decoder();
        var samples = new short[encoded.Length * 2];
        for (var at = 0; at < encoded.Length; at += 160) decoder.Decode(encoded.AsSpan(at, 160), samples.AsSpan(2 * at, 320));

        Assert.Equal(Decode(encoded), samples);
    }

    [Fact]
    public void Silence_stays_silent() => Assert.All(Decode(Encode(new short[16_000])), sample => Assert.InRange(sample, -4, 4));

    [Fact]
    public void The_loudest_square_wave_neither_overflows_nor_wraps()
    {
        var source = new short[16_000];
        for (var i = 0; i < source.Length; i++) source[i] = i / 40 % 2 == 0 ? short.MaxValue : short.MinValue;

        var decoded = Decode(Encode(source));

        // In the middle of each half wave the sign is that of the source.
        for (var i = 820; i < 15_900; i += 40) Assert.Equal(Math.Sign(source[i]), Math.Sign(decoded[i + Delay]));
    }

    [Fact]
    public void What_does_not_fit_is_refused()
    {
        Assert.Throws<ArgumentException>(() => new G722Decoder().Decode(new byte[2], new short[3]));
        Assert.Throws<ArgumentException>(() => new G722Encoder().Encode(new short[3], new byte[2]));
        Assert.Throws<ArgumentException>(() => new G722Encoder().Encode(new short[4], new byte[1]));
    }

    [Fact]
    public void Coding_allocates_nothing()
    {
        var (encoder, decoder) = (new G722Encoder(), new G722Decoder());
        var (samples, encoded) = (new short[320], new byte[160]);

        Assert.Equal(0, Allocation.Of(() =>
        {
            encoder.Encode(samples, encoded);
            decoder.Decode(encoded, samples);
        }));
    }

    private static short[] Decode(byte[] encoded)
    {
        var samples = new short[encoded.Length * 2];
        new G722Decoder().Decode(encoded, samples);
        return samples;
    }

    private static byte[] Encode(short[] samples)
    {
        var encoded = new byte[samples.Length / 2];
        new G722Encoder().Encode(samples, encoded);
        return encoded;
    }

    private static double SignalToNoise(ReadOnlySpan<short> source, ReadOnlySpan<short> copy)
    {
        var (signal, noise) = (0.0, 0.0);
        for (var i = 0; i < source.Length; i++)
        {
            signal += (double)source[i] * source[i];
            noise += Math.Pow(source[i] - copy[i], 2);
        }

        return 10 * Math.Log10(signal / noise);
    }

    private static byte[] Bytes(string name) => File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "data", "codecs", name));

    private static short[] Samples(string name) => MemoryMarshal.Cast<byte, short>(Bytes(name)).ToArray();
}
