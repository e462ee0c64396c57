using System.Text;
using SipNat.Endpoint.Dns;
using SipNat.Fuzz.Engine;

namespace SipNat.Fuzz.Targets;

/// <summary>A response of a DNS server.</summary>
internal sealed class DnsMessageTarget : IFuzzTarget
{
    private const int MaxName = 4 * 255;

    public string Name => "dns-message";

    public string Promise => "what cannot be read has a defect; records are bounded, and so are their names";

    public int MaxLength => 4096;

    public IReadOnlyList<byte[]> Tokens { get; } =
    [
        [0xC0, 0x0C], [0xC0, 0x00], [0, 1, 0, 1], [0, 5, 0, 1], [0, 6, 0, 1], [0, 28, 0, 1], [0, 33, 0, 1], [0, 35, 0, 1], [0, 4], [0, 16], [0x3F], [0],
    ];

    /// <summary>A response with an alias and one record of each type, names compressed.</summary>
    public static byte[] Response { get; } =
    [
        0, 1, 0x81, 0x80, 0, 1, 0, 5, 0, 1, 0, 0,
        1, (byte)'a', 2, (byte)'e', (byte)'x', 0, 0, 1, 0, 1,
        0xC0, 12, 0, 5, 0, 1, 0, 0, 0, 60, 0, 4, 1, (byte)'b', 0xC0, 14,
        0xC0, 34, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1,
        0xC0, 34, 0, 28, 0, 1, 0, 0, 0, 60, 0, 16, 0x20, 1, 0x0D, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
        0xC0, 34, 0, 33, 0, 1, 0, 0, 0, 60, 0, 8, 0, 1, 0, 2, 0x0D, 0x96, 0xC0, 34,
        0xC0, 34, 0, 35, 0, 1, 0, 0, 0, 60, 0, 10, 0, 1, 0, 2, 1, (byte)'s', 0, 0, 0xC0, 34,
        0xC0, 14, 0, 6, 0, 1, 0, 0, 0, 60, 0, 24, 0xC0, 14, 0xC0, 14, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 5,
    ];

    public IEnumerable<byte[]> Seeds(Corpus corpus) => [Response];

    // A name of 255 bytes is up to 1,020 characters of text, twice, and stands in as many records as there are.
    public long AllowedBytes(int inputLength) => (64 * 1024) + (2L * DnsMessage.MaxRecords * MaxName * 8);

    public int Run(ReadOnlySpan<byte> input)
    {
        var isRead = DnsMessage.TryRead(input, out var message, out var defect);
        Invariant.Holds(isRead == defect is DnsDefect.None, "What cannot be read has a defect.");
        if (!isRead) return (int)defect;

        Invariant.Holds(message.Answers.Count + message.Authorities.Count <= DnsMessage.MaxRecords, "Records are bounded.");
        Invariant.Holds(message.Question.Name.Length <= MaxName, "Names are bounded.");
        var kinds = new HashCode();
        foreach (var record in message.Answers.Concat(message.Authorities))
        {
            Invariant.Holds(record.Owner.Length <= MaxName && Encoding.UTF8.GetByteCount(record.Owner) == record.Owner.Length, "Names are bounded, and ASCII.");
            Invariant.Holds(record.Ttl >= TimeSpan.Zero, "No lifetime is negative.");
            kinds.Add(record.GetType());
        }

        return HashCode.Combine(message.IsTruncated, message.ResponseCode, kinds.ToHashCode() % 64);
    }
}
