using SipNat.Bench.Siprec;
using SipNat.Bench.Verification;
using SipNat.Lab.Tests.Scene;

namespace SipNat.Lab.Tests.Durability;

/// <summary>A disk of 20 MiB that is filled under a running recording, and made free again.</summary>
public sealed class DiskFullTests
{
    [Fact]
    public async Task A_disk_that_is_full_for_five_seconds_costs_nothing_but_two_findings_for_each_file()
    {
        await using var lab = await Laboratory.CreateAsync(new() { ForwardRight = Recorders.Forward });
        await using var disk = await SmallDisk.MountAsync();
        await using var server = await Recorders.StartAsync(lab, ("Recording:Directory", disk.Path), ("Recording:Database", $"Data Source={disk.Path}/catalogue.db"));
        await using var client = ClientProcess.Start(lab.Host("hostA"), $"{lab.RightPublicAddress}:{ServerProcess.SipPort}", "--seconds", "14");
        await client.WaitForTextAsync("stream 2 goes to");
        await Wait(4);
        disk.Fill();
        await Wait(5);
        disk.Free();

        var report = await client.ReportAsync();
        var session = await server.WaitForRecordingAsync(report.CallId);

        Assert.Equal((SiprecOutcome.Recorded, SessionEnd.Client), (report.Result, report.EndedBy));
        Assert.Empty(report.Defects);
        Assert.All(client.ReadSent(), sent =>
        {
            var file = Assert.Single(Assert.Single(session.Streams, stream => stream.Label == sent.Label).Files);
            var result = RecordingComparison.Compare(sent, Assert.Single(RecordedAudio.Read(Path.Combine(disk.Path, file.File))));
            Assert.True(result.IsExact, $"{result}\n{server.Log}");
        });
        Assert.Equal(
            ["audio-not-written", "audio-not-written", "audio-written-again", "audio-written-again"],
            session.Findings.Select(finding => finding.Code).Where(code => code.StartsWith("audio-", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
        Assert.All(
            session.Findings.Where(finding => finding.Code == "audio-written-again"),
            finding => Assert.Contains("all of its audio was kept and is in the file", finding.Text, StringComparison.Ordinal));
    }

    private static Task Wait(double seconds) => Task.Delay(TimeSpan.FromSeconds(seconds), TestContext.Current.CancellationToken);
}
