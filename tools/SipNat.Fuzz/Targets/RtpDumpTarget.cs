using System.Text;
using SipNat.Fuzz.Engine;
using SipNat.Media.RtpDump;

namespace SipNat.Fuzz.Targets;

/// <summary>A file of kept packets: a header, and records up to the first that is not whole.</summary>
internal sealed class RtpDumpTarget : IFuzzTarget
{
    public string Name => "rtpdump";

    public string Promise => "records lie one after the other within the file; what is read is written as it was; time covered is no longer than time";

    public int MaxLength => 4096;

    public IReadOnlyList<byte[]> Tokens { get; } =
        [Encoding.ASCII.GetBytes("#!rtpplay1.0 "), [(byte)'\n'], [0, 8, 0, 0], [0, 20, 0, 12, 0, 0, 0, 40], [0xFF, 0xFF], [0, 0]];

    public IEnumerable<byte[]> Seeds(Corpus corpus)
    {
        foreach (var packets in (int[])[0, 1, 40])
        {
            List<byte> file = [.. new RtpDumpHeader(DateTimeOffset.UnixEpoch, Addresses.Of("198.51.100.7:40000")[0], default).ToArray()];
            Span<byte> record = stackalloc byte[RtpDumpRecord.HeaderLength + 20];
            for (var i = 0; i < packets; i++)
            {
                RtpDumpRecord.Write(record, (uint)i * 20, [0x80, 18, 0, (byte)i, .. new byte[16]]);
                file.AddRange(record);
            }

            yield return [.. file];
        }
    }

    public long AllowedBytes(int inputLength) => (16 * 1024) + (64L * inputLength);

    public int Run(ReadOnlySpan<byte> input)
    {
        if (!RtpDumpHeader.TryReadLength(input, out var header)) return -1;

        Invariant.Holds(header > 0 && header <= input.Length, "A header lies within the file.");
        var coverage = new PacketCoverage();
        var latest = 0u;
        var records = 0;
        for (var rest = input[header..]; RtpDumpRecord.TryRead(rest, out var record); rest = rest[record.Length..])
        {
            Invariant.Holds(record.Length >= RtpDumpRecord.HeaderLength && record.Length <= rest.Length, "A record lies within the file.");
            Invariant.Inside(input, record.Packet, "A packet");
            CheckRoundTrip(record);
            latest = Math.Max(latest, record.Milliseconds);
            coverage.Add(latest, record.Milliseconds % 3, (ushort)record.Length);
            records++;
        }

        Invariant.Holds(coverage.Packets == records, "Every record is counted.");
        Invariant.Holds(coverage.Covered >= TimeSpan.Zero && coverage.Covered <= coverage.Duration, "Time covered is no longer than time.", $"{coverage.Covered} of {coverage.Duration}");
        return HashCode.Combine(Math.Min(records, 8), coverage.Covered == coverage.Duration, header);
    }

    private static void CheckRoundTrip(in RtpDumpRecord record)
    {
        var written = new byte[record.Length];
        RtpDumpRecord.Write(written, record.Milliseconds, record.Packet);
        Invariant.Holds(
            RtpDumpRecord.TryRead(written, out var again) && again.Milliseconds == record.Milliseconds && again.Packet.SequenceEqual(record.Packet),
            "A record is read as it is written.");
    }
}
