namespace SipNat.Tests.Endpoint.Calls;

/// <summary>Something like speech, the same in every run, and how far two signals are alike.</summary>
internal static class TestSignal
{
    /// <summary>A voice of modulated tones in spurts with pauses, as 16-bit samples.</summary>
    /// <param name="pauses">Whether it pauses: a third of each second.</param>
    public static short[] Speech(int sampleRate, TimeSpan length, bool pauses = true, int seed = 1)
    {
        var random = new Random(seed);
        var samples = new short[(int)(length.TotalSeconds * sampleRate)];
        for (var i = 0; i < samples.Length; i++)
        {
            var t = (double)i / sampleRate;
            var phase = (Math.Tau * 110 * t) - (30 / 0.7 * Math.Cos(Math.Tau * 0.7 * t));
            var voice = Math.Sin(phase) + (0.7 * Math.Sin(3 * phase)) + (0.4 * Math.Sin((7 * phase) + 1)) + (0.2 * Math.Sin(14 * phase));
            var syllable = 0.55 + (0.45 * Math.Sin(Math.Tau * 3.1 * t));
            var spurt = pauses && t % 1.0 > 0.66 ? 0 : 1;
            samples[i] = (short)((4000 * voice * syllable * spurt) + random.Next(-3, 4));
        }

        return samples;
    }

    /// <summary>
    /// How much of <paramref name="heard"/> is <paramref name="source"/>, in dB, at the offset that fits best.
    /// </summary>
    public static (int Offset, double Decibel) Compare(ReadOnlySpan<short> source, ReadOnlySpan<short> heard, int maxOffset)
    {
        var (best, bestProduct) = (0, double.MinValue);
        var length = Math.Min(source.Length, heard.Length - maxOffset);
        for (var offset = 0; offset <= maxOffset; offset++)
        {
            var product = 0.0;
            for (var i = 0; i < length; i += 3) product += (double)source[i] * heard[offset + i];
            if (product > bestProduct) (best, bestProduct) = (offset, product);
        }

        return (best, Decibel(source[..length], heard.Slice(best, length)));
    }

    public static double Decibel(ReadOnlySpan<short> source, ReadOnlySpan<short> heard)
    {
        var (signal, error) = (1e-9, 1e-9);
        for (var i = 0; i < source.Length; i++)
        {
            signal += (double)source[i] * source[i];
            error += Math.Pow((double)source[i] - heard[i], 2);
        }

        return 10 * Math.Log10(signal / error);
    }
}
