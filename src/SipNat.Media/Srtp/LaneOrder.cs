using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace SipNat.Media.Srtp;

/// <summary>Brings the blocks of SHA-1, which lie one behind the other, into vectors that have one word of each.</summary>
internal static class LaneOrder
{
    /// <summary>Blocks that are spread at once.</summary>
    public const int Group = 4;

    private const int Step = Group * sizeof(uint);

    // SHA-1 counts in big-endian words.
    private static readonly Vector128<byte> ByteOrder = Vector128.Create((byte)3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12);

    /// <summary>Takes four blocks of 64 bytes.</summary>
    /// <param name="words">Sixteen; those of the four lanes that begin with <paramref name="lane"/> are written.</param>
    public static void Spread(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, ReadOnlySpan<byte> third, ReadOnlySpan<byte> fourth, Span<Vector<uint>> words, int lane)
    {
        var to = MemoryMarshal.Cast<Vector<uint>, uint>(words);

        // A square of four blocks and four words is turned by turning pairs, and then pairs of pairs.
        for (var word = 0; word < Sha1Lanes.BlockWords; word += Group)
        {
            var (a, b, c, d) = (Read(first, word), Read(second, word), Read(third, word), Read(fourth, word));
            var (even, odd) = (Lower(a, c), Lower(b, d));
            Lower(even, odd).CopyTo(to[((word * Vector<uint>.Count) + lane)..]);
            Upper(even, odd).CopyTo(to[(((word + 1) * Vector<uint>.Count) + lane)..]);
            (even, odd) = (Upper(a, c), Upper(b, d));
            Lower(even, odd).CopyTo(to[(((word + 2) * Vector<uint>.Count) + lane)..]);
            Upper(even, odd).CopyTo(to[(((word + 3) * Vector<uint>.Count) + lane)..]);
        }
    }

    private static Vector128<uint> Read(ReadOnlySpan<byte> block, int word) =>
        Vector128.Shuffle(Vector128.Create(block.Slice(word * sizeof(uint), Step)), ByteOrder).AsUInt32();

    // The lower halves of two, word by word in turn.
    private static Vector128<uint> Lower(Vector128<uint> first, Vector128<uint> second) =>
        Sse2.IsSupported ? Sse2.UnpackLow(first, second)
        : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipLow(first, second)
        : Vector128.Create(first[0], second[0], first[1], second[1]);

    private static Vector128<uint> Upper(Vector128<uint> first, Vector128<uint> second) =>
        Sse2.IsSupported ? Sse2.UnpackHigh(first, second)
        : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipHigh(first, second)
        : Vector128.Create(first[2], second[2], first[3], second[3]);
}
