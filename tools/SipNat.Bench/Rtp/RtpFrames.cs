using System.Buffers.Binary;
using System.Text;

namespace SipNat.Bench.Rtp;

/// <summary>Writes the packets that the client sends (RFC 3550 §5.1, §6.4.1, §6.5).</summary>
public static class RtpFrames
{
    public const int HeaderLength = 12;

    private const byte Version2 = 0x80;
    private const byte SenderReport = 200;
    private const byte SourceDescription = 202;
    private const byte CanonicalName = 1;

    // Seconds between the NTP epoch (1900) and the Unix epoch.
    private const long NtpOffset = 2_208_988_800;

    public static void WriteHeader(Span<byte> packet, int payloadType, bool marker, ushort sequence, uint timestamp, uint ssrc)
    {
        packet[0] = Version2;
        packet[1] = (byte)(payloadType | (marker ? 0x80 : 0));
        BinaryPrimitives.WriteUInt16BigEndian(packet[2..], sequence);
        BinaryPrimitives.WriteUInt32BigEndian(packet[4..], timestamp);
        BinaryPrimitives.WriteUInt32BigEndian(packet[8..], ssrc);
    }

    /// <summary>A compound of a sender report without report blocks and a CNAME.</summary>
    public static byte[] WriteSenderReport(DateTimeOffset wall, uint timestamp, uint ssrc, int packets, long octets, string canonicalName)
    {
        var name = Encoding.ASCII.GetBytes(canonicalName);
        var description = (8 + 2 + name.Length + 4) & ~3;
        var bytes = new byte[28 + description];
        WriteRtcpHeader(bytes, 0, SenderReport, 28, ssrc);

        var ticks = wall.UtcTicks - DateTimeOffset.UnixEpoch.Ticks;
        var (seconds, rest) = Math.DivRem(ticks, TimeSpan.TicksPerSecond);
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(8), (uint)(seconds + NtpOffset));
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(12), (uint)((rest << 32) / TimeSpan.TicksPerSecond));
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(16), timestamp);
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(20), (uint)packets);
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(24), (uint)octets);

        var item = bytes.AsSpan(28);
        WriteRtcpHeader(item, 1, SourceDescription, description, ssrc);
        item[8] = CanonicalName;
        item[9] = (byte)name.Length;
        name.CopyTo(item[10..]);
        return bytes;
    }

    private static void WriteRtcpHeader(Span<byte> packet, int count, byte type, int length, uint ssrc)
    {
        packet[0] = (byte)(Version2 | count);
        packet[1] = type;
        BinaryPrimitives.WriteUInt16BigEndian(packet[2..], (ushort)((length / 4) - 1));
        BinaryPrimitives.WriteUInt32BigEndian(packet[4..], ssrc);
    }
}
