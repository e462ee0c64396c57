using System.Buffers.Binary;

namespace SipNat.Media.Rtp;

/// <summary>Writes RTP packets without CSRC list, extension or padding (RFC 3550 §5.1).</summary>
public static class RtpWriter
{
    private const byte Version2 = 0x80;

    /// <summary>Writes header and payload and returns their length, <see cref="RtpPacket.HeaderLength"/> plus the payload's.</summary>
    /// <param name="destination">At least that long.</param>
    public static int Write(Span<byte> destination, in RtpHeader header, ReadOnlySpan<byte> payload)
    {
        var length = RtpPacket.HeaderLength + payload.Length;
        if (header.PayloadType is < 0 or > 127) throw new ArgumentException("A payload type has seven bits.", nameof(header));
        if (destination.Length < length) throw new ArgumentException("The packet does not fit.", nameof(destination));

        destination[0] = Version2;
        destination[1] = (byte)((header.Marker ? 0x80 : 0) | header.PayloadType);
        BinaryPrimitives.WriteUInt16BigEndian(destination[2..], header.SequenceNumber);
        BinaryPrimitives.WriteUInt32BigEndian(destination[4..], header.Timestamp);
        BinaryPrimitives.WriteUInt32BigEndian(destination[8..], header.Ssrc);
        payload.CopyTo(destination[RtpPacket.HeaderLength..]);
        return length;
    }
}

/// <summary>The fields of a fixed RTP header that vary from packet to packet (RFC 3550 §5.1).</summary>
/// <param name="PayloadType">0–127.</param>
public readonly record struct RtpHeader(int PayloadType, ushort SequenceNumber, uint Timestamp, uint Ssrc, bool Marker = false);
