using System.Text.Json;
using SipNat.Lab.Tests.Scene;
using SipNat.NatLab.Processes;

namespace SipNat.Lab.Tests.Recording;

/// <summary>Many sessions at once against the built recorder, on loopback, with and without a flood beside them.</summary>
[Collection(nameof(Alone))]
public sealed class LoadTests
{
    private const double MostMegabytes = 400;
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    [Fact]
    public async Task Every_frame_of_sixty_sessions_stands_at_its_place()
    {
        var report = await RunAsync("--sessions", "60", "--rate", "60", "--seconds", "6");

        Assert.Equal((60, 60), (report.GetProperty("setUp").GetProperty("answered").GetInt32(), report.GetProperty("setUp").GetProperty("recorded").GetInt32()));
        Assert.Equal((36_000, 36_000, 0, 0), Frames(report));
    }

    [Fact]
    public async Task Connectivity_checks_beside_recordings_are_answered_to_the_last()
    {
        var report = await RunAsync("--sessions", "10", "--rate", "10", "--seconds", "6", "--checks", "3");

        var checks = report.GetProperty("checks");
        Assert.InRange(checks.GetProperty("sent").GetInt32(), 100, 600);
        Assert.Equal(checks.GetProperty("sent").GetInt32(), checks.GetProperty("answered").GetInt32());
        Assert.Equal((6_000, 6_000, 0, 0), Frames(report));
    }

    [Fact]
    public async Task A_flood_of_requests_and_stray_packets_costs_running_recordings_nothing()
    {
        var report = await RunAsync(
            "--sessions", "20", "--seconds", "8", "--set", "Media:LastPort=10199",
            "--flood-invites", "1000", "--flood-options", "1000", "--flood-rtp", "20000", "--flood-seconds", "6", "--flood-ports", "10000-10199");

        Assert.Equal((16_000, 16_000, 0, 0), Frames(report));
        Assert.InRange(report.GetProperty("server").GetProperty("mostResidentMegabytes").GetDouble(), 0, MostMegabytes);
        Assert.Empty(report.GetProperty("flood").GetProperty("answers").EnumerateObject().Select(answer => answer.Name).Except(["100", "200", "503"]));
        Assert.Equal(40, report.GetProperty("findings").GetProperty("stray-media").GetInt32());
    }

    // What is allowed to send is told from the recorded source, what is not is a stray.
    [Theory]
    [InlineData("Off", "stray-media")]
    [InlineData("Signalling", "stray-media")]
    [InlineData("Allowed", "second-source")]
    [InlineData("Any", "second-source")]
    public async Task A_foreign_stream_sprayed_at_every_port_costs_nothing_under_any_latch_policy(string latch, string finding)
    {
        var report = await RunAsync(
            "--sessions", "10", "--seconds", "7", "--set", $"Media:Latch={latch}", "--set", "Media:LastPort=10099",
            "--flood-rtp", "10000", "--flood-seconds", "6", "--flood-ports", "10000-10099");

        Assert.Equal((7_000, 7_000, 0, 0), Frames(report));
        Assert.Equal($$"""{"{{finding}}":20}""", JsonSerializer.Serialize(report.GetProperty("findings")));
    }

    private static (int Sent, int InPlace, int Elsewhere, int Missing) Frames(JsonElement report)
    {
        var frames = report.GetProperty("frames");
        return (Count("sent"), Count("inPlace"), Count("elsewhere"), Count("missing"));

        int Count(string name) => frames.GetProperty(name).GetInt32();
    }

    private static async Task<JsonElement> RunAsync(params string[] arguments)
    {
        await using var load = LabProcess.Start("dotnet", [BuiltPrograms.Bench, "load", "--json", .. arguments]);
        var code = await load.WaitForExitAsync(Limit, TestContext.Current.CancellationToken);
        if (code != 0) throw load.Failure($"ended with {code}");

        return JsonElement.Parse(load.Output);
    }
}
