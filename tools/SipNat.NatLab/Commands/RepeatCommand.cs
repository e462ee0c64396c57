using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization;
using SipNat.NatLab.Repeat;
using SipNat.NatLab.Servers;

namespace SipNat.NatLab.Commands;

/// <summary><c>repeat</c>: how often <c>sipnat nat</c> is right, in many laboratories with loss.</summary>
internal static class RepeatCommand
{
    private const int MaxJobs = 64;
    private const int MaxRuns = 10_000;

    private static readonly Option<int> Runs = new("--runs") { Description = "runs of each case", DefaultValueFactory = _ => 20 };
    private static readonly Option<int> Jobs = new("--jobs") { Description = "laboratories at the same time", DefaultValueFactory = _ => 8 };
    private static readonly Option<int> Loss = new("--loss") { Description = "packets in a hundred that are lost on their way to a host", DefaultValueFactory = _ => 10 };
    private static readonly Option<string[]> Case = new("--case") { Description = $"only this one; repeatable: {string.Join(", ", RepeatCases.All.Select(one => one.Name))}" };
    private static readonly Option<FileInfo> Program = new("--program") { Description = "sipnat.dll", DefaultValueFactory = _ => new(DefaultProgram) };
    private static readonly Option<bool> Json = new("--json") { Description = "one JSON document on standard output" };

    // This tool stands in tools/SipNat.NatLab/bin/CONFIGURATION/net10.0.
    private static string DefaultProgram => Path.GetFullPath(Path.Combine(
        AppContext.BaseDirectory, "..", "..", "..", "..", "..", "src", "SipNat.Server", "bin", new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name, "net10.0", "sipnat.dll"));

    public static Command Create()
    {
        var command = new Command("repeat", "Measures each kind of NAT with sipnat nat again and again, with loss. Exit code 1: a verdict was wrong, or too many were missing.")
        {
            Runs, Jobs, Loss, Case, Program, Json,
        };
        Limit(Runs, 1, MaxRuns);
        Limit(Jobs, 1, MaxJobs);
        Limit(Loss, 0, 99);
        Case.Validators.Add(result =>
        {
            foreach (var name in result.Tokens.Where(name => RepeatCases.All.All(one => one.Name != name.Value))) result.AddError($"--case {name.Value}: there is no such case.");
        });
        Program.AcceptExistingOnly();
        command.SetAction(RunAsync);
        return command;
    }

    private static void Limit(Option<int> option, int min, int max) => option.Validators.Add(result =>
    {
        if (result.GetValue(option) < min || result.GetValue(option) > max) result.AddError($"{option.Name} {result.GetValue(option)}: wanted {min} to {max}.");
    });

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken stop)
    {
        var missing = await LabRequirements.CheckAsync(CoturnServer.Program, KamailioServer.Program);
        if (missing.Count > 0)
        {
            await Console.Error.WriteLineAsync("A laboratory needs: " + string.Join("; ", missing));
            return 3;
        }

        var names = parsed.GetValue(Case) ?? [];
        var cases = RepeatCases.All.Where(one => names.Length == 0 || names.Contains(one.Name, StringComparer.Ordinal)).ToList();
        var repeater = new Repeater(parsed.GetValue(Program)!.FullName, parsed.GetValue(Loss));
        var runs = await repeater.RunAsync(cases, parsed.GetValue(Runs), parsed.GetValue(Jobs), Tell, stop);
        var rows = cases.Select(one => RepeatRow.Of(one, [.. runs.Where(run => run.Case == one)])).ToList();
        if (parsed.GetValue(Json)) Console.Out.WriteLine(JsonSerializer.Serialize(new RepeatReport(1, parsed.GetValue(Loss), rows), RepeatJson.Default.RepeatReport));
        else Print(rows);
        return rows.TrueForAll(row => row.IsAccepted) ? 0 : 1;
    }

    private static void Tell(RepeatRun run) =>
        Console.Error.WriteLine($"{run.Case.Name} {run.Number}: {run.Outcome.ToString().ToLowerInvariant()}{(run.Objection.Length > 0 ? ": " + run.Objection : "")}");

    private static void Print(List<RepeatRow> rows)
    {
        Console.Out.WriteLine($"{"case",-24} {"right",6} {"inconclusive",13} {"wrong",6} {"failed",7}");
        foreach (var row in rows) Console.Out.WriteLine($"{row.Case,-24} {row.Right,6} {row.Inconclusive,13} {row.Wrong,6} {row.Failed,7}{(row.IsAccepted ? "" : "  not accepted")}");
    }
}

/// <summary>The JSON document of <c>repeat</c>.</summary>
internal sealed record RepeatReport(int Schema, int LossPercent, IReadOnlyList<RepeatRow> Cases);

/// <summary>How often one case came out how.</summary>
/// <param name="IsAccepted">Never wrong, and missing no more often than once in twenty (five times where lifetimes are long).</param>
/// <param name="Objections">What was not right, run by run.</param>
internal sealed record RepeatRow(string Case, int Right, int Inconclusive, int Wrong, int Failed, bool IsAccepted, IReadOnlyList<string> Objections)
{
    private const int RunsOfAllowance = 20;

    public static RepeatRow Of(RepeatCase one, IReadOnlyList<RepeatRun> runs)
    {
        var count = runs.CountBy(run => run.Outcome).ToDictionary();
        var (inconclusive, wrong, failed) = (Count(RepeatOutcome.Inconclusive), Count(RepeatOutcome.Wrong), Count(RepeatOutcome.Failed));
        var allowed = one.AllowedInconclusive * Math.Max(1, runs.Count / RunsOfAllowance);
        return new(
            one.Name, Count(RepeatOutcome.Right), inconclusive, wrong, failed, wrong == 0 && failed == 0 && inconclusive <= allowed,
            [.. runs.Where(run => run.Objection.Length > 0).Select(run => $"{run.Number}: {run.Objection}")]);

        int Count(RepeatOutcome outcome) => count.GetValueOrDefault(outcome);
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(RepeatReport))]
internal sealed partial class RepeatJson : JsonSerializerContext;
