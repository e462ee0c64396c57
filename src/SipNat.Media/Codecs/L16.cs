using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace SipNat.Media.Codecs;

/// <summary>
/// L16 (RFC 3551 §4.5.11): 16-bit linear samples in network byte order, of any rate; those of two channels come in turn,
/// left first.
/// </summary>
public static class L16
{
    /// <summary>Bytes of one sample of one channel.</summary>
    public const int BytesPerSample = 2;

    /// <summary>Decodes the whole samples that the bytes have and returns how many those are; an odd byte at the end is none.</summary>
    /// <exception cref="ArgumentException"><paramref name="samples"/> is shorter than half of <paramref name="encoded"/>.</exception>
    public static int Decode(ReadOnlySpan<byte> encoded, Span<short> samples)
    {
        var count = encoded.Length / BytesPerSample;
        if (samples.Length < count) throw new ArgumentException("One sample is needed for each two bytes.", nameof(samples));

        Swap(MemoryMarshal.Cast<byte, short>(encoded[..(count * BytesPerSample)]), samples);
        return count;
    }

    /// <exception cref="ArgumentException"><paramref name="encoded"/> is shorter than twice <paramref name="samples"/>.</exception>
    public static void Encode(ReadOnlySpan<short> samples, Span<byte> encoded)
    {
        if (encoded.Length < samples.Length * BytesPerSample) throw new ArgumentException("Two bytes are needed for each sample.", nameof(encoded));

        Swap(samples, MemoryMarshal.Cast<byte, short>(encoded));
    }

    private static void Swap(ReadOnlySpan<short> source, Span<short> destination)
    {
        if (BitConverter.IsLittleEndian) BinaryPrimitives.ReverseEndianness(source, destination[..source.Length]);
        else source.CopyTo(destination);
    }
}
