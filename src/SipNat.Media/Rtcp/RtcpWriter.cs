using System.Buffers.Binary;

namespace SipNat.Media.Rtcp;

/// <summary>Writes the packets of a compound one behind the other (RFC 3550 §6.1): RR or SR first, then SDES, then what is extended, then BYE.</summary>
public ref struct RtcpWriter
{
    /// <summary>Report blocks that one RR holds (RFC 3550 §6.4.2).</summary>
    public const int MaxReports = 31;

    /// <summary>Bytes of a canonical name here; RFC 7022's names have 16.</summary>
    public const int MaxCname = 32;

    private const byte Version2 = 0x80;
    private const byte CnameItem = 1;
    private const int HeaderLength = 4;

    private readonly Span<byte> _destination;

    public RtcpWriter(Span<byte> destination) => _destination = destination;

    /// <summary>Bytes written so far.</summary>
    public int Length { get; private set; }

    /// <summary>Bytes that an SR has more than an RR.</summary>
    public const int SenderExtra = SenderReport.Size - sizeof(uint);

    /// <summary>Bytes of an extended report with VoIP metrics.</summary>
    public const int MetricsLength = HeaderLength + sizeof(uint) + VoipMetrics.Size;

    /// <summary>Bytes that a compound of RR, CNAME and BYE takes.</summary>
    public static int SizeOf(int reports, int cnameLength, bool goodbye) =>
        (HeaderLength + sizeof(uint) + (reports * ReportBlock.Size)) + ChunkLength(cnameLength) + HeaderLength
        + (goodbye ? HeaderLength + sizeof(uint) : 0);

    /// <param name="reports">At most <see cref="MaxReports"/>.</param>
    public void WriteReceiverReport(uint ssrc, scoped ReadOnlySpan<ReportBlock> reports)
    {
        if (reports.Length > MaxReports) throw new ArgumentException("An RR holds 31 report blocks.", nameof(reports));

        var body = Begin(RtcpPacketType.ReceiverReport, reports.Length, sizeof(uint) + (reports.Length * ReportBlock.Size));
        BinaryPrimitives.WriteUInt32BigEndian(body, ssrc);
        for (var i = 0; i < reports.Length; i++) reports[i].Write(body[(sizeof(uint) + (i * ReportBlock.Size))..]);
    }

    /// <param name="sender">Its SSRC is that of the packet.</param>
    /// <param name="reports">At most <see cref="MaxReports"/>.</param>
    public void WriteSenderReport(in SenderReport sender, scoped ReadOnlySpan<ReportBlock> reports)
    {
        if (reports.Length > MaxReports) throw new ArgumentException("An SR holds 31 report blocks.", nameof(reports));

        var body = Begin(RtcpPacketType.SenderReport, reports.Length, SenderReport.Size + (reports.Length * ReportBlock.Size));
        sender.Write(body);
        for (var i = 0; i < reports.Length; i++) reports[i].Write(body[(SenderReport.Size + (i * ReportBlock.Size))..]);
    }

    /// <summary>An extended report with one block (RFC 3611 §2).</summary>
    public void WriteMetrics(uint ssrc, in VoipMetrics metrics)
    {
        var body = Begin(RtcpPacketType.ExtendedReport, 0, sizeof(uint) + VoipMetrics.Size);
        BinaryPrimitives.WriteUInt32BigEndian(body, ssrc);
        metrics.Write(body[sizeof(uint)..]);
    }

    /// <summary>An SDES packet with the one item that every compound needs (RFC 3550 §6.5.1).</summary>
    /// <param name="cname">At most <see cref="MaxCname"/> bytes.</param>
    public void WriteCname(uint ssrc, scoped ReadOnlySpan<byte> cname)
    {
        if (cname.Length > MaxCname) throw new ArgumentException("The name is too long.", nameof(cname));

        var body = Begin(RtcpPacketType.SourceDescription, 1, ChunkLength(cname.Length));
        body.Clear();
        BinaryPrimitives.WriteUInt32BigEndian(body, ssrc);
        body[4] = CnameItem;
        body[5] = (byte)cname.Length;
        cname.CopyTo(body[6..]);
    }

    public void WriteGoodbye(uint ssrc) =>
        BinaryPrimitives.WriteUInt32BigEndian(Begin(RtcpPacketType.Goodbye, 1, sizeof(uint)), ssrc);

    // SSRC, item header, text and at least one null, up to a whole word.
    private static int ChunkLength(int cnameLength) => (sizeof(uint) + 2 + cnameLength + 1 + 3) & ~3;

    private Span<byte> Begin(RtcpPacketType type, int count, int bodyLength)
    {
        var packet = _destination.Slice(Length, HeaderLength + bodyLength);
        packet[0] = (byte)(Version2 | count);
        packet[1] = (byte)type;
        BinaryPrimitives.WriteUInt16BigEndian(packet[2..], (ushort)(bodyLength / sizeof(uint)));
        Length += packet.Length;
        return packet[HeaderLength..];
    }
}
