namespace SipNat.NatLab.Audio;

/// <summary>
/// A signal that is like speech to a codec and like nothing else to a correlation: modulated tones and bursts of noise
/// between 200 and 3400 Hz, never silent, no two stretches alike. It is a function of time, so that it can be had at any
/// sample rate, and the same seed gives the same signal.
/// </summary>
public sealed class SpeechSignal
{
    private const int Voices = 5;
    private const int NoiseTones = 10;
    private const double VoiceLevel = 2200;
    private const double NoiseLevel = 900;
    private const double BurstSeconds = 0.06;
    private const double BurstPeriod = 0.25;

    private readonly Voice[] _voices;
    private readonly ulong _seed;

    /// <param name="seed">Two signals of different seeds have nothing in common.</param>
    public SpeechSignal(int seed)
    {
        _seed = (ulong)seed * 0x9E3779B97F4A7C15UL + 0xD1B54A32D192ED03UL;
        var state = _seed;
        _voices = new Voice[Voices];
        for (var voice = 0; voice < Voices; voice++)
        {
            _voices[voice] = new(
                Range(ref state, 250, 1500), Range(ref state, 20, 90), Range(ref state, 0.9, 5.3), Range(ref state, 0.6, 4.1), Range(ref state, 0, Math.Tau));
        }
    }

    /// <summary>Samples from the beginning.</summary>
    /// <param name="rate">Samples per second.</param>
    public short[] Samples(int rate, TimeSpan length)
    {
        var samples = new short[(int)(length.TotalSeconds * rate)];
        for (var burst = 0; burst * BurstPeriod < length.TotalSeconds; burst++) AddBurst(samples, rate, burst);
        for (var at = 0; at < samples.Length; at++) samples[at] = (short)(samples[at] + Tones((double)at / rate));
        return samples;
    }

    private double Tones(double time)
    {
        var sum = 0.0;
        foreach (var voice in _voices) sum += voice.At(time);
        return VoiceLevel * sum;
    }

    // Each burst has its own place within its quarter of a second, and its own tones close enough together to be noise.
    private void AddBurst(short[] samples, int rate, int burst)
    {
        var state = _seed ^ ((ulong)(burst + 1) * 0xBF58476D1CE4E5B9UL);
        var begin = (burst * BurstPeriod) + Range(ref state, 0, BurstPeriod - BurstSeconds);
        Span<(double Frequency, double Phase)> tones = stackalloc (double, double)[NoiseTones];
        foreach (ref var tone in tones) tone = (Range(ref state, 300, 3300), Range(ref state, 0, Math.Tau));
        for (var at = (int)Math.Ceiling(begin * rate); at < samples.Length && at < (begin + BurstSeconds) * rate; at++)
        {
            var time = ((double)at / rate) - begin;
            var sum = 0.0;
            foreach (var (frequency, phase) in tones) sum += Math.Sin((Math.Tau * frequency * time) + phase);
            samples[at] = (short)(NoiseLevel * sum * Math.Pow(Math.Sin(Math.PI * time / BurstSeconds), 2));
        }
    }

    private static double Range(ref ulong state, double low, double high) => low + ((high - low) * (Next(ref state) >> 11) * Math.Pow(2, -53));

    // splitmix64, so that the signal is the same with every version of the runtime.
    private static ulong Next(ref ulong state)
    {
        state += 0x9E3779B97F4A7C15UL;
        var mixed = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9UL;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBUL;
        return mixed ^ (mixed >> 31);
    }

    /// <summary>A tone whose pitch wanders and whose loudness rises and falls as syllables do.</summary>
    private readonly record struct Voice(double Frequency, double Sweep, double SweepRate, double SyllableRate, double Phase)
    {
        public double At(double time)
        {
            var angle = (Math.Tau * Frequency * time) + (Sweep / SweepRate * Math.Sin(Math.Tau * SweepRate * time)) + Phase;
            return Math.Sin(angle) * (0.6 + (0.4 * Math.Sin((Math.Tau * SyllableRate * time) + Phase)));
        }
    }
}
