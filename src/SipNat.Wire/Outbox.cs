using System.Buffers;

namespace SipNat.Wire;

/// <summary>
/// The datagrams that a core wants sent, in order. <see cref="Add"/> copies into a rented buffer, so that the caller's
/// bytes may change at once. Not thread safe: it belongs to its core.
/// </summary>
public sealed class Outbox
{
    private readonly Queue<Transmit> _queue = new();
#if DEBUG
    private readonly HashSet<byte[]> _out = new(ReferenceEqualityComparer.Instance);
#endif

    public int Count => _queue.Count;

    /// <summary>Buffers rented and not yet released; 0 at the end of every simulation.</summary>
    public int Rented { get; private set; }

    public void Add(FlowId flow, TransportAddress destination, ReadOnlySpan<byte> payload) =>
        payload.CopyTo(Write(flow, destination, payload.Length));

    /// <summary>Queues a datagram of <paramref name="length"/> bytes and gives its span to fill in place, at once.</summary>
    public Span<byte> Write(FlowId flow, TransportAddress destination, int length)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(Math.Max(length, 1));
        Rented++;
        _queue.Enqueue(new(flow, destination, buffer, length));
        return buffer.AsSpan(0, length);
    }

    /// <summary>Takes the oldest datagram; the caller owes a <see cref="Release"/>.</summary>
    public bool TryTake(out Transmit transmit)
    {
        if (!_queue.TryDequeue(out transmit)) return false;
#if DEBUG
        _out.Add(transmit.Buffer);
#endif
        return true;
    }

    public void Release(Transmit transmit)
    {
#if DEBUG
        if (!_out.Remove(transmit.Buffer)) throw new System.Diagnostics.UnreachableException("A transmit is released once, by whoever took it.");
#endif
        Rented--;
        ArrayPool<byte>.Shared.Return(transmit.Buffer);
    }

    /// <summary>Moves everything that a child wants sent into its parent's outbox, without a copy.</summary>
    public void TakeAllFrom(Outbox child)
    {
        while (child._queue.TryDequeue(out var transmit))
        {
            child.Rented--;
            Rented++;
            _queue.Enqueue(transmit);
        }
    }
}
