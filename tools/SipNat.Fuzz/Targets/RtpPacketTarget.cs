using SipNat.Fuzz.Engine;
using SipNat.Media.Rtp;

namespace SipNat.Fuzz.Targets;

/// <summary>One RTP packet.</summary>
internal sealed class RtpPacketTarget : IFuzzTarget
{
    public string Name => "rtp-packet";

    public string Promise => "every accessor is total and within the packet; its parts add up; a plain packet is written as it was read";

    public int MaxLength => 66 * 1024;

    public IReadOnlyList<byte[]> Tokens { get; } = [[0x80, 0x00], [0x90, 0x08], [0xB0, 0x65], [0xBF, 0xFF], [0xBE, 0xDE, 0x00, 0x01], [0x00, 0x00, 0x00, 0x04], [0xFF, 0xFF]];

    public IEnumerable<byte[]> Seeds(Corpus corpus) => RtpSeeds.Packets();

    public long AllowedBytes(int inputLength) => (32 * 1024) + (2L * inputLength);

    public int Run(ReadOnlySpan<byte> input)
    {
        var kind = MediaDemultiplexer.Classify(input);
        if (!RtpPacket.TryRead(input, out var packet, out var defect))
        {
            Invariant.Holds(defect is not RtpDefect.None, "What cannot be read has a defect.");
            return HashCode.Combine(kind, defect);
        }

        Invariant.Inside(input, packet.Payload, "payload");
        Invariant.Inside(input, packet.Extension, "extension");
        Invariant.Holds(packet.PayloadType is >= 0 and <= 127, "A payload type has seven bits.");
        var header = RtpPacket.HeaderLength + (4 * packet.CsrcCount) + (packet.HasExtension ? 4 : 0) + packet.Extension.Length;
        Invariant.Holds(header + packet.Payload.Length + packet.PaddingLength == input.Length, "The parts add up.");
        for (var i = 0; i < packet.CsrcCount; i++) _ = packet.Csrc(i);
        if (header == RtpPacket.HeaderLength && packet.PaddingLength == 0 && (input[0] & 0x20) == 0) CheckRoundTrip(input, packet);
        return HashCode.Combine(kind, packet.CsrcCount, packet.HasExtension, packet.ExtensionProfile is 0xBEDE, packet.PaddingLength > 0, packet.Payload.IsEmpty);
    }

    private static void CheckRoundTrip(ReadOnlySpan<byte> input, RtpPacket packet)
    {
        var written = new byte[input.Length];
        var length = RtpWriter.Write(written, new(packet.PayloadType, packet.SequenceNumber, packet.Timestamp, packet.Ssrc, packet.Marker), packet.Payload);
        Invariant.Holds(input.SequenceEqual(written.AsSpan(0, length)), "A plain packet is written as it was read.");
    }
}
