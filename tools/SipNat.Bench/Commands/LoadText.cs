using SipNat.Bench.Load;

namespace SipNat.Bench.Commands;

/// <summary>A load report for people.</summary>
internal static class LoadText
{
    public static void Write(TextWriter output, LoadReport report)
    {
        var (setUp, packets) = (report.SetUp, report.Packets);
        var times = setUp.InviteTo200Milliseconds;
        output.WriteLine($"{(report.IsWhole ? "Whole" : "NOT whole")}: {setUp.Answered} of {report.Sessions} sessions answered, {setUp.Recorded} recorded, {report.Seconds:F0} s each.");
        output.WriteLine($"  set-up    {setUp.RatePerSecond:F1} sessions/s; INVITE to 200: p50 {times.P50} ms, p90 {times.P90} ms, p99 {times.P99} ms, max {times.Max} ms");
        var last = setUp.LastInviteTo200Milliseconds;
        output.WriteLine($"            of the last {Math.Min(SetUpReport.Last, setUp.Answered)}: p50 {last.P50} ms, p90 {last.P90} ms, p99 {last.P99} ms, max {last.Max} ms");
        if (report.Teardown is { ByeTo200Milliseconds: var byes } teardown)
        {
            output.WriteLine($"  teardown  {teardown.Ended} answered in {teardown.Seconds} s; BYE to 200: p50 {byes.P50} ms, p99 {byes.P99} ms, max {byes.Max} ms");
        }

        output.WriteLine($"  packets   {packets.Sent} sent, {packets.Received} received, {packets.Lost} lost, {packets.NotSent} not sent; sent at most {packets.SentLateMilliseconds} ms late");
        if (report.Frames is { } frames) output.WriteLine($"  frames    {frames.InPlace} of {frames.Sent} at their place, {frames.Elsewhere} elsewhere, {frames.Missing} missing");
        if (report.Silence is { Files: > 0 } silence) output.WriteLine($"  silence   {silence.ToldSeconds:F3} s told by findings, {silence.FoundSeconds:F3} s found in {silence.Files} files; {silence.ToldOtherwise} files are not as told");
        if (report.Server is { } server)
        {
            var cpu = server.CpuMicrosecondsPerPacket is { } time
                ? $"{time} µs CPU per packet, {server.CpuPercentOfCore} % of a core; {server.MillisecondsPerSetUp} ms CPU per set-up"
                : $"CPU not measured, as every session was up for less than {ServerMeter.ShortestWindow.TotalSeconds} s (--seconds has to be longer than the set-up)";
            output.WriteLine($"  recorder  {cpu}; resident {server.ResidentMegabytes} MB, at most {server.MostResidentMegabytes} MB; {server.KilobytesPerSession} kB per session");
            if (server.CorePercent is { } busy) output.WriteLine($"  its core  {server.CoreMicrosecondsPerPacket} µs per packet, {busy} % busy, whoever ran there");
        }

        if (report.Killed is { } killed)
        {
            output.WriteLine($"  killed    {killed.Interrupted} of {setUp.Answered} sessions recovered and marked as interrupted; {killed.Frames} frames at their place, {killed.Wrong} wrong; at most {killed.MostMissingSeconds} s missing of a stream");
        }

        if (report.Checks is { Milliseconds: var answers } checks) output.WriteLine($"  checks    {checks.Answered} of {checks.Sent} answered; p50 {answers.P50} ms, p99 {answers.P99} ms, max {answers.Max} ms");
        if (report.Flood is { } flood)
        {
            var statuses = string.Join(", ", flood.Answers.Select(answer => $"{answer.Value} × {answer.Key}"));
            output.WriteLine($"  flood     {flood.Invites} INVITE, {flood.Options} OPTIONS, {flood.Packets} RTP in {flood.Seconds} s; answered {(statuses.Length == 0 ? "nothing" : statuses)}");
        }

        foreach (var (code, count) in report.Findings) output.WriteLine($"  finding   {code}: {count}");
        foreach (var problem in report.Problems) output.WriteLine($"  problem   {problem}");
    }
}
