using System.Buffers.Binary;

namespace SipNat.Traversal.Stun;

/// <summary>One attribute of a <see cref="StunMessage"/>, without its padding.</summary>
public readonly ref struct StunAttribute
{
    internal const int HeaderLength = 4;

    internal StunAttribute(ReadOnlySpan<byte> message, int offset)
    {
        var attribute = message[offset..];
        Type = (StunAttributeType)BinaryPrimitives.ReadUInt16BigEndian(attribute);
        Value = attribute.Slice(HeaderLength, ValueLength(attribute));
        Offset = offset;
    }

    public StunAttributeType Type { get; }

    public ReadOnlySpan<byte> Value { get; }

    /// <summary>Where the attribute's header begins in the message.</summary>
    public int Offset { get; }

    /// <summary>Header, value and the padding to a multiple of four.</summary>
    internal static int Stride(ReadOnlySpan<byte> attribute) => HeaderLength + Padded(ValueLength(attribute));

    internal static int Padded(int length) => (length + 3) & ~3;

    private static int ValueLength(ReadOnlySpan<byte> attribute) => BinaryPrimitives.ReadUInt16BigEndian(attribute[2..]);
}

/// <summary>
/// Walks the visible attributes of an inspected message: behind MESSAGE-INTEGRITY come only MESSAGE-INTEGRITY-SHA256 and
/// FINGERPRINT, behind MESSAGE-INTEGRITY-SHA256 only FINGERPRINT, behind FINGERPRINT nothing (RFC 8489 §14.5–§14.7).
/// </summary>
public ref struct StunAttributeEnumerator
{
    private readonly ReadOnlySpan<byte> _message;
    private int _next;
    private StunAttributeType _last;

    internal StunAttributeEnumerator(ReadOnlySpan<byte> message)
    {
        _message = message;
        _next = StunMessage.HeaderLength;
    }

    public StunAttribute Current { get; private set; }

    public readonly StunAttributeEnumerator GetEnumerator() => this;

    public bool MoveNext()
    {
        while (_next < _message.Length)
        {
            var attribute = new StunAttribute(_message, _next);
            _next += StunAttribute.Stride(_message[_next..]);
            if (!IsVisible(attribute.Type)) continue;

            if (attribute.Type is StunAttributeType.MessageIntegrity || attribute.Type.MayFollowIntegrity) _last = attribute.Type;
            Current = attribute;
            return true;
        }

        return false;
    }

    private readonly bool IsVisible(StunAttributeType type) => _last switch
    {
        StunAttributeType.MessageIntegrity => type.MayFollowIntegrity,
        StunAttributeType.MessageIntegritySha256 => type is StunAttributeType.Fingerprint,
        StunAttributeType.Fingerprint => false,
        _ => true,
    };
}
