using System.Buffers.Binary;

namespace SipNat.Traversal.Stun;

/// <summary>How a long-term key is made of a password (RFC 8489 §18.5). Names are the registry's.</summary>
public enum StunPasswordAlgorithm : ushort
{
    None = 0x0000,
    Md5 = 0x0001,
    Sha256 = 0x0002,
}

/// <summary>The values of PASSWORD-ALGORITHMS and PASSWORD-ALGORITHM (RFC 8489 §14.11, §14.12).</summary>
public static class StunPasswordAlgorithms
{
    /// <summary>A longer list, in bytes, is none: two algorithms exist, of four bytes each.</summary>
    public const int MaxLength = 128;

    private const int EntryHeaderLength = 4;

    /// <summary>The first algorithm of the list that is known here; false where there is none or the list is malformed.</summary>
    public static bool TryChoose(ReadOnlySpan<byte> list, out StunPasswordAlgorithm algorithm)
    {
        algorithm = StunPasswordAlgorithm.None;
        if (list.Length > MaxLength) return false;

        for (var rest = list; rest.Length >= EntryHeaderLength;)
        {
            var number = (StunPasswordAlgorithm)BinaryPrimitives.ReadUInt16BigEndian(rest);
            var parameters = BinaryPrimitives.ReadUInt16BigEndian(rest[2..]);
            // Neither of the two that exist has parameters.
            if (number is StunPasswordAlgorithm.Md5 or StunPasswordAlgorithm.Sha256 && parameters == 0)
            {
                algorithm = number;
                return true;
            }

            rest = rest[Math.Min(rest.Length, EntryHeaderLength + StunAttribute.Padded(parameters))..];
        }

        return false;
    }

    /// <summary>Adds PASSWORD-ALGORITHM.</summary>
    public static void Write(ref StunWriter writer, StunPasswordAlgorithm algorithm) =>
        writer.AddUInt32(StunAttributeType.PasswordAlgorithm, (uint)algorithm << 16);
}
