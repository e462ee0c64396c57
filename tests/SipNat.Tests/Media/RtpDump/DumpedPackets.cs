using System.Buffers.Binary;

namespace SipNat.Tests.Media.RtpDump;

/// <summary>
/// Reads records of the rtpdump format as the rtptools describe them (RD_packet_t, in network byte order). It shares no
/// code with what writes them.
/// </summary>
internal static class DumpedPackets
{
    /// <summary>Every record; fails where the bytes do not end with one, or where not all of a packet was kept.</summary>
    public static List<(uint Milliseconds, byte[] Packet)> Read(ReadOnlySpan<byte> records)
    {
        var packets = new List<(uint, byte[])>();
        while (!records.IsEmpty)
        {
            var length = BinaryPrimitives.ReadUInt16BigEndian(records);
            var packetLength = BinaryPrimitives.ReadUInt16BigEndian(records[2..]);
            Assert.Equal(length, packetLength + 8);
            packets.Add((BinaryPrimitives.ReadUInt32BigEndian(records[4..]), records[8..length].ToArray()));
            records = records[length..];
        }

        return packets;
    }

    public static int PayloadType(byte[] packet) => packet[1] & 0x7F;

    public static ushort Sequence(byte[] packet) => BinaryPrimitives.ReadUInt16BigEndian(packet.AsSpan(2));
}
