using System.Buffers.Binary;
using System.Text;
using SipNat.Wire;

namespace SipNat.Traversal.Stun;

/// <summary>
/// Writes a STUN message into a caller's span; the header's length is right after every call. The span must be long
/// enough: a message that does not fit is a programming error and throws.
/// </summary>
public ref struct StunWriter
{
    private readonly Span<byte> _buffer;
    private StunAttributeType _last;

    public StunWriter(Span<byte> buffer, StunClass @class, StunMethod method, StunTransactionId id)
    {
        _buffer = buffer;
        Length = StunMessage.HeaderLength;
        BinaryPrimitives.WriteUInt16BigEndian(buffer, Type(@class, method));
        BinaryPrimitives.WriteUInt16BigEndian(buffer[2..], 0);
        BinaryPrimitives.WriteUInt32BigEndian(buffer[4..], StunMessage.MagicCookie);
        id.Write(buffer[8..StunMessage.HeaderLength]);
    }

    /// <summary>Bytes written, header included.</summary>
    public int Length { get; private set; }

    public readonly ReadOnlySpan<byte> Written => _buffer[..Length];

    /// <summary>An attribute with any value; its padding is zero.</summary>
    public void Add(StunAttributeType type, scoped ReadOnlySpan<byte> value) => value.CopyTo(Reserve(type, value.Length));

    /// <summary>An attribute with a text value: USERNAME, REALM, NONCE or SOFTWARE, in UTF-8.</summary>
    public void AddText(StunAttributeType type, scoped ReadOnlySpan<char> text) =>
        Encoding.UTF8.GetBytes(text, Reserve(type, Encoding.UTF8.GetByteCount(text)));

    /// <summary>An attribute of 32 bits: PRIORITY, LIFETIME, CHANGE-REQUEST.</summary>
    public void AddUInt32(StunAttributeType type, uint value) =>
        BinaryPrimitives.WriteUInt32BigEndian(Reserve(type, sizeof(uint)), value);

    /// <summary>An attribute with an address, combined with the cookie where its type says so (RFC 8489 §14.2).</summary>
    public void AddAddress(StunAttributeType type, TransportAddress address)
    {
        Span<byte> value = stackalloc byte[StunAddress.MaxLength];
        Add(type, value[..StunAddress.Write(value, address, type.IsXorAddress, _buffer)]);
    }

    /// <param name="code">300–699 (RFC 8489 §14.8).</param>
    /// <param name="reason">For people; at most 127 characters.</param>
    public void AddErrorCode(int code, scoped ReadOnlySpan<char> reason)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(code, 300);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(code, 699);
        var value = Reserve(StunAttributeType.ErrorCode, 4 + Encoding.UTF8.GetByteCount(reason));
        value[..2].Clear();
        (value[2], value[3]) = ((byte)(code / 100), (byte)(code % 100));
        Encoding.UTF8.GetBytes(reason, value[4..]);
    }

    /// <summary>MESSAGE-INTEGRITY over everything written so far (RFC 8489 §14.5).</summary>
    public void AddIntegrity(scoped ReadOnlySpan<byte> key)
    {
        Span<byte> hash = stackalloc byte[StunIntegrity.Sha1Length];
        StunIntegrity.Compute(Written, hash.Length, key, hash, isSha256: false);
        Add(StunAttributeType.MessageIntegrity, hash);
    }

    /// <summary>MESSAGE-INTEGRITY-SHA256 over everything written so far (RFC 8489 §14.6).</summary>
    /// <param name="key">The key of the credential mechanism.</param>
    /// <param name="length">16–32, a multiple of four; shortened only where both sides agreed on it.</param>
    public void AddIntegritySha256(scoped ReadOnlySpan<byte> key, int length = StunIntegrity.Sha256Length)
    {
        if (!StunIntegrity.IsSha256Length(length)) throw new ArgumentOutOfRangeException(nameof(length));

        Span<byte> hash = stackalloc byte[StunIntegrity.Sha256Length];
        StunIntegrity.Compute(Written, length, key, hash, isSha256: true);
        Add(StunAttributeType.MessageIntegritySha256, hash[..length]);
    }

    /// <summary>FINGERPRINT, which ends the message (RFC 8489 §14.7).</summary>
    public void AddFingerprint()
    {
        var covered = Length;
        var value = Reserve(StunAttributeType.Fingerprint, StunFingerprint.Length);
        BinaryPrimitives.WriteUInt32BigEndian(value, StunFingerprint.Compute(_buffer[..covered]));
    }

    private Span<byte> Reserve(StunAttributeType type, int length)
    {
        ThrowIfOutOfOrder(type);
        var attribute = _buffer.Slice(Length, StunAttribute.HeaderLength + StunAttribute.Padded(length));
        BinaryPrimitives.WriteUInt16BigEndian(attribute, (ushort)type);
        BinaryPrimitives.WriteUInt16BigEndian(attribute[2..], checked((ushort)length));
        var value = attribute[StunAttribute.HeaderLength..];
        value[length..].Clear();

        Length += attribute.Length;
        BinaryPrimitives.WriteUInt16BigEndian(_buffer[2..], checked((ushort)(Length - StunMessage.HeaderLength)));
        return value[..length];
    }

    // A reader ignores what stands behind the integrity, so writing it there is a mistake of ours.
    private void ThrowIfOutOfOrder(StunAttributeType type)
    {
        var allowed = _last switch
        {
            StunAttributeType.MessageIntegrity => type.MayFollowIntegrity,
            StunAttributeType.MessageIntegritySha256 => type is StunAttributeType.Fingerprint,
            StunAttributeType.Fingerprint => false,
            _ => true,
        };
        if (!allowed) throw new InvalidOperationException($"{type} cannot stand behind {_last}.");

        _last = type;
    }

    private static ushort Type(StunClass @class, StunMethod method)
    {
        var (c, m) = ((int)@class, (int)method);
        return (ushort)(((m & 0xF80) << 2) | ((c & 0b10) << 7) | ((m & 0x70) << 1) | ((c & 0b01) << 4) | (m & 0xF));
    }
}
