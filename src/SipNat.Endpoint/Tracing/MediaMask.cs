using System.Buffers.Binary;
using SipNat.Media.Rtp;
using SipNat.Traversal.Stun;
using SipNat.Wire;

namespace SipNat.Endpoint.Tracing;

/// <summary>
/// What of a datagram of a media port may be shown: the headers of RTP, all of RTCP, and of STUN what is no secret. What
/// is said and pressed in a call is in no trace.
/// </summary>
public static class MediaMask
{
    private const int RtpHeaderLength = 12;
    private const int ExtensionHeaderLength = 4;
    private const int ChannelHeaderLength = 4;
    private const int DtlsHeaderLength = 13;
    private const int StunAttributeHeaderLength = 4;
    private const uint FingerprintMask = 0x5354_554e;

    // A relay carries packets, and nobody puts a relay into a relay.
    private const int MaxDepth = 2;

    /// <summary>Masks a datagram in place, and returns how many of its bytes are to be shown.</summary>
    public static int Mask(Span<byte> datagram) => Mask(datagram, 1);

    private static int Mask(Span<byte> datagram, int depth)
    {
        switch (MediaDemultiplexer.Classify(datagram))
        {
            case MediaPacketKind.Rtcp:
                return datagram.Length;
            case MediaPacketKind.Rtp:
                return RtpHeaderOf(datagram);
            case MediaPacketKind.Dtls:
                return Math.Min(datagram.Length, DtlsHeaderLength);
            case MediaPacketKind.TurnChannel when datagram.Length >= ChannelHeaderLength && depth < MaxDepth:
                var inner = datagram[ChannelHeaderLength..];
                return ChannelHeaderLength + Mask(inner[..Math.Min(inner.Length, BinaryPrimitives.ReadUInt16BigEndian(datagram[2..]))], depth + 1);
            case MediaPacketKind.Stun when StunMessage.TryRead(datagram, out _, out _):
                MaskStun(datagram, depth);
                return datagram.Length;
            default:
                return 0;
        }
    }

    private static int RtpHeaderOf(ReadOnlySpan<byte> packet)
    {
        if (packet.Length < RtpHeaderLength) return 0;

        var length = RtpHeaderLength + (4 * (packet[0] & 0x0F));
        if ((packet[0] & 0x10) != 0 && length + ExtensionHeaderLength <= packet.Length)
        {
            length += ExtensionHeaderLength + (4 * BinaryPrimitives.ReadUInt16BigEndian(packet[(length + 2)..]));
        }

        return length <= packet.Length ? length : RtpHeaderLength;
    }

    private static void MaskStun(Span<byte> message, int depth)
    {
        var hasRealm = false;
        for (var at = StunMessage.HeaderLength; at < message.Length; at = Next(message, at)) hasRealm |= TypeAt(message, at) is StunAttributeType.Realm;

        for (var at = StunMessage.HeaderLength; at < message.Length; at = Next(message, at))
        {
            var value = message.Slice(at + StunAttributeHeaderLength, LengthAt(message, at));
            switch (TypeAt(message, at))
            {
                // Where there is a realm it names an account of a TURN server, which may be a password for a time.
                case StunAttributeType.Username when hasRealm:
                    value.Fill((byte)'*');
                    break;
                case StunAttributeType.MessageIntegrity or StunAttributeType.MessageIntegritySha256 or StunAttributeType.UserHash or StunAttributeType.ReservationToken:
                case (StunAttributeType)0x0007 or (StunAttributeType)0x001B or (StunAttributeType)0x8030:
                    // PASSWORD (RFC 3489 §11.2.7), ACCESS-TOKEN (RFC 7635 §6.2), MOBILITY-TICKET (RFC 8016 §5).
                    value.Clear();
                    break;
                case StunAttributeType.Data:
                    value[(depth < MaxDepth ? Mask(value, depth + 1) : 0)..].Clear();
                    break;
                case StunAttributeType.Fingerprint when value.Length == sizeof(uint):
                    BinaryPrimitives.WriteUInt32BigEndian(value, Crc32.Compute(message[..at]) ^ FingerprintMask);
                    break;
            }
        }
    }

    private static StunAttributeType TypeAt(ReadOnlySpan<byte> message, int at) => (StunAttributeType)BinaryPrimitives.ReadUInt16BigEndian(message[at..]);

    private static int LengthAt(ReadOnlySpan<byte> message, int at) => BinaryPrimitives.ReadUInt16BigEndian(message[(at + 2)..]);

    private static int Next(ReadOnlySpan<byte> message, int at) => at + StunAttributeHeaderLength + ((LengthAt(message, at) + 3) & ~3);
}
