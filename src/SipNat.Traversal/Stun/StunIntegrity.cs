using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace SipNat.Traversal.Stun;

/// <summary>
/// MESSAGE-INTEGRITY and MESSAGE-INTEGRITY-SHA256 (RFC 8489 §14.5, §14.6) and the keys that they use. Names and passwords
/// are taken as they are: a caller that accepts more than ASCII prepares them first (OpaqueString, RFC 8265).
/// </summary>
public static class StunIntegrity
{
    /// <summary>Bytes of MESSAGE-INTEGRITY: HMAC-SHA1, which is never shortened.</summary>
    public const int Sha1Length = HMACSHA1.HashSizeInBytes;

    /// <summary>Bytes of a full MESSAGE-INTEGRITY-SHA256.</summary>
    public const int Sha256Length = HMACSHA256.HashSizeInBytes;

    /// <summary>The shortest MESSAGE-INTEGRITY-SHA256 that counts; longer ones are multiples of four (RFC 8489 §14.6).</summary>
    public const int MinSha256Length = 16;

    private const int MaxStackBytes = 256;

    /// <summary>Whether MESSAGE-INTEGRITY is present and made with this key.</summary>
    public static bool IsValid(StunMessage message, ReadOnlySpan<byte> key)
    {
        if (!message.TryFind(StunAttributeType.MessageIntegrity, out var attribute)) return false;
        if (attribute.Value.Length != Sha1Length) return false;

        Span<byte> expected = stackalloc byte[Sha1Length];
        Compute(message.Bytes[..attribute.Offset], Sha1Length, key, expected, isSha256: false);
        return CryptographicOperations.FixedTimeEquals(expected, attribute.Value);
    }

    /// <summary>Whether MESSAGE-INTEGRITY-SHA256, full or shortened, is present and made with this key.</summary>
    public static bool IsValidSha256(StunMessage message, ReadOnlySpan<byte> key)
    {
        if (!message.TryFind(StunAttributeType.MessageIntegritySha256, out var attribute)) return false;
        if (!IsSha256Length(attribute.Value.Length)) return false;

        Span<byte> expected = stackalloc byte[Sha256Length];
        Compute(message.Bytes[..attribute.Offset], attribute.Value.Length, key, expected, isSha256: true);
        return CryptographicOperations.FixedTimeEquals(expected[..attribute.Value.Length], attribute.Value);
    }

    /// <summary>The key of the short-term mechanism (RFC 8489 §9.1.1).</summary>
    public static byte[] ShortTermKey(string password) => Encoding.UTF8.GetBytes(password);

    /// <summary>The key of the long-term mechanism with MD5 (RFC 8489 §18.5.1.1), which servers of RFC 5389 know alone.</summary>
    public static byte[] LongTermKey(string username, string realm, string password) =>
        MD5.HashData(Encoding.UTF8.GetBytes($"{username}:{realm}:{password}"));

    /// <summary>The key of the long-term mechanism with SHA-256 (RFC 8489 §18.5.1.2).</summary>
    public static byte[] LongTermKeySha256(string username, string realm, string password) =>
        SHA256.HashData(Encoding.UTF8.GetBytes($"{username}:{realm}:{password}"));

    /// <summary>The value of USERHASH (RFC 8489 §14.4).</summary>
    public static byte[] UserHash(string username, string realm) => SHA256.HashData(Encoding.UTF8.GetBytes($"{username}:{realm}"));

    internal static bool IsSha256Length(int length) => length is >= MinSha256Length and <= Sha256Length && length % 4 == 0;

    // The HMAC covers everything before the attribute, with a length field that ends with the attribute: what follows
    // it may have been added later (RFC 8489 §14.5).
    internal static void Compute(ReadOnlySpan<byte> covered, int valueLength, ReadOnlySpan<byte> key, Span<byte> hash, bool isSha256)
    {
        byte[]? rented = null;
        Span<byte> copy = covered.Length <= MaxStackBytes
            ? stackalloc byte[MaxStackBytes]
            : rented = ArrayPool<byte>.Shared.Rent(covered.Length);
        copy = copy[..covered.Length];
        covered.CopyTo(copy);
        var length = covered.Length - StunMessage.HeaderLength + StunAttribute.HeaderLength + valueLength;
        BinaryPrimitives.WriteUInt16BigEndian(copy[2..], (ushort)length);

        if (isSha256) HMACSHA256.HashData(key, copy, hash);
        else HMACSHA1.HashData(key, copy, hash);

        if (rented is not null) ArrayPool<byte>.Shared.Return(rented);
    }
}
