using SipNat.Media.Rtp;
using SipNat.Wire;

namespace SipNat.Media.Streams;

/// <summary>
/// The last packets that no one can judge yet: of an SSRC or a source that may take over, or after a jump. A ring that
/// is allocated with its first packet; most streams never need it.
/// </summary>
internal sealed class HeldPackets
{
    /// <summary>Packets: half a second down to a packet time of 8 ms.</summary>
    public const int Capacity = 64;

    /// <summary>Bytes of payload: 60 ms of G.711.</summary>
    public const int MaxPayload = 480;

    private Slot[] _slots = [];
    private byte[] _bytes = [];
    private int _first;

    public int Count { get; private set; }

    /// <summary>Whether a source that the latch has on probation sent them.</summary>
    public bool AreTentative { get; private set; }

    /// <summary>Keeps a packet; the oldest one makes room. False when it is too long.</summary>
    public bool TryAdd(Instant arrival, in RtpPacket packet, bool isTentative)
    {
        if (packet.Payload.Length > MaxPayload) return false;

        if (_slots.Length == 0) (_slots, _bytes) = (new Slot[Capacity], new byte[Capacity * MaxPayload]);
        if (Count == Capacity)
        {
            _first = (_first + 1) % Capacity;
            Count--;
        }

        var index = (_first + Count++) % Capacity;
        AreTentative |= isTentative;
        _slots[index] = new(arrival, packet.Ssrc, packet.SequenceNumber, packet.Timestamp, packet.PayloadType, packet.Payload.Length);
        packet.Payload.CopyTo(_bytes.AsSpan(index * MaxPayload));
        return true;
    }

    /// <summary>The packet at a place, 0 being the oldest.</summary>
    public ref Slot this[int index] => ref _slots[(_first + index) % Capacity];

    public ReadOnlySpan<byte> Payload(int index) => _bytes.AsSpan((_first + index) % Capacity * MaxPayload, this[index].Length);

    public void Clear() => (Count, AreTentative) = (0, false);

    internal record struct Slot(Instant Arrival, uint Ssrc, ushort SequenceNumber, uint Timestamp, int PayloadType, int Length)
    {
        /// <summary>The extended number, once the packet has been let through; else −1.</summary>
        public long Sequence { get; set; } = -1;

        public int Run { get; set; }
    }
}
