using SipNat.Media.Playout;

namespace SipNat.Media.Tones;

/// <summary>The sum of some sines, without a break from block to block.</summary>
public sealed class ToneGenerator
{
    /// <summary>Sines of one tone.</summary>
    public const int MaxFrequencies = 8;

    private readonly double[] _steps;
    private readonly double[] _phases;
    private readonly double _peak;

    /// <param name="sampleRate">Samples per second.</param>
    /// <param name="frequencies">In Hz, below half of the sample rate; the first <see cref="MaxFrequencies"/> sound.</param>
    /// <param name="level">Of each, in dBm0.</param>
    public ToneGenerator(int sampleRate, IReadOnlyList<double> frequencies, double level)
    {
        _steps = [.. frequencies.Take(MaxFrequencies).Select(f => Math.Tau * f / sampleRate)];
        _phases = new double[_steps.Length];
        _peak = AudioLevel.PeakOf(level);
    }

    /// <summary>The next samples.</summary>
    public void Fill(Span<short> samples)
    {
        for (var i = 0; i < samples.Length; i++)
        {
            var sum = 0.0;
            for (var k = 0; k < _steps.Length; k++)
            {
                sum += Math.Sin(_phases[k]);
                _phases[k] += _steps[k];
                if (_phases[k] > Math.Tau) _phases[k] -= Math.Tau;
            }

            samples[i] = (short)Math.Clamp(Math.Round(sum * _peak), short.MinValue, short.MaxValue);
        }
    }
}
