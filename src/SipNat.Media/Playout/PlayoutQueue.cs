using SipNat.Media.Streams;

namespace SipNat.Media.Playout;

/// <summary>Packets that wait to be played, by sequence number. Their memory is used again, so that a steady stream takes none.</summary>
internal sealed class PlayoutQueue
{
    /// <summary>Packets that are kept; more than a second of the shortest.</summary>
    public const int Capacity = 128;

    private readonly Slot[] _slots = new Slot[Capacity];

    public PlayoutQueue()
    {
        for (var i = 0; i < Capacity; i++) _slots[i] = new();
    }

    public int Count { get; private set; }

    /// <summary>Samples that they have together.</summary>
    public long Samples { get; private set; }

    /// <summary>The one that is played next.</summary>
    public Slot First => _slots[0];

    /// <summary>Where the last packet ends; meaningless without packets.</summary>
    public long End => _slots[Count - 1].End;

    /// <summary>Puts a packet at its place. False where it is full, or has that number.</summary>
    public bool TryAdd(long sequence, long position, int samples, in ReceivedFrame frame)
    {
        if (Count == Capacity) return false;

        var place = Count;
        while (place > 0 && _slots[place - 1].Sequence > sequence) place--;
        if (place > 0 && _slots[place - 1].Sequence == sequence) return false;

        var slot = _slots[Count];
        Array.Copy(_slots, place, _slots, place + 1, Count - place);
        _slots[place] = slot;
        slot.Fill(sequence, position, samples, frame);
        Count++;
        Samples += samples;
        return true;
    }

    public void RemoveFirst()
    {
        var slot = _slots[0];
        Samples -= slot.Samples;
        Array.Copy(_slots, 1, _slots, 0, --Count);
        _slots[Count] = slot;
    }

    /// <summary>One packet.</summary>
    internal sealed class Slot
    {
        private byte[] _bytes = [];
        private int _length;

        /// <summary>It rises over restarts and from one SSRC to the next.</summary>
        public long Sequence { get; private set; }

        /// <summary>Its first sample.</summary>
        public long Position { get; private set; }

        /// <summary>How many it has; 0 of what is no audio.</summary>
        public int Samples { get; private set; }

        public long End => Position + Samples;

        public PayloadFormat Format { get; private set; }

        public ReadOnlySpan<byte> Payload => _bytes.AsSpan(0, _length);

        public void Fill(long sequence, long position, int samples, in ReceivedFrame frame)
        {
            (Sequence, Position, Samples, Format) = (sequence, position, samples, frame.Format);
            _length = frame.Payload.Length;
            if (_bytes.Length < _length) _bytes = new byte[_length];
            frame.Payload.CopyTo(_bytes);
        }
    }
}
