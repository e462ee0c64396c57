using System.Buffers.Binary;

namespace SipNat.Traversal.PortMapping;

/// <summary>The 96 bits by which a mapping is known to be ours (RFC 6887 §11.1); the same for its whole life.</summary>
internal readonly record struct PcpNonce(ulong High, uint Low)
{
    public const int Length = 12;

    public static PcpNonce Create(Random random)
    {
        Span<byte> bytes = stackalloc byte[Length];
        random.NextBytes(bytes);
        return Read(bytes);
    }

    public static PcpNonce Read(ReadOnlySpan<byte> bytes) =>
        new(BinaryPrimitives.ReadUInt64BigEndian(bytes), BinaryPrimitives.ReadUInt32BigEndian(bytes[8..]));

    public void Write(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt64BigEndian(destination, High);
        BinaryPrimitives.WriteUInt32BigEndian(destination[8..], Low);
    }
}
