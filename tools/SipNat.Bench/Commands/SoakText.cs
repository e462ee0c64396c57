using SipNat.Bench.Soak;

namespace SipNat.Bench.Commands;

/// <summary>A soak's report for people.</summary>
internal static class SoakText
{
    public static void Write(TextWriter output, SoakReport report)
    {
        var (sessions, recordings, packets, frames) = (report.Sessions, report.Recordings, report.Packets, report.Frames);
        output.WriteLine($"{(report.IsWhole ? "Whole" : "NOT whole")}: {report.Minutes} minutes, {sessions.MeanUp} sessions up on average ({sessions.Wanted} wanted).");
        output.WriteLine($"  sessions    {sessions.Begun} begun, {sessions.Refused} refused, {sessions.BrokenOff} broken off");
        output.WriteLine($"  recordings  {recordings.Verified} complete and compared, {recordings.Missing} missing, {recordings.Left} left");
        output.WriteLine($"  packets     {packets.Sent} sent, {packets.Received} received, {packets.Lost} lost, {packets.NotSent} not sent; sent at most {packets.SentLateMilliseconds} ms late");
        output.WriteLine($"  frames      {frames.InPlace} of {frames.Sent} at their place, {frames.Elsewhere} elsewhere, {frames.Missing} missing");
        if (report.Memory is { } memory)
        {
            output.WriteLine($"  memory      first quarter {memory.FirstMegabytes} MB, last {memory.LastMegabytes} MB: {memory.ChangePercent:+0.0;-0.0;0.0} % (at most {SoakReport.MostGrowthPercent} %)");
            output.WriteLine($"    heaps     first quarter {memory.FirstAnonymousMegabytes} MB, last {memory.LastAnonymousMegabytes} MB: {memory.AnonymousChangePercent:+0.0;-0.0;0.0} %");
        }

        output.WriteLine($"  recorder    {report.CpuPercentOfCore} % of a core");
        foreach (var (code, count) in report.Findings) output.WriteLine($"  finding     {code}: {count}");
        foreach (var problem in report.Problems) output.WriteLine($"  problem     {problem}");
    }
}
