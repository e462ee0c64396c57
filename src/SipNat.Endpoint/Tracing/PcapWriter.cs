using System.Buffers;
using System.Buffers.Binary;
using SipNat.Wire;

namespace SipNat.Endpoint.Tracing;

/// <summary>
/// Writes messages as packets of a capture file (pcap 2.4, LINKTYPE_RAW): each in IP and UDP headers of our own making with
/// the real addresses, those of TCP in segments whose numbers fit each other.
/// </summary>
/// <remarks>
/// What TLS carried is shown in UDP: on port 5061 every reader takes TCP for encrypted. A message that one packet
/// does not hold is cut at the end, and says so by its length.
/// </remarks>
public sealed class PcapWriter
{
    public const int FileHeaderLength = 24;

    /// <summary>Connections whose sequence numbers are known; beyond, all begin anew.</summary>
    public const int MaxConnections = 4096;

    private const int RecordHeaderLength = 16;
    private const int MaxPacket = ushort.MaxValue;
    private const int UdpHeaderLength = 8;
    private const int TcpHeaderLength = 20;
    private const int MaxSegment = 16 * 1024;
    private const byte UdpProtocol = 17;
    private const byte TcpProtocol = 6;
    private const byte PushAck = 0x18;
    private const uint LinkTypeRaw = 101;

    private readonly Dictionary<(TransportAddress From, TransportAddress To), uint> _sequences = [];

    /// <summary>Writes what a file begins with.</summary>
    public static void WriteFileHeader(IBufferWriter<byte> output)
    {
        ArgumentNullException.ThrowIfNull(output);
        var header = output.GetSpan(FileHeaderLength);
        BinaryPrimitives.WriteUInt32LittleEndian(header, 0xA1B2_C3D4);
        BinaryPrimitives.WriteUInt16LittleEndian(header[4..], 2);
        BinaryPrimitives.WriteUInt16LittleEndian(header[6..], 4);
        header[8..16].Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(header[16..], MaxPacket);
        BinaryPrimitives.WriteUInt32LittleEndian(header[20..], LinkTypeRaw);
        output.Advance(FileHeaderLength);
    }

    /// <summary>Writes one message.</summary>
    /// <param name="shown">Its beginning, or all of it.</param>
    public void Write(IBufferWriter<byte> output, in TracedMessage message, ReadOnlySpan<byte> shown)
    {
        ArgumentNullException.ThrowIfNull(output);
        if (!message.IsShown) return;

        if (message.Transport is TransportProtocol.Tcp or TransportProtocol.Ws) WriteSegments(output, message, shown);
        else WriteDatagram(output, message, shown);
    }

    private static void WriteDatagram(IBufferWriter<byte> output, in TracedMessage message, ReadOnlySpan<byte> shown)
    {
        var room = MaxPacket - IpHeaderLength(message) - UdpHeaderLength;
        var length = Math.Min(message.Length, room);
        var kept = shown[..Math.Min(shown.Length, room)];
        var packet = Begin(output, message, UdpHeaderLength, length, kept.Length, UdpProtocol, out var header);
        BinaryPrimitives.WriteUInt16BigEndian(packet[header..], message.From.Port);
        BinaryPrimitives.WriteUInt16BigEndian(packet[(header + 2)..], message.To.Port);
        BinaryPrimitives.WriteUInt16BigEndian(packet[(header + 4)..], (ushort)(UdpHeaderLength + length));
        BinaryPrimitives.WriteUInt16BigEndian(packet[(header + 6)..], 0);
        kept.CopyTo(packet[(header + UdpHeaderLength)..]);

        // Of a packet that is cut nobody can check it; 0 stands for none (RFC 768), which IPv6 has not.
        var sum = TransportSum(packet, header, UdpProtocol, UdpHeaderLength + length);
        if (kept.Length == length || message.From.IsIPv6) BinaryPrimitives.WriteUInt16BigEndian(packet[(header + 6)..], sum == 0 ? ushort.MaxValue : sum);
        output.Advance(RecordHeaderLength + packet.Length);
    }

