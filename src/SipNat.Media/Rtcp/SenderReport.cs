using System.Buffers.Binary;

namespace SipNat.Media.Rtcp;

/// <summary>The sender information of an SR (RFC 3550 §6.4.1): which wall-clock moment a timestamp stands for.</summary>
/// <param name="Ntp">The sender's wall clock; none where it has no clock.</param>
/// <param name="RtpTimestamp">The same moment in the media clock.</param>
public readonly record struct SenderReport(uint Ssrc, NtpTimestamp Ntp, uint RtpTimestamp, uint PacketCount, uint OctetCount)
{
    internal const int Size = 24;

    internal void Write(Span<byte> body)
    {
        BinaryPrimitives.WriteUInt32BigEndian(body, Ssrc);
        BinaryPrimitives.WriteUInt64BigEndian(body[4..], Ntp.Value);
        BinaryPrimitives.WriteUInt32BigEndian(body[12..], RtpTimestamp);
        BinaryPrimitives.WriteUInt32BigEndian(body[16..], PacketCount);
        BinaryPrimitives.WriteUInt32BigEndian(body[20..], OctetCount);
    }

    internal static SenderReport Read(ReadOnlySpan<byte> body) => new(
        BinaryPrimitives.ReadUInt32BigEndian(body),
        new(BinaryPrimitives.ReadUInt64BigEndian(body[4..])),
        BinaryPrimitives.ReadUInt32BigEndian(body[12..]),
        BinaryPrimitives.ReadUInt32BigEndian(body[16..]),
        BinaryPrimitives.ReadUInt32BigEndian(body[20..]));
}
