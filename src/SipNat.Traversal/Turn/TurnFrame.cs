using System.Buffers.Binary;
using SipNat.Traversal.Stun;

namespace SipNat.Traversal.Turn;

/// <summary>
/// Cuts the byte stream of a connection to a TURN server into messages: STUN says its length in its header, ChannelData
/// ends at a multiple of four (RFC 8656 §12.5). There is nothing to resynchronise by.
/// </summary>
public static class TurnFrame
{
    /// <summary>The bytes that decide how long a message is.</summary>
    public const int PrefixLength = 4;

    /// <summary>The longest message: a header and the 65,532 bytes that a padded length can tell, and the padding.</summary>
    public const int MaxLength = StunMessage.HeaderLength + 65_536;

    /// <summary>Tells the length of the message that the stream begins with.</summary>
    /// <param name="stream">What has arrived.</param>
    /// <param name="length">Bytes of the message, padding included; 0 while too few have arrived to say.</param>
    /// <returns>False where no message can begin like this: the connection is to be closed.</returns>
    public static bool TryMeasure(ReadOnlySpan<byte> stream, out int length)
    {
        length = 0;
        if (stream.Length < PrefixLength) return stream.IsEmpty || stream[0] <= 3 || stream[0] >> 4 == 4;

        var rest = BinaryPrimitives.ReadUInt16BigEndian(stream[2..]);
        if (stream[0] <= 3)
        {
            length = StunMessage.HeaderLength + rest;
            return rest % 4 == 0;
        }

        if (!ChannelData.IsNumber(BinaryPrimitives.ReadUInt16BigEndian(stream))) return false;

        length = ChannelData.LengthOf(rest, isPadded: true);
        return true;
    }
}
