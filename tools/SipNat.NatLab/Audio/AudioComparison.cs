using System.Globalization;

namespace SipNat.NatLab.Audio;

/// <summary>
/// What was heard, held against what was played: each tenth of a second from the first sound on is looked for in the reference
/// by correlation. It knows nothing of the program under test.
/// </summary>
/// <param name="Heard">Length of what was heard, silence included.</param>
/// <param name="Matched">How much of it is in the reference.</param>
/// <param name="First">Where in what was heard the first match stands; null where nothing matches.</param>
/// <param name="Offset">Where in what was heard the reference begins, or would: below zero where its beginning was lost.</param>
/// <param name="SnrDb">Energy of the matched reference against what differs from it, loudness made equal, in dB.</param>
/// <param name="GainDb">How much louder than the reference it was heard.</param>
/// <param name="WorstDb">The same ratio of the tenth of a second where it is lowest: a single lost frame of 20 ms leaves less than 10 dB.</param>
/// <param name="WorstAt">Where in what was heard that is.</param>
/// <param name="Cuts">Every place between the first match and the last where the offset changes or nothing matches.</param>
public sealed record AudioComparison(
    TimeSpan Heard, TimeSpan Matched, TimeSpan? First, TimeSpan? Offset, double SnrDb, double GainDb, double WorstDb, TimeSpan WorstAt, IReadOnlyList<AudioCut> Cuts)
{
    /// <summary>A stretch that fits less well than this is not of the reference: noise of its own energy is on it.</summary>
    private const double LeastLikeness = 0.7;

    // Below that, in 16-bit samples (RMS), there is nothing to compare.
    private const short Silence = 20;

    // Between what any codec does to a tenth of a second and what a lost frame does.
    private const double LeastWorstDb = 15;
    private const double StretchesPerSecond = 10;
    private const int Nearby = 3;

    /// <summary>Whether at least so much was heard, without a cut and with codec error only.</summary>
    public bool IsEqual(TimeSpan least, double leastSnrDb) => Matched >= least && SnrDb >= leastSnrDb && WorstDb >= LeastWorstDb && Cuts.Count == 0;

    /// <summary>Whether at least so much was heard, cuts or not: where a fault is what matters, and not a frame that a busy machine was late with.</summary>
    public bool IsHeard(TimeSpan least) => Matched >= least;

    /// <param name="rate">Samples per second of both.</param>
    public static AudioComparison Of(short[] reference, ReadOnlySpan<short> heard, int rate)
    {
        var length = (int)(rate / StretchesPerSecond);
        var correlation = new Correlation(reference, length);
        var track = new Track(rate);
        var expected = 0;
        var begin = heard.IndexOfAnyExceptInRange((short)-Silence, (short)Silence);
        if (begin < 0) return track.Conclude(heard.Length);

        for (var at = begin; at + length <= heard.Length; at += length)
        {
            var stretch = heard.Slice(at, length);
            if (Math.Sqrt(Correlation.EnergyOf(stretch) / length) < Silence)
            {
                track.AddUnknown();
                expected += length;
                continue;
            }

            var fit = Find(correlation, stretch, expected, track.HasMatch);
            if (fit.Likeness < LeastLikeness) track.AddUnknown();
            else track.Add(at, length, fit, Correlation.EnergyOf(reference.AsSpan(fit.Position, length)), Correlation.EnergyOf(stretch));
            expected = (fit.Likeness < LeastLikeness ? expected : fit.Position) + length;
        }

        return track.Conclude(heard.Length);
    }

    public override string ToString() => First is null
        ? string.Create(CultureInfo.InvariantCulture, $"nothing of the reference in {Heard.TotalSeconds:F1} s")
        : string.Create(
            CultureInfo.InvariantCulture,
            $"{Matched.TotalSeconds:F1} of {Heard.TotalSeconds:F1} s match, offset {Offset!.Value.TotalMilliseconds:F1} ms, {SnrDb:F1} dB ({WorstDb:F1} dB at {WorstAt.TotalSeconds:F1} s), gain {GainDb:F1} dB, {Cuts.Count} cuts{string.Concat(Cuts.Take(5).Select(cut => $"; {cut}"))}");

    // Where the last stretch went on, or a few samples beside it; else anywhere.
    private static CorrelationFit Find(Correlation correlation, ReadOnlySpan<short> stretch, int expected, bool follows)
    {
        const double Good = 0.98;
        if (follows)
        {
            var near = correlation.At(expected, stretch);
            for (var beside = 1; beside <= Nearby && near.Likeness < Good; beside++)
            {
                foreach (var position in (ReadOnlySpan<int>)[expected - beside, expected + beside])
                {
                    var other = correlation.At(position, stretch);
                    if (other.Likeness > near.Likeness) near = other;
                }
            }

            if (near.Likeness >= Good) return near;

            var far = correlation.FindAnywhere(stretch);
            return far.Likeness > near.Likeness ? far : near;
        }

        return correlation.FindAnywhere(stretch);
    }

    /// <summary>The matches so far.</summary>
    private sealed class Track(int rate)
    {
        private readonly List<AudioCut> _cuts = [];
        private int? _first;
        private int _firstOffset;
        private int _offset;
        private int _lastEnd;
        private int _unknown;
        private long _matched;
        private double _signal;
        private double _error;
        private double _gain;
        private double _worst = double.MaxValue;
        private int _worstAt;

        public bool HasMatch => _first is not null;

        public void AddUnknown() => _unknown++;

        public void Add(int at, int length, CorrelationFit fit, double referenceEnergy, double heardEnergy)
        {
            var offset = at - fit.Position;
            if (_first is null) (_first, _firstOffset) = (at, offset);
            else if (_unknown > 0 || offset != _offset) _cuts.Add(new(Time(_lastEnd), Time(at - _lastEnd), Time(_offset - offset)));

            (_offset, _lastEnd, _unknown) = (offset, at + length, 0);
            _matched += length;
            _gain += fit.Gain * length;
            // Both in units of the reference: what is left of the stretch beside the multiplied reference.
            _signal += referenceEnergy;
            var error = heardEnergy * Math.Max(0, 1 - (fit.Likeness * fit.Likeness)) / (fit.Gain * fit.Gain);
            _error += error;
            if (Ratio(referenceEnergy, error) < _worst) (_worst, _worstAt) = (Ratio(referenceEnergy, error), at);
        }

        public AudioComparison Conclude(int heard) => _first is not { } first
            ? new(Time(heard), TimeSpan.Zero, null, null, 0, 0, 0, TimeSpan.Zero, [])
            : new(Time(heard), Time(_matched), Time(first), Time(_firstOffset), Ratio(_signal, _error), 20 * Math.Log10(_gain / _matched), _worst, Time(_worstAt), _cuts);

        private static double Ratio(double signal, double error) => 10 * Math.Log10(signal / Math.Max(error, 1e-9));

        private TimeSpan Time(long samples) => TimeSpan.FromSeconds((double)samples / rate);
    }
}

/// <summary>A place where what was heard does not go on as the reference does.</summary>
/// <param name="At">Where in what was heard.</param>
/// <param name="Gap">How long nothing matched there, in steps of a tenth of a second.</param>
/// <param name="Skipped">How much of the reference is missing beyond that; below zero where something was put in or played twice.</param>
public sealed record AudioCut(TimeSpan At, TimeSpan Gap, TimeSpan Skipped)
{
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"at {At.TotalSeconds:F1} s {Gap.TotalMilliseconds:F0} ms unlike, {Skipped.TotalMilliseconds:F2} ms skipped");
}
