namespace SipNat.Media.Codecs;

/// <summary>
/// ITU-T G.722 at 64 kbit/s, encoded: one byte of two samples of 16 bits at 16 kHz (RFC 3551 §4.5.2). One encoder for each
/// stream; nothing is allocated.
/// </summary>
public sealed class G722Encoder
{
    private readonly G722Band _lower = G722Band.Lower();
    private readonly G722Band _upper = G722Band.Upper();
    private readonly G722Filter _filter = new();

    /// <summary>Encodes each two samples to one byte.</summary>
    /// <param name="samples">An even number: packets of speech have whole milliseconds.</param>
    /// <exception cref="ArgumentException">The number is odd, or <paramref name="encoded"/> is shorter than half of it.</exception>
    public void Encode(ReadOnlySpan<short> samples, Span<byte> encoded)
    {
        if (samples.Length % 2 != 0) throw new ArgumentException("A byte has two samples.", nameof(samples));
        if (encoded.Length < samples.Length / 2) throw new ArgumentException("One byte is needed for each two samples.", nameof(encoded));

        for (var i = 0; i < samples.Length / 2; i++)
        {
            var (first, second) = _filter.Next(samples[2 * i], samples[(2 * i) + 1]);
            var low = EncodeLower((first + second) >> 14);
            encoded[i] = (byte)((EncodeUpper((second - first) >> 14) << 6) | low);
        }
    }

    private int EncodeLower(int sample)
    {
        var difference = G722Band.Saturate(sample - _lower.Prediction);
        var word = LowerWord(difference < 0, Magnitude(difference));
        _lower.Adapt((_lower.Scale * G722Tables.Quantum4[word >> 2]) >> 15, G722Tables.StepLow[word >> 2]);
        return word;
    }

    // Block QUANTL: positive differences count down from 61, negative ones from 31, where the first two are 63 and 62.
    private int LowerWord(bool isNegative, int magnitude)
    {
        var levels = G722Tables.DecisionLevels;
        var interval = 0;
        while (interval < levels.Length && magnitude >= (levels[interval] * _lower.Scale) >> 12) interval++;

        return (isNegative, interval) switch
        {
            (false, _) => 61 - interval,
            (true, < 2) => 63 - interval,
            (true, _) => 33 - interval,
        };
    }

    private int EncodeUpper(int sample)
    {
        var difference = G722Band.Saturate(sample - _upper.Prediction);
        var isOuter = Magnitude(difference) >= (G722Tables.DecisionLevelHigh * _upper.Scale) >> 12;
        var word = (difference < 0, isOuter) switch
        {
            (true, true) => 0,
            (true, false) => 1,
            (false, true) => 2,
            (false, false) => 3,
        };
        _upper.Adapt((_upper.Scale * G722Tables.Quantum2[word]) >> 15, G722Tables.StepHigh[word]);
        return word;
    }

    // The ones' complement, so that -1 lies in the same interval as 0.
    private static int Magnitude(int difference) => difference < 0 ? ~difference : difference;
}
