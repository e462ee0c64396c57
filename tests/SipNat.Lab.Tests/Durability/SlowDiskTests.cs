using System.Text.Json;
using SipNat.Lab.Tests.Scene;
using SipNat.NatLab.Processes;

namespace SipNat.Lab.Tests.Durability;

/// <summary>A disk that takes a tenth of what comes, is full then, and is well again, under sessions that come and go.</summary>
[Collection(nameof(Alone))]
public sealed class SlowDiskTests
{
    private const int Sessions = 70;
    private const int Rate = 5;
    private const int Seconds = 8;
    private const int BytesPerSecond = Rate * Seconds * 2 * 8000;
    private const int LeastSilence = 40;
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    [Fact]
    public async Task Sessions_are_unharmed_others_are_refused_with_the_reason_and_silence_is_where_the_findings_say()
    {
        await using var disk = await SmallDisk.MountAsync();
        if (disk.WhyNotSlow is { } reason)
        {
            Assert.NotEqual("required", Environment.GetEnvironmentVariable("SIPNAT_LAB"));
            Assert.Skip(reason);
        }

        await using var load = LabProcess.Start(
            "dotnet",
            [
                BuiltPrograms.Bench, "load", "--json", "--recordings", disk.Path, "--sessions", $"{Sessions}", "--rate", $"{Rate}", "--seconds", $"{Seconds}",
                "--set", "Recording:WriteMemory=1",
            ]);

        // INVITEs come from the first second to the fourteenth, BYEs from the eighth to the twenty-second.
        await load.WaitForTextAsync("files in", TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        await Wait(4);
        disk.Slow(BytesPerSecond / 10);
        await Wait(7);
        await disk.ReserveAsync();
        await Wait(3);
        disk.Free();
        disk.Hasten();
        await load.WaitForExitAsync(Limit, TestContext.Current.CancellationToken);

        var report = JsonElement.Parse(load.Output);
        TestContext.Current.TestOutputHelper?.WriteLine(load.Output);
        var silence = report.GetProperty("silence");
        var answered = Count("setUp", "answered");

        // Those that began before half of the memory was used: 18 INVITEs have gone out when the disk is slowed.
        Assert.InRange(answered, 18, Sessions - 1);
        Assert.Equal((answered, Sessions - answered), (Count("setUp", "recorded"), Count("setUp", "failed")));
        Assert.All(report.GetProperty("problems").EnumerateArray(), problem => Assert.Equal(
            "INVITE was answered 503 Service Unavailable (399 SipNat \"The disk is behind with audio, and half of the memory for what waits is used (Recording:WriteMemory)\")",
            problem.GetString()));
        Assert.InRange(report.GetProperty("setUp").GetProperty("inviteTo200Milliseconds").GetProperty("p90").GetDouble(), 0, 1000);
        Assert.Equal(
            (2 * answered * Seconds * 50, 0, 0),
            (Count("packets", "sent"), Count("packets", "lost"), Count("frames", "elsewhere")));
        Assert.InRange(silence.GetProperty("foundSeconds").GetDouble(), LeastSilence, 2 * answered * Seconds);
        Assert.Equal(0, silence.GetProperty("toldOtherwise").GetInt32());
        Assert.Equal(
            ["audio-not-written", "audio-written-again"],
            report.GetProperty("findings").EnumerateObject().Select(finding => finding.Name).Where(code => code.StartsWith("audio-", StringComparison.Ordinal)).Order(StringComparer.Ordinal));

        int Count(string part, string name) => report.GetProperty(part).GetProperty(name).GetInt32();
    }

    private static Task Wait(double seconds) => Task.Delay(TimeSpan.FromSeconds(seconds), TestContext.Current.CancellationToken);
}
