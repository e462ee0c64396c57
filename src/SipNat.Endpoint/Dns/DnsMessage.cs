using System.Buffers.Binary;

namespace SipNat.Endpoint.Dns;

/// <summary>A response of the DNS (RFC 1035 §4), as far as a stub resolver has to do with it: the additional section is not read.</summary>
/// <param name="Id">The id of the query that it answers.</param>
/// <param name="Question">What it answers.</param>
/// <param name="ResponseCode">0 no error, 3 no such name; anything else is the server's own trouble.</param>
/// <param name="IsTruncated">Whether the rest of it is to be had over TCP only.</param>
/// <param name="Answers">Records of class IN and of known types, in order.</param>
/// <param name="Authorities">As <paramref name="Answers"/>.</param>
public sealed record DnsMessage(
    ushort Id,
    DnsQuestion Question,
    int ResponseCode,
    bool IsTruncated,
    IReadOnlyList<DnsRecord> Answers,
    IReadOnlyList<DnsRecord> Authorities)
{
    public const int HeaderLength = 12;

    /// <summary>Records of the answer and authority sections together; a message with more is not believed.</summary>
    public const int MaxRecords = 256;

    /// <summary>The longest query that is written.</summary>
    public const int MaxQueryLength = HeaderLength + DnsName.MaxWireLength + 4;

    public const int NoSuchName = 3;

    private const ushort ClassIn = 1;
    private const ushort ResponseBit = 0x8000;
    private const ushort OpcodeBits = 0x7800;
    private const ushort TruncatedBit = 0x0200;
    private const ushort RecursionDesired = 0x0100;

    /// <summary>Reads a response to a query of one question.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out DnsMessage message, out DnsDefect defect)
    {
        message = null!;
        defect = DnsDefect.TooShort;
        if (bytes.Length < HeaderLength) return false;

        var flags = BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]);
        defect = DnsDefect.NotAResponse;
        if ((flags & (ResponseBit | OpcodeBits)) != ResponseBit) return false;

        var offset = HeaderLength;
        if (!TryReadQuestion(bytes, ref offset, out var question, out defect)) return false;

        // What was cut off is counted in the header all the same.
        var isTruncated = (flags & TruncatedBit) != 0;
        var answers = new List<DnsRecord>();
        var authorities = new List<DnsRecord>();
        if (!isTruncated)
        {
            var (answerCount, authorityCount) = (BinaryPrimitives.ReadUInt16BigEndian(bytes[6..]), BinaryPrimitives.ReadUInt16BigEndian(bytes[8..]));
            defect = DnsDefect.TooManyRecords;
            if (answerCount + authorityCount > MaxRecords) return false;
            if (!TryReadRecords(bytes, ref offset, answerCount, answers, out defect)) return false;
            if (!TryReadRecords(bytes, ref offset, authorityCount, authorities, out defect)) return false;
        }

        defect = DnsDefect.None;
        message = new(BinaryPrimitives.ReadUInt16BigEndian(bytes), question, flags & 0xF, isTruncated, answers, authorities);
        return true;
    }

    /// <summary>Writes a query for recursion, and gives its bytes.</summary>
    /// <param name="destination"><see cref="MaxQueryLength"/> bytes.</param>
    /// <param name="id">What the response has to repeat; nobody may guess it.</param>
    /// <param name="question">A valid name and its type.</param>
    public static int WriteQuery(Span<byte> destination, ushort id, DnsQuestion question)
    {
        destination[..HeaderLength].Clear();
        BinaryPrimitives.WriteUInt16BigEndian(destination, id);
        BinaryPrimitives.WriteUInt16BigEndian(destination[2..], RecursionDesired);
        BinaryPrimitives.WriteUInt16BigEndian(destination[4..], 1);
        var length = HeaderLength + DnsName.Write(destination[HeaderLength..], question.Name);
        BinaryPrimitives.WriteUInt16BigEndian(destination[length..], (ushort)question.Type);
        BinaryPrimitives.WriteUInt16BigEndian(destination[(length + 2)..], ClassIn);
        return length + 4;
    }

    /// <summary>A TTL with its highest bit set is none (RFC 2181 §8).</summary>
    internal static TimeSpan Lifetime(uint seconds) => TimeSpan.FromSeconds(seconds > int.MaxValue ? 0 : seconds);

    private static bool TryReadQuestion(ReadOnlySpan<byte> bytes, ref int offset, out DnsQuestion question, out DnsDefect defect)
    {
        question = default;
        defect = DnsDefect.NotOneQuestion;
        if (BinaryPrimitives.ReadUInt16BigEndian(bytes[4..]) != 1) return false;

        defect = DnsDefect.BadName;
        if (!DnsName.TryRead(bytes, ref offset, out var name)) return false;

        defect = DnsDefect.TooShort;
        if (offset + 4 > bytes.Length) return false;

        defect = DnsDefect.NotOneQuestion;
        if (BinaryPrimitives.ReadUInt16BigEndian(bytes[(offset + 2)..]) != ClassIn) return false;

        question = new(name, (DnsType)BinaryPrimitives.ReadUInt16BigEndian(bytes[offset..]));
        offset += 4;
        return true;
    }

    //  NAME | TYPE (2) | CLASS (2) | TTL (4) | RDLENGTH (2) | RDATA
    private static bool TryReadRecords(ReadOnlySpan<byte> bytes, ref int offset, int count, List<DnsRecord> records, out DnsDefect defect)
    {
        const int Fixed = 10;
        for (; count > 0; count--)
        {
            defect = DnsDefect.BadName;
            if (!DnsName.TryRead(bytes, ref offset, out var owner)) return false;

            defect = DnsDefect.TooShort;
            if (offset + Fixed > bytes.Length) return false;

            var type = (DnsType)BinaryPrimitives.ReadUInt16BigEndian(bytes[offset..]);
            var isInternet = BinaryPrimitives.ReadUInt16BigEndian(bytes[(offset + 2)..]) == ClassIn;
            var ttl = Lifetime(BinaryPrimitives.ReadUInt32BigEndian(bytes[(offset + 4)..]));
            int length = BinaryPrimitives.ReadUInt16BigEndian(bytes[(offset + 8)..]);
            offset += Fixed;
            if (offset + length > bytes.Length) return false;

            defect = DnsDefect.BadRecord;
            DnsRecord? record = null;
            if (isInternet && !DnsRecord.TryRead(bytes, offset, length, owner, type, ttl, out record)) return false;
            if (record is not null) records.Add(record);
            offset += length;
        }

        defect = DnsDefect.None;
        return true;
    }
}

/// <summary>Why bytes are not a response that can be used. A metric tag, hence no text.</summary>
public enum DnsDefect
{
    None,
    TooShort,

    /// <summary>A query, or another operation.</summary>
    NotAResponse,

    /// <summary>No question, several, or one of another class.</summary>
    NotOneQuestion,

    /// <summary>A name that does not end, is too long, or points forward.</summary>
    BadName,
    TooManyRecords,

    /// <summary>Data that are not what their type says.</summary>
    BadRecord,
}
