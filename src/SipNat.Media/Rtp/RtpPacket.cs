using System.Buffers.Binary;

namespace SipNat.Media.Rtp;

/// <summary>An RTP packet viewed in place over the received bytes (RFC 3550 §5.1).</summary>
/// <remarks>
/// <code>
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |V=2|P|X|  CC   |M|     PT      |       sequence number         |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                           timestamp                           |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |           synchronization source (SSRC) identifier            |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |            contributing source (CSRC) identifiers, CC times   |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |  extension: profile word      |  length in 32-bit words       |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// </code>
/// </remarks>
public readonly ref struct RtpPacket
{
    /// <summary>Bytes before the CSRC list.</summary>
    public const int HeaderLength = 12;

    private const int ExtensionHeaderLength = 4;

    private readonly ReadOnlySpan<byte> _bytes;
    private readonly int _payloadOffset;
    private readonly int _payloadLength;

    private RtpPacket(ReadOnlySpan<byte> bytes, int payloadOffset, int payloadLength)
    {
        _bytes = bytes;
        (_payloadOffset, _payloadLength) = (payloadOffset, payloadLength);
    }

    /// <summary>The whole packet as it came.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes;

    public bool HasExtension => (_bytes[0] & 0x10) != 0;

    /// <summary>0–15.</summary>
    public int CsrcCount => _bytes[0] & 0x0F;

    public bool Marker => (_bytes[1] & 0x80) != 0;

    /// <summary>0–127.</summary>
    public int PayloadType => _bytes[1] & 0x7F;

    public ushort SequenceNumber => BinaryPrimitives.ReadUInt16BigEndian(_bytes[2..]);

    public uint Timestamp => BinaryPrimitives.ReadUInt32BigEndian(_bytes[4..]);

    public uint Ssrc => BinaryPrimitives.ReadUInt32BigEndian(_bytes[8..]);

    /// <summary>The profile-defined word of the header extension; 0 without one.</summary>
    public ushort ExtensionProfile => HasExtension ? BinaryPrimitives.ReadUInt16BigEndian(_bytes[ExtensionOffset..]) : (ushort)0;

    /// <summary>The header extension without its four leading bytes; empty without one.</summary>
    public ReadOnlySpan<byte> Extension => HasExtension ? _bytes[(ExtensionOffset + ExtensionHeaderLength).._payloadOffset] : [];

    /// <summary>The payload without padding; may be empty.</summary>
    public ReadOnlySpan<byte> Payload => _bytes.Slice(_payloadOffset, _payloadLength);

    /// <summary>Bytes of padding at the end, its length byte included; 0 without.</summary>
    public int PaddingLength => _bytes.Length - _payloadOffset - _payloadLength;

    private int ExtensionOffset => HeaderLength + (CsrcCount * sizeof(uint));

    /// <param name="index">0 to <see cref="CsrcCount"/> − 1.</param>
    public uint Csrc(int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, CsrcCount);
        return BinaryPrimitives.ReadUInt32BigEndian(_bytes[(HeaderLength + (index * sizeof(uint)))..]);
    }

    public static bool TryRead(ReadOnlySpan<byte> datagram, out RtpPacket packet, out RtpDefect defect)
    {
        packet = default;
        defect = Inspect(datagram, out var offset, out var length);
        if (defect is not RtpDefect.None) return false;

        packet = new(datagram, offset, length);
        return true;
    }

    // Checks the structure once, so that every accessor above is total.
    private static RtpDefect Inspect(ReadOnlySpan<byte> bytes, out int offset, out int length)
    {
        (offset, length) = (0, 0);
        if (bytes.Length < HeaderLength) return RtpDefect.TooShort;
        if (bytes[0] >> 6 != 2) return RtpDefect.WrongVersion;

        offset = HeaderLength + ((bytes[0] & 0x0F) * sizeof(uint));
        if (bytes.Length < offset) return RtpDefect.TruncatedCsrc;

        if ((bytes[0] & 0x10) != 0)
        {
            if (bytes.Length < offset + ExtensionHeaderLength) return RtpDefect.TruncatedExtension;

            var words = BinaryPrimitives.ReadUInt16BigEndian(bytes[(offset + 2)..]);
            offset += ExtensionHeaderLength + (words * sizeof(uint));
            if (bytes.Length < offset) return RtpDefect.TruncatedExtension;
        }

        var padding = (bytes[0] & 0x20) != 0 ? bytes[^1] : 0;
        length = bytes.Length - offset - padding;
        var saysNone = (bytes[0] & 0x20) != 0 && padding == 0;
        return saysNone || length < 0 ? RtpDefect.WrongPadding : RtpDefect.None;
    }
}

/// <summary>Why a datagram is not a readable RTP packet. A metric tag, hence no text.</summary>
public enum RtpDefect
{
    None,
    TooShort,
    WrongVersion,
    TruncatedCsrc,
    TruncatedExtension,
    WrongPadding,
}
