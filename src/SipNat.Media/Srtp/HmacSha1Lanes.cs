using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace SipNat.Media.Srtp;

/// <summary>HMAC-SHA1 (RFC 2104) of several packets at once under one key, each in a lane of <see cref="Sha1Lanes"/>.</summary>
internal sealed class HmacSha1Lanes : IDisposable
{
    private const int BlockLength = 64;
    private const int EndLength = 2 * BlockLength;
    private const int WordLength = sizeof(uint);
    private const int SizeLength = sizeof(ulong);
    private const byte EndMark = 0x80;
    private const byte InnerPad = 0x36;
    private const byte OuterPad = 0x5C;

    private readonly Vector<uint>[] _inner = new Vector<uint>[Sha1Lanes.StateWords];
    private readonly Vector<uint>[] _outer = new Vector<uint>[Sha1Lanes.StateWords];
    private readonly Vector<uint>[] _state = new Vector<uint>[Sha1Lanes.StateWords];
    private readonly Vector<uint>[] _block = new Vector<uint>[Sha1Lanes.BlockWords];
    private readonly uint[] _isActive = new uint[Count];

    // What follows the whole blocks of each packet: one block, or two.
    private readonly byte[] _ends = new byte[Count * EndLength];

    /// <param name="key">At most 64 bytes.</param>
    public HmacSha1Lanes(ReadOnlySpan<byte> key)
    {
        Begin(key, InnerPad, _inner);
        Begin(key, OuterPad, _outer);
    }

    /// <summary>Packets that are hashed at once: eight with vectors of 256 bits, four with 128.</summary>
    public static int Count => Vector<uint>.Count;

    /// <summary>Whether it is worth it.</summary>
    public static bool IsSupported => Vector.IsHardwareAccelerated && BitConverter.IsLittleEndian;

    /// <summary>Hashes up to <see cref="Count"/> packets, each with its word behind it.</summary>
    /// <param name="bytes">Where all of them are.</param>
    /// <param name="hashes">20 bytes for each.</param>
    public void Hash(ReadOnlySpan<byte> bytes, ReadOnlySpan<AuthenticatedPart> packets, Span<byte> hashes)
    {
        var most = 0;
        for (var lane = 0; lane < packets.Length; lane++)
        {
            WriteEnd(bytes, packets[lane], _ends.AsSpan(lane * EndLength, EndLength));
            most = Math.Max(most, packets[lane].Blocks);
        }

        _isActive.AsSpan().Clear();
        _inner.CopyTo(_state, 0);
        for (var block = 0; block < most; block++)
        {
            for (var lane = 0; lane < packets.Length; lane += LaneOrder.Group)
            {
                LaneOrder.Spread(
                    BlockOf(bytes, packets, lane, block),
                    BlockOf(bytes, packets, lane + 1, block),
                    BlockOf(bytes, packets, lane + 2, block),
                    BlockOf(bytes, packets, lane + 3, block),
                    _block,
                    lane);
            }

            Sha1Lanes.Compress(_state, _block, new Vector<uint>(_isActive));
        }

        Finish();
        Write(packets.Length, hashes);
    }

    /// <summary>Forgets the key.</summary>
    public void Dispose()
    {
        foreach (var vectors in (ReadOnlySpan<Vector<uint>[]>)[_inner, _outer, _state, _block]) vectors.AsSpan().Clear();
    }

    private void Begin(ReadOnlySpan<byte> key, byte pad, Vector<uint>[] state)
    {
        Span<byte> block = stackalloc byte[BlockLength];
        block.Fill(pad);
        for (var i = 0; i < key.Length; i++) block[i] ^= key[i];
        for (var word = 0; word < state.Length; word++) state[word] = new(Sha1Lanes.Start[word]);
        for (var lane = 0; lane < Count; lane += LaneOrder.Group) LaneOrder.Spread(block, block, block, block, _block, lane);
        Sha1Lanes.Compress(state, _block, Vector<uint>.AllBitsSet);
        CryptographicOperations.ZeroMemory(block);
    }

    // The last bytes, the word, the mark of the end, zeros, and the size in bits with the block of the key before it.
    private static void WriteEnd(ReadOnlySpan<byte> bytes, in AuthenticatedPart packet, Span<byte> end)
    {
        end.Clear();
        var rest = bytes.Slice(packet.Offset, packet.Length)[(packet.WholeBlocks * BlockLength)..];
        rest.CopyTo(end);
        BinaryPrimitives.WriteUInt32BigEndian(end[rest.Length..], packet.Word);
        end[rest.Length + WordLength] = EndMark;
        var size = 8UL * (ulong)(BlockLength + packet.Length + WordLength);
        BinaryPrimitives.WriteUInt64BigEndian(end[(((packet.Blocks - packet.WholeBlocks) * BlockLength) - SizeLength)..], size);
    }

    private ReadOnlySpan<byte> BlockOf(ReadOnlySpan<byte> bytes, ReadOnlySpan<AuthenticatedPart> packets, int lane, int block)
    {
        var packet = lane < packets.Length ? packets[lane] : default;
        var isActive = lane < packets.Length && block < packet.Blocks;
        _isActive[lane] = isActive ? uint.MaxValue : 0;
        return isActive && block < packet.WholeBlocks
            ? bytes.Slice(packet.Offset + (block * BlockLength), BlockLength)
            : _ends.AsSpan((lane * EndLength) + (isActive ? (block - packet.WholeBlocks) * BlockLength : 0), BlockLength);
    }

    // The outer hash is of the inner one alone.
    private void Finish()
    {
        _state.CopyTo(_block, 0);
        _block.AsSpan(Sha1Lanes.StateWords).Clear();
        _block[Sha1Lanes.StateWords] = new((uint)EndMark << 24);
        _block[^1] = new((BlockLength + HMACSHA1.HashSizeInBytes) * 8);
        _outer.CopyTo(_state, 0);
        Sha1Lanes.Compress(_state, _block, Vector<uint>.AllBitsSet);
    }

    private void Write(int packets, Span<byte> hashes)
    {
        var state = MemoryMarshal.Cast<Vector<uint>, uint>(_state.AsSpan());
        for (var lane = 0; lane < packets; lane++)
        {
            var hash = hashes.Slice(lane * HMACSHA1.HashSizeInBytes, HMACSHA1.HashSizeInBytes);
            for (var word = 0; word < Sha1Lanes.StateWords; word++) BinaryPrimitives.WriteUInt32BigEndian(hash[(word * WordLength)..], state[(word * Count) + lane]);
        }
    }
}

/// <summary>What is authenticated of a packet (RFC 3711 §4.2).</summary>
/// <param name="Offset">Where it begins among the bytes of all.</param>
/// <param name="Length">Bytes of its header and its encrypted body.</param>
/// <param name="Word">The roll-over counter, which is not sent.</param>
internal readonly record struct AuthenticatedPart(int Offset, int Length, uint Word)
{
    private const int BlockLength = 64;

    // The word, the mark of the end and the size in bits.
    private const int EndLength = sizeof(uint) + 1 + sizeof(ulong);

    /// <summary>Blocks of SHA-1 that it fills by itself.</summary>
    public int WholeBlocks => Length / BlockLength;

    /// <summary>Blocks of SHA-1 with all that is hashed behind it.</summary>
    public int Blocks => (Length + EndLength + BlockLength - 1) / BlockLength;
}
