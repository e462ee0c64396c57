using System.Buffers.Binary;

namespace SipNat.Traversal.Stun;

/// <summary>UNKNOWN-ATTRIBUTES, which says with a 420 what was not understood (RFC 8489 §14.13).</summary>
public static class StunUnknownAttributes
{
    /// <summary>More are neither written nor read.</summary>
    public const int MaxCount = 16;

    private const int EntryLength = 2;

    /// <summary>Reads the list into <paramref name="types"/> and returns how many there are.</summary>
    public static int Read(StunMessage response, Span<StunAttributeType> types)
    {
        if (!response.TryGet(StunAttributeType.UnknownAttributes, out var value)) return 0;

        var count = Math.Min(Math.Min(value.Length / EntryLength, types.Length), MaxCount);
        for (var i = 0; i < count; i++)
        {
            types[i] = (StunAttributeType)BinaryPrimitives.ReadUInt16BigEndian(value[(i * EntryLength)..]);
        }

        return count;
    }

    /// <summary>Adds ERROR-CODE 420 and the attributes of a request that must be understood and are not, each once.</summary>
    public static void Write(ref StunWriter writer, StunMessage request)
    {
        writer.AddErrorCode(StunErrorCode.UnknownAttribute, "Unknown Attribute");
        Span<byte> value = stackalloc byte[MaxCount * EntryLength];
        var length = 0;
        foreach (var attribute in request.Attributes)
        {
            if (!attribute.Type.MustBeUnderstood || Enum.IsDefined(attribute.Type) || length == value.Length) continue;
            if (Contains(value[..length], attribute.Type)) continue;

            BinaryPrimitives.WriteUInt16BigEndian(value[length..], (ushort)attribute.Type);
            length += EntryLength;
        }

        writer.Add(StunAttributeType.UnknownAttributes, value[..length]);
    }

    private static bool Contains(ReadOnlySpan<byte> list, StunAttributeType type)
    {
        for (var i = 0; i < list.Length; i += EntryLength)
        {
            if (BinaryPrimitives.ReadUInt16BigEndian(list[i..]) == (ushort)type) return true;
        }

        return false;
    }
}
