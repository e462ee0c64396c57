namespace SipNat.Media.Codecs;

/// <summary>
/// ITU-T G.722 at 64 kbit/s, decoded: 16,000 samples of 16 bits per second, two of each byte. RTP counts its time in 8000
/// units a second all the same (RFC 3551 §4.5.2). One decoder for each stream; nothing is allocated.
/// </summary>
public sealed class G722Decoder
{
    private const int MaxBand = 16383;

    private readonly G722Band _lower = G722Band.Lower();
    private readonly G722Band _upper = G722Band.Upper();
    private readonly G722Filter _filter = new();

    /// <summary>Decodes two samples of each byte.</summary>
    /// <exception cref="ArgumentException"><paramref name="samples"/> is shorter than twice <paramref name="encoded"/>.</exception>
    public void Decode(ReadOnlySpan<byte> encoded, Span<short> samples)
    {
        if (samples.Length < 2 * encoded.Length) throw new ArgumentException("Two samples are needed for each byte.", nameof(samples));

        for (var i = 0; i < encoded.Length; i++)
        {
            var low = DecodeLower(encoded[i] & 0x3F);
            var high = DecodeUpper(encoded[i] >> 6);
            var (sums, differences) = _filter.Next(low + high, low - high);
            samples[2 * i] = (short)G722Band.Saturate(differences >> 11);
            samples[(2 * i) + 1] = (short)G722Band.Saturate(sums >> 11);
        }
    }

    private int DecodeLower(int word)
    {
        var value = _lower.Prediction + ((_lower.Scale * G722Tables.Quantum6[word]) >> 15);

        // The predictor goes by four bits, as the lower two may be taken for data on the way (§1.2, modes 2 and 3).
        _lower.Adapt((_lower.Scale * G722Tables.Quantum4[word >> 2]) >> 15, G722Tables.StepLow[word >> 2]);
        return Math.Clamp(value, -MaxBand - 1, MaxBand);
    }

    private int DecodeUpper(int word)
    {
        var difference = (_upper.Scale * G722Tables.Quantum2[word]) >> 15;
        var value = _upper.Prediction + difference;
        _upper.Adapt(difference, G722Tables.StepHigh[word]);
        return Math.Clamp(value, -MaxBand - 1, MaxBand);
    }
}
