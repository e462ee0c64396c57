namespace SipNat.Bench.Audio;

/// <summary>ITU-T G.711 between 16-bit linear samples and companded bytes.</summary>
public static class G711Codec
{
    private const int MuLawBias = 0x84;
    private const int MuLawClip = 32_635;

    public static byte Encode(G711Variant variant, short sample) =>
        variant is G711Variant.Pcmu ? EncodeMuLaw(sample) : EncodeALaw(sample);

    public static short Decode(G711Variant variant, byte value) =>
        variant is G711Variant.Pcmu ? DecodeMuLaw(value) : DecodeALaw(value);

    private static byte EncodeMuLaw(short sample)
    {
        var sign = sample < 0 ? 0x80 : 0;
        var magnitude = Math.Min(Math.Abs((int)sample), MuLawClip) + MuLawBias;
        var segment = 24 - int.LeadingZeroCount(magnitude);
        var step = (magnitude >> (segment + 3)) & 0x0F;
        return (byte)~(sign | (segment << 4) | step);
    }

    private static short DecodeMuLaw(byte value)
    {
        var bits = ~value & 0xFF;
        var segment = (bits >> 4) & 0x07;
        var magnitude = ((((bits & 0x0F) << 3) + MuLawBias) << segment) - MuLawBias;
        return (short)((bits & 0x80) != 0 ? -magnitude : magnitude);
    }

    // Even bits are inverted on the line, hence 0x55; the sign bit is set for positive values.
    private static byte EncodeALaw(short sample)
    {
        var positive = sample >= 0;
        var magnitude = (positive ? sample : ~sample) >> 3;
        var segment = Math.Max(0, 27 - int.LeadingZeroCount(magnitude | 1));
        var step = segment == 0 ? magnitude >> 1 : magnitude >> segment;
        var bits = (segment << 4) | (step & 0x0F);
        return (byte)((positive ? bits | 0x80 : bits) ^ 0x55);
    }

    private static short DecodeALaw(byte value)
    {
        var bits = value ^ 0x55;
        var segment = (bits >> 4) & 0x07;
        var magnitude = ((bits & 0x0F) << 4) + 8;
        if (segment > 0) magnitude = (magnitude + 0x100) << (segment - 1);
        return (short)((bits & 0x80) != 0 ? magnitude : -magnitude);
    }
}
