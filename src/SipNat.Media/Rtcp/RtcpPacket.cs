using System.Buffers.Binary;

namespace SipNat.Media.Rtcp;

/// <summary>One packet of a compound, viewed in place (RFC 3550 §6.4–6.7).</summary>
/// <remarks>
/// <code>
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |V=2|P|  count  |      type     |  length in 32-bit words − 1   |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// </code>
/// </remarks>
public readonly ref struct RtcpPacket
{
    internal const int HeaderLength = 4;

    private const int SenderInfoLength = 24;
    private const int CnameItem = 1;

    private readonly ReadOnlySpan<byte> _bytes;

    internal RtcpPacket(ReadOnlySpan<byte> bytes) => _bytes = bytes;

    public RtcpPacketType Type => (RtcpPacketType)_bytes[1];

    /// <summary>0–31: report blocks, chunks or sources; a subtype or format in the other types.</summary>
    public int Count => _bytes[0] & 0x1F;

    /// <summary>What follows the first word, without padding.</summary>
    public ReadOnlySpan<byte> Body => _bytes[HeaderLength..^PaddingOf(_bytes)];

    /// <summary>The reporting SSRC of SR and RR, the SSRC of APP and feedback; 0 in a packet without one.</summary>
    public uint SenderSsrc => Type is RtcpPacketType.SourceDescription or RtcpPacketType.Goodbye || Body.Length < sizeof(uint)
        ? 0
        : BinaryPrimitives.ReadUInt32BigEndian(Body);

    /// <summary>Report blocks of an SR or RR, 0–31; 0 in other packets.</summary>
    public int ReportCount => BlocksOffset(Type) < 0 ? 0 : Count;

    /// <param name="index">0 to <see cref="ReportCount"/> − 1.</param>
    public ReportBlock Report(int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, ReportCount);
        return ReportBlock.Read(Body[(BlocksOffset(Type) + (index * ReportBlock.Size))..]);
    }

    public bool TryGetSenderReport(out SenderReport report)
    {
        var isReport = Type is RtcpPacketType.SenderReport;
        report = isReport ? SenderReport.Read(Body) : default;
        return isReport;
    }

    /// <summary>The VoIP metrics of an extended report (RFC 3611 §4.7).</summary>
    public bool TryGetVoipMetrics(out VoipMetrics metrics)
    {
        metrics = default;
        return Type is RtcpPacketType.ExtendedReport && VoipMetrics.TryRead(Body[sizeof(uint)..], out metrics);
    }

    /// <summary>Sources that leave by this BYE; 0 in other packets.</summary>
    public int GoodbyeCount => Type is RtcpPacketType.Goodbye ? Count : 0;

    /// <param name="index">0 to <see cref="GoodbyeCount"/> − 1.</param>
    public uint GoodbyeSsrc(int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, GoodbyeCount);
        return BinaryPrimitives.ReadUInt32BigEndian(Body[(index * sizeof(uint))..]);
    }

    /// <summary>The canonical name of the first SDES chunk that has one (RFC 3550 §6.5.1).</summary>
    public bool TryGetCname(out uint ssrc, out ReadOnlySpan<byte> cname)
    {
        ssrc = 0;
        cname = default;
        if (Type is not RtcpPacketType.SourceDescription) return false;

        var rest = Body;
        for (var chunk = 0; chunk < Count && rest.Length > sizeof(uint); chunk++)
        {
            ssrc = BinaryPrimitives.ReadUInt32BigEndian(rest);
            rest = rest[sizeof(uint)..];
            if (TryFindCname(ref rest, out cname)) return true;
        }

        ssrc = 0;
        return false;
    }

    internal static int LengthOf(ReadOnlySpan<byte> bytes) => (BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]) + 1) * sizeof(uint);

    // Checks what the accessors rely on: padding only at the very end (§6.4.1), and room for everything counted.
    internal static RtcpDefect Inspect(ReadOnlySpan<byte> bytes, bool isLast)
    {
        var padding = PaddingOf(bytes);
        var hasPadding = (bytes[0] & 0x20) != 0;
        if (hasPadding && (!isLast || padding == 0 || padding % sizeof(uint) != 0)) return RtcpDefect.WrongPadding;
        if (padding > bytes.Length - HeaderLength) return RtcpDefect.WrongPadding;

        var type = (RtcpPacketType)bytes[1];
        var body = bytes.Length - HeaderLength - padding;
        var count = bytes[0] & 0x1F;
        var needed = type switch
        {
            RtcpPacketType.SenderReport or RtcpPacketType.ReceiverReport => BlocksOffset(type) + (count * ReportBlock.Size),
            RtcpPacketType.Goodbye => count * sizeof(uint),
            RtcpPacketType.ApplicationDefined => 2 * sizeof(uint),
            RtcpPacketType.ExtendedReport => sizeof(uint),
            _ => 0,
        };
        return body < needed ? RtcpDefect.WrongCount : RtcpDefect.None;
    }

    // Items are type, length and text; a null byte ends the chunk and fills it to a word (RFC 3550 §6.5).
    private static bool TryFindCname(scoped ref ReadOnlySpan<byte> rest, out ReadOnlySpan<byte> cname)
    {
        while (rest.Length >= 2 && rest[0] != 0)
        {
            var length = rest[1];
            if (rest.Length < 2 + length) break;
            if (rest[0] == CnameItem)
            {
                cname = rest.Slice(2, length);
                return true;
            }

            rest = rest[(2 + length)..];
        }

        var toBoundary = rest.IsEmpty || rest[0] != 0 ? rest.Length : ((rest.Length - 1) % sizeof(uint)) + 1;
        rest = rest[toBoundary..];
        cname = default;
        return false;
    }

    private static int BlocksOffset(RtcpPacketType type) => type switch
    {
        RtcpPacketType.SenderReport => SenderInfoLength,
        RtcpPacketType.ReceiverReport => sizeof(uint),
        _ => -1,
    };

    private static int PaddingOf(ReadOnlySpan<byte> bytes) => (bytes[0] & 0x20) != 0 ? bytes[^1] : 0;
}
