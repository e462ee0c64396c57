using System.Numerics;

namespace SipNat.Media.Codecs;

/// <summary>
/// Changes the sample rate of one channel by any ratio: a sinc low-pass under a Kaiser window, in one phase for each place
/// that an output sample can have between two input samples. What the lower of the two rates cannot carry is at least
/// 60 dB down, and what lies below 0.42 of it passes unchanged. State of one stream; nothing is allocated after set-up.
/// </summary>
/// <remarks>
/// Output sample n stands for the time of input sample n · in / out: there is no delay in the samples, but the last ones
/// need what comes after them (<see cref="Lookahead"/>).
/// </remarks>
public sealed class Resampler
{
    // In periods of the lower rate. With this window they take the response from 0.42 to 0.5 of that rate.
    private const int HalfWidth = 36;
    private const double Cutoff = 0.46;
    private const double KaiserBeta = 7.857; // 80 dB

    private const int BlockLength = 512;
    private const int MinRate = 1000;
    private const int MaxRate = 192_000;

    private readonly int _phases;
    private readonly int _step;
    private readonly int _taps;
    private readonly float[] _coefficients;
    private readonly float[] _window;
    private int _filled;
    private int _position;
    private int _phase;

    /// <param name="inputRate">Samples per second, 1000 to 192,000.</param>
    /// <param name="outputRate">The same; a table of about 72 coefficients is made for each step of the reduced ratio.</param>
    public Resampler(int inputRate, int outputRate)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(inputRate, MinRate);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(inputRate, MaxRate);
        ArgumentOutOfRangeException.ThrowIfLessThan(outputRate, MinRate);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(outputRate, MaxRate);

        var divisor = (int)BigInteger.GreatestCommonDivisor(inputRate, outputRate);
        (_phases, _step) = (outputRate / divisor, inputRate / divisor);
        var scale = Math.Min(1.0, (double)outputRate / inputRate);
        Lookahead = (int)Math.Ceiling(HalfWidth / scale);

        // Rounded up with zeros, so that each phase is whole vectors.
        _taps = (2 * Lookahead) + Vector<float>.Count - 1;
        _taps -= _taps % Vector<float>.Count;
        _coefficients = BuildTable(_phases, _taps, Lookahead, scale);
        _window = new float[_taps + BlockLength];
        _filled = Lookahead - 1;
    }

    /// <summary>Input samples after the last one, zeros at the end of a stream, that the last output samples need.</summary>
    public int Lookahead { get; }

    /// <summary>The most samples that so many input samples bring out.</summary>
    public int MaxOutput(int inputLength) => (int)((((long)inputLength + 1) * _phases / _step) + 1);

    /// <summary>Takes all of the input and returns how many samples of output it gave.</summary>
    /// <param name="output">At least <see cref="MaxOutput"/> samples.</param>
    public int Process(ReadOnlySpan<short> input, Span<short> output)
    {
        if (output.Length < MaxOutput(input.Length)) throw new ArgumentException("The output does not fit.", nameof(output));

        var written = 0;
        while (!input.IsEmpty)
        {
            var count = Math.Min(input.Length, _window.Length - _filled);
            for (var i = 0; i < count; i++) _window[_filled + i] = input[i];
            _filled += count;
            input = input[count..];
            written += Drain(output[written..]);
        }

        return written;
    }

    private int Drain(Span<short> output)
    {
        var written = 0;
        while (_position + _taps <= _filled)
        {
            output[written++] = Sample(_window.AsSpan(_position, _taps), _coefficients.AsSpan(_phase * _taps, _taps));
            _phase += _step;
            _position += _phase / _phases;
            _phase %= _phases;
        }

        // A large step may leave its place beyond what is there: the rest of it is made later.
        var used = Math.Min(_position, _filled);
        _window.AsSpan(used, _filled - used).CopyTo(_window);
        (_filled, _position) = (_filled - used, _position - used);
        return written;
    }

    private static short Sample(ReadOnlySpan<float> samples, ReadOnlySpan<float> coefficients)
    {
        var sum = Vector<float>.Zero;
        for (var i = 0; i < coefficients.Length; i += Vector<float>.Count)
        {
            sum += new Vector<float>(samples[i..]) * new Vector<float>(coefficients[i..]);
        }

        return (short)Math.Clamp(MathF.Round(Vector.Sum(sum)), short.MinValue, short.MaxValue);
    }

    // Tap k of a phase weighs the input sample k + 1 - half from the one before the output's place.
    private static float[] BuildTable(int phases, int taps, int half, double scale)
    {
        var table = new float[phases * taps];
        for (var phase = 0; phase < phases; phase++)
        {
            var row = table.AsSpan(phase * taps, taps);
            var total = 0.0;
            for (var k = 0; k < 2 * half; k++)
            {
                var distance = k + 1 - half - ((double)phase / phases);
                var value = Sinc(2 * Cutoff * scale * distance) * Kaiser(distance / half);
                row[k] = (float)value;
                total += value;
            }

            // Each phase passes a constant unchanged; else their differences would be heard as a tone.
            for (var k = 0; k < 2 * half; k++) row[k] = (float)(row[k] / total);
        }

        return table;
    }

    private static double Sinc(double x) => x == 0 ? 1 : Math.Sin(Math.PI * x) / (Math.PI * x);

    private static double Kaiser(double x) => Math.Abs(x) >= 1 ? 0 : Bessel(KaiserBeta * Math.Sqrt(1 - (x * x))) / Bessel(KaiserBeta);

    // The modified Bessel function of the first kind and order zero, by its series.
    private static double Bessel(double x)
    {
        var (sum, term) = (1.0, 1.0);
        for (var k = 1; term > sum * 1e-12; k++)
        {
            term *= x / (2 * k) * (x / (2 * k));
            sum += term;
        }

        return sum;
    }
}
