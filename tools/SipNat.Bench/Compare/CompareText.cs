using System.Globalization;

namespace SipNat.Bench.Compare;

/// <summary>A comparison as a table.</summary>
internal static class CompareText
{
    public static void Write(TextWriter output, CompareReport report)
    {
        var receiving = report.IsAllIn ? "on the measured core" : "in the sender's time";
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{report.Streams} streams of 50 packets a second, measured for {report.Seconds:F0} s, medians of {report.Runs} runs"));
        output.WriteLine($"over {report.Network}; the kernel receives {receiving}");
        output.WriteLine($"{"program",-18} {"µs/packet",10} {"% of core",10} {"core µs",8} {"core %",7} {"to limit",9} {"received",9} {"MB",7}");
        foreach (var program in report.Programs)
        {
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{program.Name,-18} {program.CpuMicrosecondsPerPacket,10:F2} {program.CpuPercentOfCore,10:F0} {program.CoreMicrosecondsPerPacket,8:F2} {program.CorePercent,7:F0} {program.RatioToLimit,9:F2} {program.Received,9:P2} {program.ResidentMegabytes,7:F0} {program.Note}"));
        }
    }
}
