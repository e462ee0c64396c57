using SipNat.Fuzz.Engine;
using SipNat.Media.Rtcp;

namespace SipNat.Fuzz.Targets;

/// <summary>An RTCP compound with everything in it.</summary>
internal sealed class RtcpTarget : IFuzzTarget
{
    public string Name => "rtcp";

    public string Promise => "every accessor is total and within the compound; its packets add up";

    public int MaxLength => 66 * 1024;

    public IReadOnlyList<byte[]> Tokens { get; } =
        [[0x80, 200, 0, 6], [0x81, 201, 0, 7], [0x81, 202, 0, 4], [0x9F, 203, 0, 1], [0x80, 204, 0, 2], [0x8F, 206, 0, 3], [0x80, 207, 0, 1], [0x80, 207, 0, 10], [7, 0, 0, 8], [0xA0, 201, 0, 1], [0, 0, 0, 4], [0xFF, 0xFF], [1, 4], [1, 255]];

    public IEnumerable<byte[]> Seeds(Corpus corpus) => RtpSeeds.Compounds();

    public long AllowedBytes(int inputLength) => 32 * 1024;

    public int Run(ReadOnlySpan<byte> input)
    {
        if (!RtcpCompound.TryRead(input, out var compound, out var defect))
        {
            Invariant.Holds(defect is not RtcpDefect.None, "What cannot be read has a defect.");
            return (int)defect;
        }

        Invariant.Holds(compound.Length == input.Length, "A compound is the datagram.");
        var (packets, seen) = (0, 0);
        foreach (var packet in compound)
        {
            packets++;
            seen = HashCode.Combine(seen, Walk(input, packet));
        }

        Invariant.Holds(packets is > 0 and <= RtcpCompound.MaxPackets, "Packets are capped.");
        return HashCode.Combine(Math.Min(packets, 4), seen);
    }

    private static int Walk(ReadOnlySpan<byte> input, RtcpPacket packet)
    {
        Invariant.Inside(input, packet.Body, "body");
        Invariant.Holds(packet.Count is >= 0 and <= 31, "A count has five bits.");
        _ = packet.SenderSsrc;
        for (var i = 0; i < packet.ReportCount; i++)
        {
            var report = packet.Report(i);
            Invariant.Holds(report.CumulativeLost is >= -0x80_0000 and <= 0x7F_FFFF, "Loss has 24 bits.");
        }

        for (var i = 0; i < packet.GoodbyeCount; i++) _ = packet.GoodbyeSsrc(i);
        var hasName = packet.TryGetCname(out _, out var name);
        Invariant.Inside(input, name, "name");
        var hasMetrics = packet.TryGetVoipMetrics(out var metrics);
        if (hasMetrics) CheckRoundTrip(metrics);
        var hasReport = packet.TryGetSenderReport(out var senderReport);
        if (hasReport) _ = senderReport.Ntp + TimeSpan.FromSeconds(1) - senderReport.Ntp;
        return HashCode.Combine(packet.Type, packet.Count, hasName, hasReport, hasMetrics);
    }

    private static void CheckRoundTrip(in VoipMetrics metrics)
    {
        Span<byte> written = stackalloc byte[RtcpWriter.MetricsLength];
        new RtcpWriter(written).WriteMetrics(metrics.Ssrc, metrics);
        RtcpCompound.TryRead(written, out var compound, out _);
        foreach (var packet in compound)
        {
            Invariant.Holds(packet.TryGetVoipMetrics(out var again) && again == metrics, "Metrics are read as they are written.");
        }
    }
}
