using System.CommandLine;
using SipNat.Bench.Growth;

namespace SipNat.Bench.Commands;

/// <summary><c>growth</c>: what a packet and a set-up cost at several sizes.</summary>
internal static class GrowthCommand
{
    private const int MaxStreams = 20_000;

    private static readonly int[] Sizes = [100, 1_000, 4_000, 6_000, 8_000, 16_000];

    private static readonly Option<int[]> Streams = new("--streams") { Description = "sizes, each even (repeatable); default 100, 1000, 4000, 6000, 8000, 16000", AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => Sizes };
    private static readonly Option<TimeSpan?> Seconds = new("--seconds") { Description = "how long each size is measured; default 20", CustomParser = ValueParsers.Seconds };
    private static readonly Option<int?> Core = new("--core") { Description = "the core that the recorder is held to; keep this program off it with taskset" };
    private static readonly Option<bool> Json = new("--json") { Description = "one JSON document on standard output" };

    public static Command Create()
    {
        var command = new Command("growth", "Measures what a packet and a set-up cost at several numbers of streams.") { Streams, Seconds, Core, Json };
        Streams.Validators.Add(result =>
        {
            if (Array.Exists(result.GetValue(Streams)!, streams => streams is < 2 or > MaxStreams || streams % 2 != 0)) result.AddError($"--streams: wanted even numbers of 2 to {MaxStreams}.");
        });
        command.SetAction(async (parsed, stop) =>
        {
            var options = new GrowthOptions(parsed.GetValue(Streams)!, parsed.GetValue(Seconds) ?? TimeSpan.FromSeconds(20), parsed.GetValue(Core));
            var report = await new GrowthRun(options, Console.Error).RunAsync(stop);
            if (parsed.GetValue(Json)) Console.Out.WriteLine(report.ToJson());
            else GrowthText.Write(Console.Out, report);
            return report.IsWhole ? 0 : CommandRunner.Negative;
        });
        return command;
    }
}
