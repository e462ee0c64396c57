using System.Buffers.Binary;

namespace SipNat.Traversal.Stun;

/// <summary>The 96 bits that tie a response to its request (RFC 8489 §5).</summary>
public readonly record struct StunTransactionId(uint High, ulong Low)
{
    /// <summary>Bytes on the wire.</summary>
    public const int Length = 12;

    /// <summary>A fresh identifier; an attacker off the path must not guess it, so production passes a cryptographic source.</summary>
    public static StunTransactionId Create(Random random)
    {
        Span<byte> bytes = stackalloc byte[Length];
        random.NextBytes(bytes);
        return Read(bytes);
    }

    public static StunTransactionId Read(ReadOnlySpan<byte> bytes) =>
        new(BinaryPrimitives.ReadUInt32BigEndian(bytes), BinaryPrimitives.ReadUInt64BigEndian(bytes[4..]));

    public void Write(Span<byte> bytes)
    {
        BinaryPrimitives.WriteUInt32BigEndian(bytes, High);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[4..], Low);
    }

    public override string ToString() => $"{High:x8}{Low:x16}";
}
