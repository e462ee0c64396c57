using System.CommandLine;
using SipNat.Bench.Soak;

namespace SipNat.Bench.Commands;

/// <summary><c>soak</c>: sessions come and go for a long time; is anything missing, does memory grow?</summary>
internal static class SoakCommand
{
    private const int MaxSessions = 3_000;
    private const int MaxMinutes = 7 * 24 * 60;

    private static readonly Option<int> Sessions = new("--sessions") { Description = "sessions of two PCMU streams that are up at one time, on average", DefaultValueFactory = _ => 500 };
    private static readonly Option<double> Minutes = new("--minutes") { Description = "how long sessions are begun", DefaultValueFactory = _ => 60 };
    private static readonly Option<int> Broken = new("--broken") { Description = "sessions of a hundred that are left without a BYE", DefaultValueFactory = _ => 5 };
    private static readonly Option<int> Seed = new("--seed") { Description = "what lengths, arrivals and breaks are drawn from", DefaultValueFactory = _ => 1 };
    private static readonly Option<int?> Core = new("--core") { Description = "the core that the recorder is held to; keep this program off it with taskset" };
    private static readonly Option<string[]> Settings = new("--set") { Description = "KEY=VALUE for the recorder (repeatable)" };
    private static readonly Option<bool> Keep = new("--keep") { Description = "keep the log of the recorder, and the recordings that are left" };
    private static readonly Option<bool> Json = new("--json") { Description = "one JSON document on standard output" };

    public static Command Create()
    {
        var command = new Command("soak", "Lets sessions come and go for an hour, compares every recording, deletes it, and watches the recorder's memory.")
        {
            Sessions, Minutes, Broken, Seed, Core, Settings, Keep, Json,
        };
        command.Validators.Add(result =>
        {
            if (result.GetValue(Sessions) is < 1 or > MaxSessions) result.AddError($"--sessions: wanted 1 to {MaxSessions}.");
            if (result.GetValue(Minutes) is not (>= 1 and <= MaxMinutes)) result.AddError($"--minutes: wanted 1 to {MaxMinutes}.");
            if (result.GetValue(Broken) is < 0 or > 100) result.AddError("--broken: wanted 0 to 100.");
        });
        command.SetAction(async (parsed, stop) =>
        {
            var options = new SoakOptions
            {
                Sessions = parsed.GetValue(Sessions),
                Duration = TimeSpan.FromMinutes(parsed.GetValue(Minutes)),
                BrokenPercent = parsed.GetValue(Broken),
                Seed = parsed.GetValue(Seed),
                Core = parsed.GetValue(Core),
                Settings = parsed.GetValue(Settings) ?? [],
                Keep = parsed.GetValue(Keep),
            };
            var report = await new SoakRun(options, Console.Error).RunAsync(stop);
            if (parsed.GetValue(Json)) Console.Out.WriteLine(report.ToJson());
            else SoakText.Write(Console.Out, report);
            return report.IsWhole ? 0 : CommandRunner.Negative;
        });
        return command;
    }
}
