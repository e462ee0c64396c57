using System.Buffers.Binary;
using SipNat.Wire;

namespace SipNat.Traversal.Stun;

/// <summary>
/// The value of MAPPED-ADDRESS, XOR-MAPPED-ADDRESS and their kin: a zero byte, the family, the port and the address
/// (RFC 8489 §14.1, §14.2).
/// </summary>
internal static class StunAddress
{
    public const int MaxLength = PrefixLength + 16;

    private const int PrefixLength = 4;
    private const byte FamilyIPv4 = 1;
    private const byte FamilyIPv6 = 2;

    // The key of the XOR forms is the magic cookie followed by the transaction id, as the header has them.
    private const int KeyOffset = 4;
    private const int KeyLength = 16;

    public static bool TryRead(ReadOnlySpan<byte> value, bool isXor, ReadOnlySpan<byte> header, out TransportAddress address)
    {
        address = default;
        if (value.Length < PrefixLength) return false;

        var length = value[1] switch
        {
            FamilyIPv4 => 4,
            FamilyIPv6 => 16,
            _ => 0,
        };
        if (length == 0 || value.Length != PrefixLength + length) return false;

        Span<byte> octets = stackalloc byte[16];
        octets = octets[..length];
        value[PrefixLength..].CopyTo(octets);
        var port = BinaryPrimitives.ReadUInt16BigEndian(value[2..]);
        if (isXor) port ^= Combine(octets, header);

        address = new(octets, port);
        return true;
    }

    /// <summary>Writes the value and returns its length: 8 or 20.</summary>
    public static int Write(Span<byte> value, TransportAddress address, bool isXor, ReadOnlySpan<byte> header)
    {
        if (address.IsNone) throw new ArgumentException("An address attribute needs an address.", nameof(address));

        var octets = value.Slice(PrefixLength, address.AddressLength);
        address.WriteOctets(octets);
        var port = address.Port;
        if (isXor) port ^= Combine(octets, header);

        value[0] = 0;
        value[1] = address.IsIPv4 ? FamilyIPv4 : FamilyIPv6;
        BinaryPrimitives.WriteUInt16BigEndian(value[2..], port);
        return PrefixLength + octets.Length;
    }

    // Combines the octets in place and returns what the port is combined with: the cookie's upper half.
    private static ushort Combine(Span<byte> octets, ReadOnlySpan<byte> header)
    {
        var key = header.Slice(KeyOffset, KeyLength);
        for (var i = 0; i < octets.Length; i++) octets[i] ^= key[i];
        return BinaryPrimitives.ReadUInt16BigEndian(key);
    }
}
