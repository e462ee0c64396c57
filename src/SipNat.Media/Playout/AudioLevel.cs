namespace SipNat.Media.Playout;

/// <summary>How loud samples are.</summary>
public static class AudioLevel
{
    /// <summary>What is quieter counts as silence, in dBm0: a quiet room is louder, and an idle channel is not.</summary>
    public const double SilentBelow = -50;

    /// <summary>What digital silence is told as, in dBm0: less than one quantizing step.</summary>
    public const double Floor = -96;

    // G.711: a sine of 0 dBm0 peaks 3.14 dB below the largest value of A-law.
    private const double PeakOfZero = 32768 / 1.435;

    /// <summary>The peak value of a sine of a level in dBm0.</summary>
    public static double PeakOf(double dBm0) => PeakOfZero * Math.Pow(10, dBm0 / 20);

    /// <summary>The level in dBm0; <see cref="Floor"/> where there is nothing.</summary>
    public static double Of(ReadOnlySpan<short> samples)
    {
        if (samples.IsEmpty) return Floor;

        var sum = 0.0;
        foreach (var sample in samples) sum += (double)sample * sample;
        var rms = Math.Sqrt(2 * sum / samples.Length);
        return rms <= 0 ? Floor : Math.Max(Floor, 20 * Math.Log10(rms / PeakOfZero));
    }
}
