using SipNat.Media.Codecs;
using SipNat.Media.Tones;

namespace SipNat.Tests.Media.Tones;

/// <summary>ITU-T Q.24, with tones from sines written down here.</summary>
public sealed class DtmfDetectorTests
{
    private static readonly Dictionary<char, (double Row, double Column)> Pad = new()
    {
        ['1'] = (697, 1209),
        ['2'] = (697, 1336),
        ['3'] = (697, 1477),
        ['A'] = (697, 1633),
        ['4'] = (770, 1209),
        ['5'] = (770, 1336),
        ['6'] = (770, 1477),
        ['B'] = (770, 1633),
        ['7'] = (852, 1209),
        ['8'] = (852, 1336),
        ['9'] = (852, 1477),
        ['C'] = (852, 1633),
        ['*'] = (941, 1209),
        ['0'] = (941, 1336),
        ['#'] = (941, 1477),
        ['D'] = (941, 1633),
    };

    [Theory]
    [InlineData(8000)]
    [InlineData(16_000)]
    [InlineData(48_000)]
    public void Every_key_is_heard_once_in_noise(int sampleRate)
    {
        const string Keys = "123A456B789C*0#D1122";
        var line = new Line(sampleRate, noise: 150);
        foreach (var key in Keys) line.Press(key, 60).Pause(60);

        var heard = line.Detect();
        Assert.Equal(Keys, string.Concat(heard.Select(h => h.Key)));
        Assert.All(heard, h => Assert.InRange(h.Duration.TotalMilliseconds, 35, 80));
    }

    [Fact]
    public void A_press_of_40_ms_is_heard_and_one_of_20_ms_is_not()
    {
        var line = new Line(8000);
        for (var i = 0; i < 50; i++) line.Pause(40 + (i * 0.37)).Press('5', 40);
        Assert.Equal(50, line.Pause(50).Detect().Count);

        line = new(8000);
        for (var i = 0; i < 50; i++) line.Pause(40 + (i * 0.37)).Press('5', 20);
        Assert.Empty(line.Pause(50).Detect());
    }

    [Theory]
    [InlineData(1.5, true)]
    [InlineData(-1.5, true)]
    [InlineData(3.5, false)]
    [InlineData(-3.5, false)]
    public void Tones_that_are_off_by_one_and_a_half_per_cent_count_and_by_three_and_a_half_do_not(double percent, bool isHeard)
    {
        foreach (var key in Pad.Keys)
        {
            var heard = new Line(8000).Press(key, 100, off: percent).Pause(60).Detect();
            Assert.Equal(isHeard ? [key] : [], heard.Select(h => h.Key));
        }
    }

    [Theory]
    [InlineData(3.5, true)]
    [InlineData(-7.5, true)]
    [InlineData(9, false)]
    [InlineData(-13, false)]
    public void Of_both_tones_one_may_be_weaker_within_limits(double columnOverRow, bool isHeard)
    {
        foreach (var key in Pad.Keys)
        {
            var heard = new Line(8000).Press(key, 100, twist: columnOverRow).Pause(60).Detect();
            Assert.Equal(isHeard ? [key] : [], heard.Select(h => h.Key));
        }
    }

    [Theory]
    [InlineData(-25, true)]
    [InlineData(-50, false)]
    public void Faint_tones_do_not_count(double decibel, bool isHeard) =>
        Assert.Equal(isHeard ? "7" : "", string.Concat(new Line(8000).Press('7', 100, level: decibel).Pause(60).Detect().Select(h => h.Key)));

    [Fact]
    public void One_tone_alone_three_of_them_and_a_dial_tone_are_no_keys()
    {
        foreach (var tones in (double[][])[[697], [1209], [697, 770, 1209], [350, 440], [440, 480], [697, 1209, 2000], [1400, 2060], [941, 1336, 425]])
        {
            var line = new Line(8000);
            line.Sound(500, tones);
            Assert.Empty(line.Pause(100).Detect());
        }
    }

    [Fact]
    public void Minutes_of_sung_vowels_hardly_ever_press_a_key()
    {
        var detector = new DtmfDetector(8000);
        var random = new Random(8);
        var pressed = "";
        for (var second = 0; second < 200; second++)
        {
            detector.Process(Voice(random));
            while (detector.TryTake(out var heard)) pressed += heard.Key;
        }

        // Vowels that are held for a second are worse than speech: their harmonics stand where tones do.
        Assert.InRange(pressed.Length, 0, 2);
    }

