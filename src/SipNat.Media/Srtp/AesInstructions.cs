using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Arm = System.Runtime.Intrinsics.Arm;
using X86 = System.Runtime.Intrinsics.X86;

namespace SipNat.Media.Srtp;

/// <summary>AES in counter mode by the instructions that a processor has for it, whose time depends on no key and no text.</summary>
internal sealed class AesInstructions : IDisposable
{
    private const int BlockLength = AesCounter.BlockLength;
    private const int BlockWords = BlockLength / sizeof(uint);
    private const int CounterWord = 3;

    // As many as are under way at once: a round takes several cycles, and a processor begins one or two in each.
    private const int BlocksAtOnce = 8;

    private readonly Vector128<byte>[] _keys;

    /// <param name="key">16, 24 or 32 bytes.</param>
    public AesInstructions(ReadOnlySpan<byte> key) => _keys = Expand(key);

    public static bool IsSupported => (X86.Aes.IsSupported || Arm.Aes.IsSupported) && BitConverter.IsLittleEndian;

    /// <summary>As <see cref="AesCounter.Apply"/>.</summary>
    public void Apply(ReadOnlySpan<byte> first, ReadOnlySpan<byte> source, Span<byte> destination)
    {
        var start = Vector128.Create(first).AsUInt32();
        var counter = BinaryPrimitives.ReverseEndianness(start[CounterWord]);
        while (source.Length >= BlocksAtOnce * BlockLength)
        {
            ApplyMany(start, counter, source, destination);
            counter += BlocksAtOnce;
            source = source[(BlocksAtOnce * BlockLength)..];
            destination = destination[(BlocksAtOnce * BlockLength)..];
        }

        if (!source.IsEmpty) ApplyFew(start, counter, source, destination);
    }

    public void Dispose() => _keys.AsSpan().Clear();

    private void ApplyMany(Vector128<uint> start, uint counter, ReadOnlySpan<byte> source, Span<byte> destination)
    {
        var keys = _keys.AsSpan();
        var first = keys[0];
        var (a, b, c, d) = (At(start, counter) ^ first, At(start, counter + 1) ^ first, At(start, counter + 2) ^ first, At(start, counter + 3) ^ first);
        var (e, f, g, h) = (At(start, counter + 4) ^ first, At(start, counter + 5) ^ first, At(start, counter + 6) ^ first, At(start, counter + 7) ^ first);
        foreach (var key in keys[1..^1])
        {
            (a, b, c, d) = (Round(a, key), Round(b, key), Round(c, key), Round(d, key));
            (e, f, g, h) = (Round(e, key), Round(f, key), Round(g, key), Round(h, key));
        }

        var last = keys[^1];
        var from = MemoryMarshal.Cast<byte, Vector128<byte>>(source)[..BlocksAtOnce];
        var to = MemoryMarshal.Cast<byte, Vector128<byte>>(destination)[..BlocksAtOnce];
        to[0] = from[0] ^ LastRound(a, last);
        to[1] = from[1] ^ LastRound(b, last);
        to[2] = from[2] ^ LastRound(c, last);
        to[3] = from[3] ^ LastRound(d, last);
        to[4] = from[4] ^ LastRound(e, last);
        to[5] = from[5] ^ LastRound(f, last);
        to[6] = from[6] ^ LastRound(g, last);
        to[7] = from[7] ^ LastRound(h, last);
    }

    // What is left of a packet goes the same way, with room behind it.
    private void ApplyFew(Vector128<uint> start, uint counter, ReadOnlySpan<byte> source, Span<byte> destination)
    {
        Span<byte> room = stackalloc byte[BlocksAtOnce * BlockLength];
        source.CopyTo(room);
        ApplyMany(start, counter, room, room);
        room[..source.Length].CopyTo(destination);
    }

    private static Vector128<byte> At(Vector128<uint> start, uint counter) =>
        start.WithElement(CounterWord, BinaryPrimitives.ReverseEndianness(counter)).AsByte();

    // On ARM the key is added before the bytes are put in place, and here after it: that one is zero.
    private static Vector128<byte> Round(Vector128<byte> state, Vector128<byte> key) => X86.Aes.IsSupported
        ? X86.Aes.Encrypt(state, key)
        : Arm.Aes.MixColumns(Arm.Aes.Encrypt(state, Vector128<byte>.Zero)) ^ key;

    private static Vector128<byte> LastRound(Vector128<byte> state, Vector128<byte> key) => X86.Aes.IsSupported
        ? X86.Aes.EncryptLast(state, key)
        : Arm.Aes.Encrypt(state, Vector128<byte>.Zero) ^ key;

    // FIPS 197 §5.2
    private static Vector128<byte>[] Expand(ReadOnlySpan<byte> key)
    {
        var length = key.Length / sizeof(uint);
        var keys = new Vector128<byte>[length + 7];
        var words = MemoryMarshal.Cast<Vector128<byte>, uint>(keys.AsSpan());
        key.CopyTo(MemoryMarshal.AsBytes(words));
        var constant = 1u;
        for (var i = length; i < keys.Length * BlockWords; i++)
        {
            var word = words[i - 1];
            if (i % length == 0)
            {
                word = Substitute(uint.RotateRight(word, 8)) ^ constant;
                constant = (constant << 1) ^ ((constant >> 7) * 0x11B);
            }
            else if (length > 6 && i % length == 4)
            {
                word = Substitute(word);
            }

            words[i] = words[i - length] ^ word;
        }

        return keys;
    }

    // The last round substitutes bytes and moves them between columns, which are all the same here.
    private static uint Substitute(uint word) => LastRound(Vector128.Create(word).AsByte(), Vector128<byte>.Zero).AsUInt32()[0];
}
