using System.Buffers.Binary;

namespace SipNat.Tests.Endpoint.Calls;

/// <summary>
/// The other side of a call, written apart: sends what it is given as RTP packets by the bytes of RFC 3550, and keeps what
/// it hears by timestamp.
/// </summary>
internal sealed class AudioFarEnd(int payloadType, int clockRate, int bytesPerPacket, int ticksPerPacket)
{
    private readonly SortedDictionary<long, byte[]> _heard = [];
    private uint? _first;

    public uint Ssrc { get; set; } = 0xCAFE0001;

    public ushort Sequence { get; set; } = 1000;

    public uint Timestamp { get; set; } = 4_000_000_000;

    public int PayloadType { get; set; } = payloadType;

    public int ClockRate => clockRate;

    public int BytesPerPacket => bytesPerPacket;

    /// <summary>Every RTP packet with a payload that was heard, in order of arrival.</summary>
    public List<(ushort Sequence, uint Timestamp, uint Ssrc, int PayloadType, bool Marker, byte[] Payload)> Packets { get; } = [];

    /// <summary>Every RTCP packet that was heard.</summary>
    public List<byte[]> Reports { get; } = [];

    /// <summary>Packets that were to keep a pinhole open.</summary>
    public int Empty { get; private set; }

    /// <summary>The next packet.</summary>
    public byte[] Next(ReadOnlySpan<byte> payload, int? type = null, bool marker = false)
    {
        var packet = Make(payload, type ?? PayloadType, Timestamp, marker);
        Timestamp += (uint)ticksPerPacket;
        return packet;
    }

    public byte[] Make(ReadOnlySpan<byte> payload, int type, uint timestamp, bool marker)
    {
        var packet = new byte[12 + payload.Length];
        packet[0] = 0x80;
        packet[1] = (byte)(type | (marker ? 0x80 : 0));
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), Sequence++);
        BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(4), timestamp);
        BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(8), Ssrc);
        payload.CopyTo(packet.AsSpan(12));
        return packet;
    }

    public void Hear(ReadOnlySpan<byte> datagram)
    {
        if (datagram[1] is >= 192 and <= 223)
        {
            Reports.Add(datagram.ToArray());
            return;
        }

        if (datagram.Length == 12)
        {
            Empty++;
            return;
        }

        var timestamp = BinaryPrimitives.ReadUInt32BigEndian(datagram[4..]);
        var heard = (BinaryPrimitives.ReadUInt16BigEndian(datagram[2..]), timestamp, BinaryPrimitives.ReadUInt32BigEndian(datagram[8..]),
            datagram[1] & 0x7F, (datagram[1] & 0x80) != 0, datagram[12..].ToArray());
        Packets.Add(heard);
        if (heard.Item4 != PayloadType) return;

        _first ??= timestamp;
        _heard[(int)(timestamp - _first.Value)] = heard.Item6;
    }

    /// <summary>The payloads of its own payload type in the order of their timestamps.</summary>
    public byte[] Heard() => [.. _heard.Values.SelectMany(p => p)];
}
