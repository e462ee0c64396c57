using System.Numerics;

namespace SipNat.Media.Codecs;

/// <summary>
/// ITU-T G.711 in both laws, between one byte and one 16-bit linear sample. Linear samples are scaled to the full
/// 16 bits: the 14-bit values of µ-law (table 2) times 4, the 13-bit values of A-law (table 1) times 8.
/// </summary>
public static class G711
{
    // µ-law shifts the magnitude up by 33, so that each segment begins at a power of two.
    private const int MuLawBias = 33;
    private const int MuLawMaxBiased = 0x1FFF;
    private const int MantissaMask = 0x0F;
    private const int SegmentMask = 0x70;
    private const int SignBit = 0x80;

    // G.711 §3.1: the even bits of an A-law character are inverted on the line.
    private const int ALawEvenBits = 0x55;

    private static readonly short[] MuLawSamples = BuildTable(ExpandMuLaw);
    private static readonly short[] ALawSamples = BuildTable(ExpandALaw);

    /// <summary>Decodes one sample of each byte.</summary>
    /// <exception cref="ArgumentException"><paramref name="samples"/> is shorter than <paramref name="encoded"/>.</exception>
    public static void Decode(AudioCodec codec, ReadOnlySpan<byte> encoded, Span<short> samples)
    {
        if (samples.Length < encoded.Length) throw new ArgumentException("One sample is needed for each byte.", nameof(samples));

        var table = codec is AudioCodec.Pcmu ? MuLawSamples : ALawSamples;
        for (var i = 0; i < encoded.Length; i++) samples[i] = table[encoded[i]];
    }

    /// <summary>Encodes each sample to one byte.</summary>
    /// <exception cref="ArgumentException"><paramref name="encoded"/> is shorter than <paramref name="samples"/>.</exception>
    public static void Encode(AudioCodec codec, ReadOnlySpan<short> samples, Span<byte> encoded)
    {
        if (encoded.Length < samples.Length) throw new ArgumentException("One byte is needed for each sample.", nameof(encoded));

        for (var i = 0; i < samples.Length; i++) encoded[i] = Encode(codec, samples[i]);
    }

    public static short Decode(AudioCodec codec, byte encoded) =>
        (codec is AudioCodec.Pcmu ? MuLawSamples : ALawSamples)[encoded];

    public static byte Encode(AudioCodec codec, short sample) =>
        codec is AudioCodec.Pcmu ? CompressMuLaw(sample) : CompressALaw(sample);

    private static byte CompressMuLaw(short sample)
    {
        var magnitude = Math.Min((Magnitude(sample) >> 2) + MuLawBias, MuLawMaxBiased);
        var segment = BitOperations.Log2((uint)magnitude) - 5;
        var mantissa = (magnitude >> (segment + 1)) & MantissaMask;
        return (byte)~(Sign(sample < 0) | (segment << 4) | mantissa);
    }

    private static byte CompressALaw(short sample)
    {
        var magnitude = Magnitude(sample) >> 4;

        // The lowest two segments share one step size, so the first has no leading bit of its own.
        var segment = magnitude < 16 ? 0 : BitOperations.Log2((uint)magnitude) - 3;
        var mantissa = (magnitude >> Math.Max(segment - 1, 0)) & MantissaMask;
        return (byte)((Sign(sample >= 0) | (segment << 4) | mantissa) ^ ALawEvenBits);
    }

    private static short ExpandMuLaw(byte encoded)
    {
        var bits = ~encoded;
        var magnitude = ((((bits & MantissaMask) << 1) + MuLawBias) << ((bits & SegmentMask) >> 4)) - MuLawBias;
        return (short)(4 * ((bits & SignBit) == 0 ? magnitude : -magnitude));
    }

    private static short ExpandALaw(byte encoded)
    {
        var bits = encoded ^ ALawEvenBits;
        var segment = (bits & SegmentMask) >> 4;
        var middle = ((bits & MantissaMask) << 1) + 1;
        var magnitude = segment == 0 ? middle : (middle + 32) << (segment - 1);
        return (short)(8 * ((bits & SignBit) != 0 ? magnitude : -magnitude));
    }

    // The ones' complement makes both signs' decision values alike, and keeps -32768 in range.
    private static int Magnitude(short sample) => sample < 0 ? ~sample : sample;

    private static int Sign(bool set) => set ? SignBit : 0;

    private static short[] BuildTable(Func<byte, short> expand)
    {
        var table = new short[256];
        for (var i = 0; i < table.Length; i++) table[i] = expand((byte)i);
        return table;
    }
}
