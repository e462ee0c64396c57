using System.Buffers;
using SipNat.Wire;

namespace SipNat.Simulation;

/// <summary>A datagram or a segment of a connection on its way. NATs rewrite its addresses in place.</summary>
internal sealed class Packet
{
    private byte[] _buffer;
    private int _length;

    public Packet(TransportProtocol transport, SegmentKind kind, TransportAddress from, TransportAddress to, ReadOnlySpan<byte> bytes)
    {
        (Transport, Kind, From, To) = (transport, kind, from, to);
        _buffer = ArrayPool<byte>.Shared.Rent(Math.Max(bytes.Length, 1));
        Replace(bytes);
    }

    public TransportProtocol Transport { get; }

    public SegmentKind Kind { get; }

    public TransportAddress From { get; set; }

    public TransportAddress To { get; set; }

    /// <summary>The end of a connection that sent it; null for a datagram.</summary>
    public HostFlow? Sender { get; init; }

    /// <summary>Place of a message in its connection and direction, from 0.</summary>
    public int Sequence { get; init; }

    public bool IsDatagram => Kind is SegmentKind.Datagram;

    public ReadOnlySpan<byte> Bytes => _buffer.AsSpan(0, _length);

    public void Replace(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > _buffer.Length)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = ArrayPool<byte>.Shared.Rent(bytes.Length);
        }

        bytes.CopyTo(_buffer);
        _length = bytes.Length;
    }

    public Packet Clone() => new(Transport, Kind, From, To, Bytes) { Sender = Sender, Sequence = Sequence };

    public void Release()
    {
        ArrayPool<byte>.Shared.Return(_buffer);
        (_buffer, _length) = ([], 0);
    }
}

internal enum SegmentKind
{
    Datagram,
    Syn,
    SynAck,
    Message,
    Fin,
    Reset,
}
