using System.Numerics;

namespace SipNat.NatLab.Audio;

/// <summary>Where in a reference a stretch of samples fits best, whatever its loudness.</summary>
internal sealed class Correlation
{
    private readonly short[] _reference;
    private readonly double[] _energy;
    private readonly Complex[] _spectrum;

    public Correlation(short[] reference, int longestStretch)
    {
        _reference = reference;
        _energy = new double[reference.Length + 1];
        for (var at = 0; at < reference.Length; at++) _energy[at + 1] = _energy[at] + ((double)reference[at] * reference[at]);

        _spectrum = new Complex[(int)BitOperations.RoundUpToPowerOf2((uint)(reference.Length + longestStretch))];
        for (var at = 0; at < reference.Length; at++) _spectrum[at] = reference[at];
        Transform(_spectrum);
    }

    /// <summary>The best place of all.</summary>
    public CorrelationFit FindAnywhere(ReadOnlySpan<short> stretch)
    {
        var product = new Complex[_spectrum.Length];
        for (var at = 0; at < stretch.Length; at++) product[at] = stretch[at];
        Transform(product);
        // The inverse transform of X·conj(Y) is the conjugate of the transform of conj(X)·Y, divided by the length.
        for (var at = 0; at < product.Length; at++) product[at] = Complex.Conjugate(_spectrum[at]) * product[at];
        Transform(product);

        var energy = EnergyOf(stretch);
        var best = new CorrelationFit(0, 0, 0);
        for (var at = 0; at + stretch.Length <= _reference.Length; at++)
        {
            var fit = Fit(at, product[at].Real / product.Length, stretch.Length, energy);
            if (fit.Likeness > best.Likeness) best = fit;
        }

        return best;
    }

    /// <summary>How well a stretch fits one place; not at all where the reference does not reach as far.</summary>
    public CorrelationFit At(int position, ReadOnlySpan<short> stretch)
    {
        if (position < 0 || position + stretch.Length > _reference.Length) return new(position, 0, 0);

        var sum = 0.0;
        for (var at = 0; at < stretch.Length; at++) sum += (double)stretch[at] * _reference[position + at];
        return Fit(position, sum, stretch.Length, EnergyOf(stretch));
    }

    public static double EnergyOf(ReadOnlySpan<short> samples)
    {
        var sum = 0.0;
        foreach (var sample in samples) sum += (double)sample * sample;
        return sum;
    }

    private CorrelationFit Fit(int position, double product, int length, double energy)
    {
        var reference = _energy[position + length] - _energy[position];
        return energy is 0 || reference <= 0 || product <= 0 ? new(position, 0, 0) : new(position, product / Math.Sqrt(reference * energy), product / reference);
    }

    // The plain decimation-in-time transform: bits reversed, then butterflies.
    private static void Transform(Complex[] values)
    {
        var bits = BitOperations.Log2((uint)values.Length);
        for (var at = 0; at < values.Length; at++)
        {
            var other = 0;
            for (var bit = 0; bit < bits; bit++) other |= ((at >> bit) & 1) << (bits - 1 - bit);
            if (other > at) (values[at], values[other]) = (values[other], values[at]);
        }

        for (var half = 1; half < values.Length; half *= 2)
        {
            for (var turn = 0; turn < half; turn++)
            {
                var factor = Complex.FromPolarCoordinates(1, -Math.PI * turn / half);
                for (var at = turn; at < values.Length; at += 2 * half)
                {
                    var (even, odd) = (values[at], values[at + half] * factor);
                    (values[at], values[at + half]) = (even + odd, even - odd);
                }
            }
        }
    }
}

/// <summary>A stretch against a place in the reference.</summary>
/// <param name="Position">Sample of the reference.</param>
/// <param name="Likeness">The normalized correlation, 0 to 1.</param>
/// <param name="Gain">What the reference is multiplied by to be nearest to the stretch.</param>
internal readonly record struct CorrelationFit(int Position, double Likeness, double Gain);
