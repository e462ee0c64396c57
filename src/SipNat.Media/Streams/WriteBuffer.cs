namespace SipNat.Media.Streams;

/// <summary>
/// Audio bytes of one file on their way to the disk: pooled bytes and the place where they belong. Whoever has written
/// them disposes of it, once: object and bytes are somebody else's then.
/// </summary>
public sealed class WriteBuffer : IDisposable
{
    /// <summary>Bytes of a page of a file: the usual buffer.</summary>
    public const int PageLength = 4096;

    /// <summary>Bytes of the buffer for silence and for records of packets; longer ones are rare.</summary>
    public const int LongLength = 8192;

    private static readonly FreeList Pages = new();
    private static readonly FreeList LongBuffers = new();

    private readonly byte[] _bytes;
    private bool _isTaken = true;

    private WriteBuffer(int capacity) => _bytes = new byte[capacity];

    /// <summary>Bytes of audio before this buffer in its file; the header does not count.</summary>
    public long Offset { get; private set; }

    public int Capacity { get; private set; }

    /// <summary>How many bytes from <see cref="Offset"/> on are to be written.</summary>
    public int Length { get; set; }

    public Span<byte> Span => Bytes.AsSpan(0, Capacity);

    public ReadOnlyMemory<byte> Written => Bytes.AsMemory(0, Length);

    private byte[] Bytes => _isTaken ? _bytes : throw new ObjectDisposedException(nameof(WriteBuffer));

    /// <summary>A buffer with bytes of whatever it held before. Any thread.</summary>
    /// <param name="offset">Bytes of audio before this buffer in its file; the header does not count.</param>
    /// <param name="capacity">Bytes that it can hold.</param>
    /// <param name="length">Bytes that are to be written, <see cref="Length"/>.</param>
    public static WriteBuffer Rent(long offset, int capacity, int length = 0)
    {
        var buffer = ListFor(capacity)?.Take() ?? new(capacity switch { <= PageLength => PageLength, <= LongLength => LongLength, _ => capacity });
        (buffer.Offset, buffer.Capacity, buffer.Length, buffer._isTaken) = (offset, capacity, length, true);
        return buffer;
    }

    public void Dispose()
    {
        if (!_isTaken) return;

        _isTaken = false;
        ListFor(Capacity)?.Give(this);
    }

    private static FreeList? ListFor(int capacity) => capacity switch { <= PageLength => Pages, <= LongLength => LongBuffers, _ => null };

    // Buffers are taken on one thread and given back in bursts on another, which the shared pool of arrays is not made for:
    // most of them would be garbage.
    private sealed class FreeList
    {
        private const int MaxFree = 1024;

        private readonly Lock _lock = new();
        private readonly WriteBuffer[] _free = new WriteBuffer[MaxFree];
        private int _count;

        public WriteBuffer? Take()
        {
            lock (_lock) return _count > 0 ? _free[--_count] : null;
        }

        public void Give(WriteBuffer buffer)
        {
            lock (_lock)
            {
                if (_count < MaxFree) _free[_count++] = buffer;
            }
        }
    }
}