    [Fact]
    public void Dropouts_in_a_press_do_not_make_two_of_it()
    {
        var line = new Line(8000);
        line.Press('9', 60).Pause(8).Press('9', 60).Pause(100);
        Assert.Single(line.Detect());
    }

    [Fact]
    public void Keys_come_through_g711()
    {
        var line = new Line(8000).Press('#', 50).Pause(50).Press('A', 50).Pause(50);
        var samples = line.Samples.Select(s => G711.Decode(AudioCodec.Pcmu, G711.Encode(AudioCodec.Pcmu, s))).ToArray();
        Assert.Equal("#A", string.Concat(Line.Detect(8000, samples).Select(h => h.Key)));
    }

    [Fact]
    public void Looking_for_keys_takes_no_memory()
    {
        var (detector, samples) = (new DtmfDetector(8000), new short[160]);
        Assert.Equal(0, Allocation.Of(() =>
        {
            for (var i = 0; i < 50; i++) detector.Process(samples);
        }));
    }

    // A vowel with harmonics of a pitch that glides, formants at random.
    private static short[] Voice(Random random)
    {
        var samples = new short[8000];
        var (pitch, glide) = (80 + (random.NextDouble() * 200), (random.NextDouble() - 0.5) * 100);
        var formants = new[] { 300 + (random.NextDouble() * 600), 900 + (random.NextDouble() * 1300), 2200 + (random.NextDouble() * 900) };
        var phase = 0.0;
        for (var i = 0; i < samples.Length; i++)
        {
            var frequency = pitch + (glide * i / samples.Length);
            phase += Math.Tau * frequency / 8000;
            var sum = 0.0;
            for (var harmonic = 1; harmonic * frequency < 3400; harmonic++)
            {
                var gain = formants.Sum(f => 1 / (1 + Math.Pow(((harmonic * frequency) - f) / 90, 2)));
                sum += gain * Math.Sin(harmonic * phase);
            }

            samples[i] = (short)Math.Clamp(5000 * sum, short.MinValue, short.MaxValue);
        }

        return samples;
    }

    private sealed class Line(int sampleRate, int noise = 0)
    {
        private readonly List<short> _samples = [];
        private readonly Random _random = new(1);

        public IReadOnlyList<short> Samples => _samples;

        public Line Press(char key, double milliseconds, double off = 0, double twist = 0, double level = -10)
        {
            var (row, column) = Pad[key];
            var amplitude = 22_800 * Math.Pow(10, level / 20);
            var (low, high) = (amplitude * Math.Pow(10, Math.Min(0, -twist) / 20), amplitude * Math.Pow(10, Math.Min(0, twist) / 20));
            return Add(milliseconds, t => (low * Math.Sin(Math.Tau * row * (1 + (off / 100)) * t)) + (high * Math.Sin((Math.Tau * column * (1 + (off / 100)) * t) + 1)));
        }

        public void Sound(double milliseconds, double[] tones) => Add(milliseconds, t => tones.Sum(f => 5000 * Math.Sin(Math.Tau * f * t)));

        public Line Pause(double milliseconds) => Add(milliseconds, _ => 0);

        public List<DtmfHeard> Detect() => Detect(sampleRate, [.. _samples]);

        public static List<DtmfHeard> Detect(int sampleRate, ReadOnlySpan<short> samples)
        {
            var detector = new DtmfDetector(sampleRate);
            for (; samples.Length > 0; samples = samples[Math.Min(samples.Length, sampleRate / 50)..]) detector.Process(samples[..Math.Min(samples.Length, sampleRate / 50)]);
            var heard = new List<DtmfHeard>();
            while (detector.TryTake(out var key)) heard.Add(key);
            return heard;
        }

        private Line Add(double milliseconds, Func<double, double> sound)
        {
            for (var i = 0; i < milliseconds * sampleRate / 1000; i++) _samples.Add((short)(sound((double)i / sampleRate) + _random.Next(-noise, noise + 1)));
            return this;
        }
    }
}
