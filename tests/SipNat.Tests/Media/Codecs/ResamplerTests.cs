using SipNat.Media.Codecs;

namespace SipNat.Tests.Media.Codecs;

public class ResamplerTests
{
    private const double Amplitude = 20_000;

    [Theory]
    [InlineData(8000, 16_000, 3300)]
    [InlineData(16_000, 8000, 3300)]
    [InlineData(8000, 48_000, 1000)]
    [InlineData(8000, 44_100, 3000)]
    [InlineData(44_100, 16_000, 6600)]
    [InlineData(11_025, 48_000, 4500)]
    [InlineData(48_000, 8000, 440)]
    [InlineData(16_000, 16_000, 5000)]
    public void A_tone_comes_out_as_the_same_tone_at_the_same_time(int from, int to, double frequency)
    {
        var output = Convert(from, to, Tone(frequency, from, from / 2));

        Assert.Equal(((long)(from / 2) * to / from) + 1, output.Length);
        Assert.InRange(ErrorOf(output, Tone(frequency, to, output.Length)), double.NegativeInfinity, -60);
    }

    [Theory]
    [InlineData(16_000, 8000, 4050)]
    [InlineData(16_000, 8000, 5000)]
    [InlineData(16_000, 8000, 7900)]
    [InlineData(48_000, 8000, 4100)]
    [InlineData(48_000, 8000, 23_000)]
    [InlineData(44_100, 16_000, 8100)]
    [InlineData(44_100, 16_000, 20_000)]
    public void A_tone_that_the_lower_rate_cannot_carry_is_60_dB_down(int from, int to, double frequency)
    {
        var output = Convert(from, to, Tone(frequency, from, from / 2));

        Assert.InRange(Level(Middle(output)) - Level(Tone(1000, to, to)), double.NegativeInfinity, -60);
    }

    [Theory]
    [InlineData(8000, 16_000, 3300)]
    [InlineData(8000, 44_100, 3300)]
    [InlineData(16_000, 48_000, 6600)]
    public void Images_above_the_input_are_60_dB_down(int from, int to, double frequency)
    {
        // What is left when the tone is taken out is what the filter let through of its images.
        var output = Convert(from, to, Tone(frequency, from, from / 2));
        var image = Middle(output).Zip(Middle(Tone(frequency, to, output.Length)), (left, right) => (short)(left - right)).ToArray();

        Assert.InRange(Level(image) - Level(Tone(frequency, to, to)), double.NegativeInfinity, -60);
    }

    [Fact]
    public void A_constant_stays_the_same_constant_in_every_phase()
    {
        var output = Convert(8000, 44_100, [.. Enumerable.Repeat((short)12_345, 4000)]);

        Assert.All(Middle(output), sample => Assert.Equal(12_345, sample));
    }

    [Fact]
    public void The_loudest_square_wave_is_clipped_and_does_not_wrap()
    {
        var output = Convert(8000, 16_000, [.. Enumerable.Range(0, 4000).Select(i => i / 20 % 2 == 0 ? short.MaxValue : short.MinValue)]);

        for (var i = 420; i < 7900; i += 40) Assert.Equal(i / 40 % 2 == 0 ? 1 : -1, Math.Sign(output[i]));
    }

    [Theory]
    [InlineData(8000, 16_000)]
    [InlineData(44_100, 8000)]
    [InlineData(192_000, 1000)]
    public void Pieces_of_any_size_give_the_same_samples_as_one(int from, int to)
    {
        var input = Tone(440, from, 20_000);
        var whole = Process(new Resampler(from, to), input, 20_000);
        var random = new Random(5);

        for (var round = 0; round < 5; round++) Assert.Equal(whole, Process(new Resampler(from, to), input, random.Next(1, 700)));
    }

    [Fact]
    public void A_rate_out_of_range_is_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new Resampler(999, 8000));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Resampler(8000, 192_001));
    }

    [Fact]
    public void Resampling_allocates_nothing()
    {
        var resampler = new Resampler(8000, 44_100);
        var (input, output) = (new short[160], new short[resampler.MaxOutput(160)]);

        Assert.Equal(0, Allocation.Of(() => resampler.Process(input, output)));
    }

    // With the zeros that the end needs, and one more.
    private static short[] Convert(int from, int to, short[] input)
    {
        var resampler = new Resampler(from, to);
        var output = Process(resampler, [.. input, .. new short[2 * resampler.Lookahead]], 1000);
        return output[..((int)((long)input.Length * to / from) + 1)];
    }

    private static short[] Process(Resampler resampler, short[] input, int piece)
    {
        var output = new List<short>();
        var room = new short[resampler.MaxOutput(piece)];
        foreach (var chunk in input.Chunk(piece)) output.AddRange(room[..resampler.Process(chunk, room)]);
        return [.. output];
    }

    private static short[] Tone(double frequency, int rate, int length) =>
        [.. Enumerable.Range(0, length).Select(i => (short)Math.Round(Amplitude * Math.Sin(2 * Math.PI * frequency * i / rate)))];

    // The edges are steps of the tone, which no filter leaves as they are.
    private static short[] Middle(short[] samples) => samples[(samples.Length / 4)..(samples.Length * 3 / 4)];

    private static double ErrorOf(short[] actual, short[] expected) =>
        Level([.. Middle(actual).Zip(Middle(expected), (left, right) => (short)(left - right))]) - Level(Middle(expected));

    private static double Level(short[] samples) => 10 * Math.Log10(samples.Average(sample => (double)sample * sample) + 1e-9);
}
