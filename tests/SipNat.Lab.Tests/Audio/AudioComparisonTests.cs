using SipNat.Lab.Tests.Scene;
using SipNat.NatLab.Audio;
using SipNat.NatLab.Processes;

namespace SipNat.Lab.Tests.Audio;

/// <summary>The measure that calls are judged by, held against faults of known size and a codec of another make.</summary>
public sealed class AudioComparisonTests
{
    private const int Rate = 8000;
    private static readonly TimeSpan Length = TimeSpan.FromSeconds(6);
    private static readonly short[] Reference = new SpeechSignal(1).Samples(Rate, Length);

    [Fact]
    public void The_signal_itself_matches_wholly_and_another_signal_not_at_all()
    {
        var same = AudioComparison.Of(Reference, Reference, Rate);
        var other = AudioComparison.Of(Reference, new SpeechSignal(2).Samples(Rate, Length), Rate);

        Assert.Equal((Length, TimeSpan.Zero, 0), (same.Matched, same.Offset, same.Cuts.Count));
        Assert.InRange(same.SnrDb, 90, double.MaxValue);
        Assert.Equal((TimeSpan.Zero, null), (other.Matched, other.Offset));
    }

    [Fact]
    public async Task Mu_law_of_another_make_has_the_noise_of_its_quantization()
    {
        await Laboratory.RequireAsync("python3");
        var file = Path.Combine(Path.GetTempPath(), $"sipnat-audio-{Guid.NewGuid():N}.wav");
        try
        {
            WaveFile.Write(file, Rate, Reference);
            const string Script =
                """
                import audioop, sys, wave
                with wave.open(sys.argv[1], "rb") as file:
                    samples = file.readframes(file.getnframes())
                with wave.open(sys.argv[1], "wb") as file:
                    file.setparams((1, 2, 8000, 0, "NONE", None))
                    file.writeframes(audioop.ulaw2lin(audioop.lin2ulaw(samples, 2), 2))
                """;
            await ShortCommand.RunAsync("python3", ["-W", "ignore", "-c", Script, file], stop: TestContext.Current.CancellationToken);
            var heard = WaveFile.Read(file);

            var found = AudioComparison.Of(Reference, Assert.Single(heard.Channels), heard.Rate);

            Assert.Equal((Length, TimeSpan.Zero, 0), (found.Matched, found.Offset, found.Cuts.Count));
            Assert.InRange(found.SnrDb, 36, 39);
            Assert.InRange(found.GainDb, -0.1, 0.1);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void Noise_and_loudness_are_told_apart_and_measured()
    {
        var noise = new SpeechSignal(3).Samples(Rate, Length);
        var scale = Math.Sqrt(Energy(Reference) / Energy(noise)) * Math.Pow(10, -30 / 20.0);
        short[] heard = [.. Reference.Zip(noise, (signal, other) => (short)Math.Round((signal + (scale * other)) / 2))];

        var found = AudioComparison.Of(Reference, heard, Rate);

        Assert.Empty(found.Cuts);
        Assert.InRange(found.SnrDb, 29.5, 30.5);
        Assert.InRange(found.GainDb, -6.1, -5.9);
    }

    [Fact]
    public void Silence_before_the_signal_is_its_offset_to_the_sample()
    {
        short[] late = [.. new short[1234], .. Reference];

        Assert.Equal(TimeSpan.FromSeconds(1234.0 / Rate), AudioComparison.Of(Reference, late, Rate).Offset);
        Assert.Equal(TimeSpan.FromSeconds(-1234.0 / Rate), AudioComparison.Of(Reference, Reference.AsSpan(1234), Rate).Offset);
    }

    [Fact]
    public void A_frame_of_silence_is_told_by_the_tenth_of_a_second_that_it_is_in()
    {
        short[] heard = [.. Reference];
        heard.AsSpan((4 * Rate) + 80, 160).Clear();

        var found = AudioComparison.Of(Reference, heard, Rate);

        Assert.Empty(found.Cuts);
        Assert.Equal(TimeSpan.FromSeconds(4), found.WorstAt);
        Assert.InRange(found.WorstDb, 3, 12);
        Assert.False(found.IsEqual(TimeSpan.Zero, leastSnrDb: 15));
    }

    [Theory]
    [InlineData(160)]
    [InlineData(1)]
    [InlineData(-160)]
    public void A_frame_too_few_or_too_many_is_one_cut(int missing)
    {
        const int Place = 3 * Rate;
        short[] heard = [.. Reference[..Place], .. Reference[(Place + missing)..]];

        var cut = Assert.Single(AudioComparison.Of(Reference, heard, Rate).Cuts);

        Assert.Equal(TimeSpan.FromSeconds((double)missing / Rate), cut.Skipped);
        Assert.InRange(cut.At.TotalSeconds, 2.9, 3.1);
    }

    [Fact]
    public void Silence_in_the_midst_is_a_gap_behind_which_nothing_is_shifted()
    {
        short[] heard = [.. Reference];
        heard.AsSpan(2 * Rate, Rate).Clear();

        var found = AudioComparison.Of(Reference, heard, Rate);

        Assert.Equal([new(TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(1), TimeSpan.Zero)], found.Cuts);
        Assert.Equal(TimeSpan.FromSeconds(5), found.Matched);
    }

    private static double Energy(short[] samples) => samples.Sum(sample => (double)sample * sample);
}
