using System.Buffers;

namespace SipNat.Media.Streams;

/// <summary>
/// Audio bytes of one file on their way to the disk: a pooled array and the place where it belongs. Whoever has
/// written it disposes of it, which gives the array back.
/// </summary>
public sealed class WriteBuffer : IDisposable
{
    // Blocks are taken on one thread and given back in bursts on another, which the shared pool is not made for: most of
    // them would be garbage. So many wait at most, of each size up to that of a large block.
    private const int MaxPooled = 1024;
    private const int MaxPooledLength = 1 << 16;

    private static readonly ArrayPool<byte> Pool = ArrayPool<byte>.Create(MaxPooledLength, MaxPooled);

    private byte[]? _bytes;

    /// <param name="offset">Bytes of audio before this buffer in its file; the header does not count.</param>
    /// <param name="capacity">Bytes that it can hold at least.</param>
    public WriteBuffer(long offset, int capacity)
    {
        _bytes = Pool.Rent(capacity);
        (Offset, Capacity) = (offset, capacity);
    }

    /// <summary>Bytes of audio before this buffer in its file; the header does not count.</summary>
    public long Offset { get; }

    public int Capacity { get; }

    /// <summary>How many bytes from <see cref="Offset"/> on are to be written.</summary>
    public int Length { get; set; }

    public Span<byte> Span => Bytes.AsSpan(0, Capacity);

    public ReadOnlyMemory<byte> Written => Bytes.AsMemory(0, Length);

    private byte[] Bytes => _bytes ?? throw new ObjectDisposedException(nameof(WriteBuffer));

    public void Dispose()
    {
        if (_bytes is not { } bytes) return;

        _bytes = null;
        Pool.Return(bytes);
    }
}
