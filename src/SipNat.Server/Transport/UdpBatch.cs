using SipNat.Wire;

namespace SipNat.Server.Transport;

/// <summary>
/// The datagrams that wait at a socket, taken out so that what goes on comes before what begins: an ACK, a BYE or an answer
/// that stands behind a hundred INVITEs would otherwise be late by all of them, and its session count as one that nobody
/// acknowledges. Otherwise their order stays, as that of a CANCEL and its INVITE has to.
/// </summary>
internal sealed class UdpBatch
{
    /// <summary>Datagrams at most.</summary>
    public const int Capacity = 64;

    /// <summary>Bytes of the longest datagram.</summary>
    public const int MaxDatagram = 65_535;

    private const int Room = 4 * MaxDatagram;

    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(Room, pinned: true);
    private readonly (TransportAddress From, int Offset, int Length)[] _datagrams = new (TransportAddress, int, int)[Capacity];
    private int _count;
    private int _used;
    private int _turn;

    /// <summary>Whether one more datagram can be received to <see cref="Free"/>, however long it is.</summary>
    public bool HasRoom => _count < Capacity && Room - _used >= MaxDatagram;

    /// <summary>Where the next datagram goes.</summary>
    public Memory<byte> Free => _buffer.AsMemory(_used, MaxDatagram);

    /// <summary>Takes over what was received to <see cref="Free"/>.</summary>
    public void Add(TransportAddress from, int length)
    {
        _datagrams[_count++] = (from, _used, length);
        _used += length;
    }

    /// <summary>Hands out the next datagram, which is valid until the next <see cref="Add"/>; false when all were, and there is room again.</summary>
    public bool TryTake(out TransportAddress from, out ReadOnlySpan<byte> datagram)
    {
        while (_turn < 2 * _count)
        {
            var isFirstRound = _turn < _count;
            (from, var offset, var length) = _datagrams[_turn++ % _count];
            datagram = _buffer.AsSpan(offset, length);
            if (GoesOn(datagram) == isFirstRound) return true;
        }

        (_count, _used, _turn) = (0, 0, 0);
        from = default;
        datagram = default;
        return false;
    }

    private static bool GoesOn(ReadOnlySpan<byte> datagram) =>
        datagram.StartsWith("ACK "u8) || datagram.StartsWith("BYE "u8) || datagram.StartsWith("SIP/2.0 "u8);
}
