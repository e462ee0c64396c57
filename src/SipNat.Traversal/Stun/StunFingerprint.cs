using System.Buffers.Binary;
using SipNat.Wire;

namespace SipNat.Traversal.Stun;

/// <summary>FINGERPRINT: a CRC-32 that tells STUN from other protocols on the same socket (RFC 8489 §14.7).</summary>
public static class StunFingerprint
{
    /// <summary>Bytes of the value.</summary>
    public const int Length = 4;

    // "STUN" in ASCII: it keeps the value apart from a CRC-32 of the multiplexed protocol itself.
    private const uint Mask = 0x5354_554E;

    /// <summary>The value for a message that ends where the attribute will begin and whose length field counts the attribute.</summary>
    public static uint Compute(ReadOnlySpan<byte> message) => Crc32.Compute(message) ^ Mask;

    /// <summary>Whether the message ends with FINGERPRINT and the value is right; false without one.</summary>
    public static bool IsValid(StunMessage message) =>
        message.TryFind(StunAttributeType.Fingerprint, out var attribute)
        && attribute.Value.Length == Length
        && attribute.Offset + StunAttribute.HeaderLength + Length == message.Bytes.Length
        && BinaryPrimitives.ReadUInt32BigEndian(attribute.Value) == Compute(message.Bytes[..attribute.Offset]);
}
