using System.Buffers.Binary;

namespace SipNat.Traversal.Turn;

/// <summary>
/// A ChannelData message viewed in place (RFC 8656 §12.4): the channel's number and the length in four bytes, then the
/// application's data.
/// </summary>
public readonly ref struct ChannelData
{
    public const int HeaderLength = 4;

    /// <summary>Channel numbers are 0x4000–0x4FFF (RFC 8656 §12).</summary>
    public const ushort FirstNumber = 0x4000;

    public const ushort LastNumber = 0x4FFF;

    private ChannelData(ushort number, ReadOnlySpan<byte> payload)
    {
        Number = number;
        Payload = payload;
    }

    public ushort Number { get; }

    public ReadOnlySpan<byte> Payload { get; }

    /// <summary>Reads a datagram, or a message of a stream; padding behind the data is allowed in both (RFC 8656 §12.5).</summary>
    public static bool TryRead(ReadOnlySpan<byte> message, out ChannelData data, out ChannelDataDefect defect)
    {
        data = default;
        defect = Inspect(message);
        if (defect is not ChannelDataDefect.None) return false;

        data = new(ReadNumber(message), message.Slice(HeaderLength, ReadLength(message)));
        return true;
    }

    /// <summary>Bytes of a message; over a stream it ends at a multiple of four (RFC 8656 §12.5).</summary>
    public static int LengthOf(int payload, bool isPadded) => HeaderLength + (isPadded ? (payload + 3) & ~3 : payload);

    /// <summary>Fills a message of <see cref="LengthOf"/> bytes; the padding is zero.</summary>
    public static void Write(Span<byte> message, ushort number, ReadOnlySpan<byte> payload)
    {
        BinaryPrimitives.WriteUInt16BigEndian(message, number);
        BinaryPrimitives.WriteUInt16BigEndian(message[2..], checked((ushort)payload.Length));
        payload.CopyTo(message[HeaderLength..]);
        message[(HeaderLength + payload.Length)..].Clear();
    }

    internal static int ReadLength(ReadOnlySpan<byte> header) => BinaryPrimitives.ReadUInt16BigEndian(header[2..]);

    internal static bool IsNumber(ushort number) => number is >= FirstNumber and <= LastNumber;

    private static ushort ReadNumber(ReadOnlySpan<byte> header) => BinaryPrimitives.ReadUInt16BigEndian(header);

    private static ChannelDataDefect Inspect(ReadOnlySpan<byte> message)
    {
        if (message.Length < HeaderLength) return ChannelDataDefect.TooShort;
        if (!IsNumber(ReadNumber(message))) return ChannelDataDefect.NotAChannel;

        var length = ReadLength(message);
        if (message.Length < HeaderLength + length) return ChannelDataDefect.Truncated;
        return message.Length > LengthOf(length, isPadded: true) ? ChannelDataDefect.WrongLength : ChannelDataDefect.None;
    }
}

/// <summary>Why bytes are not a ChannelData message. A metric tag, hence no text.</summary>
public enum ChannelDataDefect
{
    None,
    TooShort,

    /// <summary>The number lies outside 0x4000–0x4FFF.</summary>
    NotAChannel,

    /// <summary>The data end before their length.</summary>
    Truncated,

    /// <summary>More than the padding follows the data.</summary>
    WrongLength,
}
