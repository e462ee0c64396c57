using System.Globalization;
using SipNat.Bench.Growth;

namespace SipNat.Bench.Commands;

/// <summary>Growth as a table.</summary>
internal static class GrowthText
{
    public static void Write(TextWriter output, GrowthReport report)
    {
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"each size measured for {report.Seconds:F0} s; mux: RTCP shares the port of RTP"));
        output.WriteLine($"{"streams",8} {"mux",4} {"µs/packet",10} {"% of core",10} {"ms/set-up",10} {"p50 ms",8} {"p99 ms",8} {"kB/session",11} {"lost",8} {"frames in place",16}");
        foreach (var row in report.Rows) output.WriteLine(Line(row));
    }

    private static string Line(GrowthRow row)
    {
        var head = $"{row.Streams,8} {(row.RtcpMux ? "yes" : "no"),4} ";
        if (row.Load is not { Server: { } server, Frames: { } frames } load) return head + row.Note;

        var times = load.SetUp.InviteTo200Milliseconds;
        return head + string.Create(
            CultureInfo.InvariantCulture,
            $"{server.CpuMicrosecondsPerPacket,10:F2} {server.CpuPercentOfCore,10:F1} {server.MillisecondsPerSetUp,10:F2} {times.P50,8:F1} {times.P99,8:F1} {server.KilobytesPerSession,11:F1} {load.Packets.Lost,8} {(double)frames.InPlace / frames.Sent,16:P3}{(load.IsWhole ? "" : "  NOT whole")}");
    }
}
