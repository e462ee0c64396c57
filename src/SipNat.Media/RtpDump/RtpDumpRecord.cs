using System.Buffers.Binary;

namespace SipNat.Media.RtpDump;

/// <summary>One packet of an "rtpdump" file, viewed in place.</summary>
/// <remarks>
/// <code>
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |  length, this header included |  packet's length, 0 for RTCP  |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |               milliseconds since the file's start             |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                            packet ...                         |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// </code>
/// </remarks>
public readonly ref struct RtpDumpRecord
{
    /// <summary>Bytes before the packet.</summary>
    public const int HeaderLength = 8;

    /// <summary>Bytes of the longest record.</summary>
    public const int MaxLength = ushort.MaxValue;

    /// <summary>The longest packet that a record takes.</summary>
    public const int MaxPacket = MaxLength - HeaderLength;

    private readonly ReadOnlySpan<byte> _bytes;

    private RtpDumpRecord(ReadOnlySpan<byte> bytes) => _bytes = bytes;

    /// <summary>Bytes of the record.</summary>
    public int Length => _bytes.Length;

    /// <summary>Arrival in milliseconds since the file's start.</summary>
    public uint Milliseconds => BinaryPrimitives.ReadUInt32BigEndian(_bytes[4..]);

    /// <summary>The packet, or as much of it as was kept.</summary>
    public ReadOnlySpan<byte> Packet => _bytes[HeaderLength..];

    /// <summary>Reads the record that the bytes begin with. False where they end within it.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out RtpDumpRecord record)
    {
        record = default;
        if (bytes.Length < HeaderLength) return false;

        var length = BinaryPrimitives.ReadUInt16BigEndian(bytes);
        if (length < HeaderLength || length > bytes.Length) return false;

        record = new(bytes[..length]);
        return true;
    }

    /// <summary>Writes a record of a whole RTP packet and returns its length.</summary>
    /// <param name="destination">At least <see cref="HeaderLength"/> bytes more than the packet.</param>
    /// <param name="packet">At most <see cref="MaxPacket"/> bytes.</param>
    public static int Write(Span<byte> destination, uint milliseconds, ReadOnlySpan<byte> packet)
    {
        var length = HeaderLength + packet.Length;
        if (packet.Length > MaxPacket) throw new ArgumentException($"A record takes {MaxPacket} bytes.", nameof(packet));
        if (destination.Length < length) throw new ArgumentException("The record does not fit.", nameof(destination));

        BinaryPrimitives.WriteUInt16BigEndian(destination, (ushort)length);
        BinaryPrimitives.WriteUInt16BigEndian(destination[2..], (ushort)packet.Length);
        BinaryPrimitives.WriteUInt32BigEndian(destination[4..], milliseconds);
        packet.CopyTo(destination[HeaderLength..]);
        return length;
    }
}
