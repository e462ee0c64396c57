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

    /// <summary>Bytes of a packet: 60 ms of G.711 with its header.</summary>
    public const int MaxPacket = 512;

    private Slot[] _slots = [];
    private byte[] _bytes = [];
    private int _first;

    public int Count { get; private set; }

    /// <summary>Whether a source that the latch has on probation sent them.</summary>
    public bool AreTentative { get; private set; }

    /// <summary>Whether the next packet takes the place of the oldest.</summary>
    public bool IsFull => Count == Capacity;

    /// <summary>Keeps a packet of at most <see cref="MaxPacket"/> bytes; the oldest one makes room.</summary>
    public void Add(Instant arrival, in RtpPacket packet, bool isTentative)
    {
        if (_slots.Length == 0) (_slots, _bytes) = (new Slot[Capacity], new byte[Capacity * MaxPacket]);
        if (IsFull)
        {
            _first = (_first + 1) % Capacity;
            Count--;
        }

        var index = (_first + Count++) % Capacity;
        AreTentative |= isTentative;
        _slots[index] = new(arrival, packet.Ssrc, packet.SequenceNumber, packet.Timestamp, packet.PayloadType, packet.Bytes.Length)
        {
            PayloadOffset = packet.Bytes.Length - packet.PaddingLength - packet.Payload.Length,
            PayloadLength = packet.Payload.Length,
        };
        packet.Bytes.CopyTo(_bytes.AsSpan(index * MaxPacket));
    }

    /// <summary>The packet at a place, 0 being the oldest.</summary>
    public ref Slot this[int index] => ref _slots[(_first + index) % Capacity];

    /// <summary>The packet at a place, as it came.</summary>
    public ReadOnlySpan<byte> Packet(int index) => _bytes.AsSpan((_first + index) % Capacity * MaxPacket, this[index].Length);

    public ReadOnlySpan<byte> Payload(int index) => Packet(index).Slice(this[index].PayloadOffset, this[index].PayloadLength);

    public void Clear() => (Count, AreTentative) = (0, false);

    internal record struct Slot(Instant Arrival, uint Ssrc, ushort SequenceNumber, uint Timestamp, int PayloadType, int Length)
    {
        public int PayloadOffset { get; init; }

        public int PayloadLength { get; init; }

        /// <summary>The extended number, once the packet has been let through; else −1.</summary>
        public long Sequence { get; set; } = -1;

        public int Run { get; set; }
    }
}
