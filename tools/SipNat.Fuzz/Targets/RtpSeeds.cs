using SipNat.Media.Rtcp;
using SipNat.Media.Rtp;

namespace SipNat.Fuzz.Targets;

/// <summary>RTP and RTCP packets to begin with.</summary>
internal static class RtpSeeds
{
    public static IEnumerable<byte[]> Packets()
    {
        yield return Packet(new(0, 1000, 160, 1), 160);
        yield return Packet(new(8, 65535, uint.MaxValue, 2, Marker: true), 80);
        yield return Packet(new(101, 7, 320, 1), 4);
        yield return Packet(new(13, 8, 480, 1), 1);
        yield return [0x92, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0xBE, 0xDE, 0, 1, 1, 2, 3, 4, 0x55, 0x55];
        yield return [0xA0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0x55, 0x55, 0, 2];
    }

    public static IEnumerable<byte[]> Compounds()
    {
        yield return SenderReport(1, 0xE000_0000_0000_0000, 160);
        yield return Receiver(reports: 2, goodbye: true);
        yield return Receiver(reports: 31, goodbye: false);
        yield return [0x80, 203, 0, 0];
        yield return [0x81, 202, 0, 4, 0, 0, 0, 1, 2, 1, 65, 1, 3, 65, 66, 67, 0, 0, 0, 0];
        yield return [0x8F, 206, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0x52, 0x45, 0x4D, 0x42];
        yield return [0x80, 207, 0, 13, 0, 0, 0, 1, 4, 0, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8, 7, 0, 0, 8, 0, 0, 0, 2, .. Enumerable.Range(1, 28).Select(i => (byte)i)];
        yield return [0x80, 204, 0, 2, 0, 0, 0, 1, 65, 66, 67, 68];
    }

    public static byte[] Packet(RtpHeader header, int payloadLength)
    {
        var payload = new byte[payloadLength];
        payload.AsSpan().Fill(0x55);
        var packet = new byte[RtpPacket.HeaderLength + payloadLength];
        RtpWriter.Write(packet, header, payload);
        return packet;
    }

    public static byte[] SenderReport(uint ssrc, ulong ntp, uint timestamp) =>
    [
        0x80, 200, 0, 6, .. Bytes(ssrc), .. Bytes((uint)(ntp >> 32)), .. Bytes((uint)ntp), .. Bytes(timestamp), 0, 0, 0, 1, 0, 0, 0, 160,
        0x81, 202, 0, 2, .. Bytes(ssrc), 1, 1, 65, 0,
    ];

    private static byte[] Receiver(int reports, bool goodbye)
    {
        var buffer = new byte[2048];
        var writer = new RtcpWriter(buffer);
        var blocks = Enumerable.Range(0, reports).Select(i => new ReportBlock((uint)i, 1, -1, 70000, 5, 6, 7)).ToArray();
        writer.WriteReceiverReport(1, blocks);
        writer.WriteCname(1, "name"u8);
        if (goodbye) writer.WriteGoodbye(1);
        return buffer[..writer.Length];
    }

    private static byte[] Bytes(uint value) => [(byte)(value >> 24), (byte)(value >> 16), (byte)(value >> 8), (byte)value];
}
