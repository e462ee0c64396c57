using System.Globalization;

namespace SipNat.Bench.Compare;

/// <summary>A comparison as a table.</summary>
internal static class CompareText
{
    public static void Write(TextWriter output, CompareReport report)
    {
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{report.Streams} streams of 50 packets a second, measured for {report.Seconds:F0} s, medians of {report.Runs} runs"));
        output.WriteLine($"{"program",-20} {"µs/packet",10} {"% of core",10} {"to limit",9} {"received",9} {"MB",7}");
        foreach (var program in report.Programs)
        {
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{program.Name,-20} {program.CpuMicrosecondsPerPacket,10:F2} {program.CpuPercentOfCore,10:F0} {program.RatioToLimit,9:F2} {program.Received,9:P2} {program.ResidentMegabytes,7:F0} {program.Note}"));
        }
    }
}