    private void WriteSegments(IBufferWriter<byte> output, in TracedMessage message, ReadOnlySpan<byte> shown)
    {
        if (_sequences.Count >= MaxConnections) _sequences.Clear();
        var sequence = _sequences.GetValueOrDefault((message.From, message.To), 1u);
        var acknowledged = _sequences.GetValueOrDefault((message.To, message.From), 1u);
        for (var at = 0; at < shown.Length; at += MaxSegment)
        {
            var part = shown.Slice(at, Math.Min(MaxSegment, shown.Length - at));
            var packet = Begin(output, message, TcpHeaderLength, part.Length, part.Length, TcpProtocol, out var header);
            BinaryPrimitives.WriteUInt16BigEndian(packet[header..], message.From.Port);
            BinaryPrimitives.WriteUInt16BigEndian(packet[(header + 2)..], message.To.Port);
            BinaryPrimitives.WriteUInt32BigEndian(packet[(header + 4)..], sequence);
            BinaryPrimitives.WriteUInt32BigEndian(packet[(header + 8)..], acknowledged);
            packet[header + 12] = TcpHeaderLength / 4 << 4;
            packet[header + 13] = PushAck;
            BinaryPrimitives.WriteUInt16BigEndian(packet[(header + 14)..], ushort.MaxValue);
            packet.Slice(header + 16, 4).Clear();
            part.CopyTo(packet[(header + TcpHeaderLength)..]);
            BinaryPrimitives.WriteUInt16BigEndian(packet[(header + 16)..], TransportSum(packet, header, TcpProtocol, TcpHeaderLength + part.Length));
            output.Advance(RecordHeaderLength + packet.Length);
            sequence += (uint)part.Length;
        }

        _sequences[(message.From, message.To)] = sequence;
    }

    private static int IpHeaderLength(in TracedMessage message) => message.From.IsIPv4 ? 20 : 40;

    // The record and the IP header; what it returns is the packet, the IP header included.
    private static Span<byte> Begin(
        IBufferWriter<byte> output, in TracedMessage message, int headerLength, int length, int kept, byte protocol, out int header)
    {
        header = IpHeaderLength(message);
        var record = output.GetSpan(RecordHeaderLength + header + headerLength + kept);
        var since = Math.Max(0, (message.At.UtcDateTime - DateTime.UnixEpoch).Ticks);
        BinaryPrimitives.WriteUInt32LittleEndian(record, (uint)(since / TimeSpan.TicksPerSecond));
        BinaryPrimitives.WriteUInt32LittleEndian(record[4..], (uint)(since % TimeSpan.TicksPerSecond / TimeSpan.TicksPerMicrosecond));
        BinaryPrimitives.WriteUInt32LittleEndian(record[8..], (uint)(header + headerLength + kept));
        BinaryPrimitives.WriteUInt32LittleEndian(record[12..], (uint)(header + headerLength + length));
        var packet = record.Slice(RecordHeaderLength, header + headerLength + kept);
        if (message.From.IsIPv4) WriteIPv4(packet, message, headerLength + length, protocol);
        else WriteIPv6(packet, message, headerLength + length, protocol);
        return packet;
    }

    private static void WriteIPv4(Span<byte> packet, in TracedMessage message, int payload, byte protocol)
    {
        packet[..20].Clear();
        packet[0] = 0x45;
        BinaryPrimitives.WriteUInt16BigEndian(packet[2..], (ushort)(20 + payload));
        packet[6] = 0x40;
        packet[8] = 64;
        packet[9] = protocol;
        message.From.WriteOctets(packet[12..]);
        message.To.WriteOctets(packet[16..]);
        BinaryPrimitives.WriteUInt16BigEndian(packet[10..], Fold(Sum(packet[..20])));
    }

    private static void WriteIPv6(Span<byte> packet, in TracedMessage message, int payload, byte protocol)
    {
        packet[..8].Clear();
        packet[0] = 0x60;
        BinaryPrimitives.WriteUInt16BigEndian(packet[4..], (ushort)payload);
        packet[6] = protocol;
        packet[7] = 64;
        message.From.WriteOctets(packet[8..]);
        message.To.WriteOctets(packet[24..]);
    }

    // Addresses, protocol and length count as well (RFC 9293 §3.1, RFC 8200 §8.1).
    private static ushort TransportSum(ReadOnlySpan<byte> packet, int header, byte protocol, int length)
    {
        var addresses = header == 20 ? packet[12..20] : packet[8..40];
        return Fold(Sum(addresses) + protocol + (uint)length + Sum(packet[header..]));
    }

    private static uint Sum(ReadOnlySpan<byte> bytes)
    {
        var sum = 0u;
        for (; bytes.Length > 1; bytes = bytes[2..]) sum += BinaryPrimitives.ReadUInt16BigEndian(bytes);
        return bytes.IsEmpty ? sum : sum + ((uint)bytes[0] << 8);
    }

    private static ushort Fold(uint sum)
    {
        while (sum > ushort.MaxValue) sum = (sum & ushort.MaxValue) + (sum >> 16);
        return (ushort)~sum;
    }
}
