using System.Buffers.Binary;
using SipNat.Wire;

namespace SipNat.Traversal.Stun;

/// <summary>A STUN message viewed in place over the received bytes (RFC 8489 §5).</summary>
/// <remarks>
/// <code>
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// |0 0|     message type          |         length of the rest    |
/// |                         magic cookie                          |
/// |                     transaction id (96 bits)                  |
/// |                                                               |
/// |                                                               |
/// </code>
/// What stands behind MESSAGE-INTEGRITY is unprotected and invisible, except for the second integrity attribute and
/// FINGERPRINT (RFC 8489 §14.5, §14.6).
/// </remarks>
public readonly ref struct StunMessage
{
    public const int HeaderLength = 20;
    public const uint MagicCookie = 0x2112A442;

    /// <summary>A message with more attributes is refused: none in use has twenty.</summary>
    public const int MaxAttributes = 64;

    private const int LengthOffset = 2;
    private const int CookieOffset = 4;
    private const int TransactionIdOffset = 8;
    private const byte LastFirstByte = 3;

    private StunMessage(ReadOnlySpan<byte> bytes) => Bytes = bytes;

    /// <summary>The whole message, header included.</summary>
    public ReadOnlySpan<byte> Bytes { get; }

    // The two class bits sit inside the method bits: M11..M7 C1 M6..M4 C0 M3..M0.
    public StunClass Class => (StunClass)(((Type >> 7) & 0b10) | ((Type >> 4) & 0b01));

    public StunMethod Method => (StunMethod)(((Type >> 2) & 0xF80) | ((Type >> 1) & 0x70) | (Type & 0xF));

    public StunTransactionId TransactionId => StunTransactionId.Read(Bytes[TransactionIdOffset..HeaderLength]);

    /// <summary>The visible attributes in their order.</summary>
    public StunAttributeEnumerator Attributes => new(Bytes);

    private ushort Type => BinaryPrimitives.ReadUInt16BigEndian(Bytes);

    /// <summary>
    /// Tells STUN from whatever else a socket carries, without reading attributes: first byte 0–3 (RFC 7983 §7), magic
    /// cookie and matching length. SIP's first bytes fall into other ranges of RFC 7983, hence all three.
    /// </summary>
    public static bool LooksLikeStun(ReadOnlySpan<byte> datagram) =>
        datagram.Length >= HeaderLength
        && datagram[0] <= LastFirstByte
        && BinaryPrimitives.ReadUInt32BigEndian(datagram[CookieOffset..]) == MagicCookie
        && BinaryPrimitives.ReadUInt16BigEndian(datagram[LengthOffset..]) == datagram.Length - HeaderLength;

    public static bool TryRead(ReadOnlySpan<byte> datagram, out StunMessage message, out StunDefect defect)
    {
        message = default;
        defect = Inspect(datagram);
        if (defect is not StunDefect.None) return false;

        message = new(datagram);
        return true;
    }

    /// <summary>Finds the first visible attribute of a type; later duplicates are ignored (RFC 8489 §14).</summary>
    public bool TryGet(StunAttributeType type, out ReadOnlySpan<byte> value)
    {
        var found = TryFind(type, out var attribute);
        value = attribute.Value;
        return found;
    }

    /// <summary>Reads an attribute that holds an address, plain or combined with the cookie as its type says.</summary>
    public bool TryGetAddress(StunAttributeType type, out TransportAddress address)
    {
        address = default;
        return TryGet(type, out var value) && StunAddress.TryRead(value, type.IsXorAddress, Bytes, out address);
    }

    /// <summary>XOR-MAPPED-ADDRESS, or MAPPED-ADDRESS of a server that knows only that one.</summary>
    public bool TryGetMappedAddress(out TransportAddress address) =>
        TryGetAddress(StunAttributeType.XorMappedAddress, out address)
        || TryGetAddress(StunAttributeType.MappedAddress, out address);

    /// <summary>Reads an attribute of 32 bits: PRIORITY, LIFETIME, REQUESTED-TRANSPORT.</summary>
    public bool TryGetUInt32(StunAttributeType type, out uint value)
    {
        var found = TryGet(type, out var bytes) && bytes.Length == sizeof(uint);
        value = found ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : 0;
        return found;
    }

    /// <summary>Reads ERROR-CODE (RFC 8489 §14.8).</summary>
    /// <param name="code">300–699.</param>
    /// <param name="reason">UTF-8, for people.</param>
    public bool TryGetErrorCode(out int code, out ReadOnlySpan<byte> reason)
    {
        code = 0;
        reason = default;
        if (!TryGet(StunAttributeType.ErrorCode, out var value) || value.Length < 4) return false;

        var (hundreds, rest) = (value[2] & 0b111, value[3]);
        if (hundreds is < 3 or > 6 || rest > 99) return false;

        code = (hundreds * 100) + rest;
        reason = value[4..];
        return true;
    }

    /// <summary>Finds the first attribute that must be understood and is not in <see cref="StunAttributeType"/>.</summary>
    public bool HasUnknownRequiredAttribute(out StunAttributeType type)
    {
        foreach (var attribute in Attributes)
        {
            if (!attribute.Type.MustBeUnderstood || Enum.IsDefined(attribute.Type)) continue;

            type = attribute.Type;
            return true;
        }

        type = default;
        return false;
    }

    internal bool TryFind(StunAttributeType type, out StunAttribute found)
    {
        foreach (var attribute in Attributes)
        {
            if (attribute.Type != type) continue;

            found = attribute;
            return true;
        }

        found = default;
        return false;
    }

    // Checks the structure once, so that every accessor above is total.
    private static StunDefect Inspect(ReadOnlySpan<byte> datagram)
    {
        if (datagram.Length < HeaderLength) return StunDefect.TooShort;
        if (datagram[0] > 0b0011_1111) return StunDefect.NotStun;
        if (BinaryPrimitives.ReadUInt32BigEndian(datagram[CookieOffset..]) != MagicCookie) return StunDefect.NotStun;

        var length = BinaryPrimitives.ReadUInt16BigEndian(datagram[LengthOffset..]);
        if (length != datagram.Length - HeaderLength || length % 4 != 0) return StunDefect.WrongLength;

        var count = 0;
        for (var rest = datagram[HeaderLength..]; !rest.IsEmpty; rest = rest[StunAttribute.Stride(rest)..])
        {
            // The length is a multiple of four, so a rest that is not empty holds an attribute header.
            if (rest.Length < StunAttribute.Stride(rest)) return StunDefect.TruncatedAttribute;
            if (++count > MaxAttributes) return StunDefect.TooManyAttributes;
        }

        return StunDefect.None;
    }
}

/// <summary>Why a datagram is not a readable STUN message. A metric tag, hence no text.</summary>
public enum StunDefect
{
    None,
    TooShort,
    NotStun,
    WrongLength,
    TruncatedAttribute,
    TooManyAttributes,
}

public enum StunClass
{
    Request,
    Indication,
    Success,
    Error,
}

public enum StunMethod
{
    Binding = 0x001,
    Allocate = 0x003,
    Refresh = 0x004,
    Send = 0x006,
    Data = 0x007,
    CreatePermission = 0x008,
    ChannelBind = 0x009,
}
