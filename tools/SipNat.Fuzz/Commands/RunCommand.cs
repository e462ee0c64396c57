using System.CommandLine;
using System.Diagnostics;
using SipNat.Fuzz.Engine;

namespace SipNat.Fuzz.Commands;

/// <summary>The command itself: runs one target or all of them. Exit code 0 without failures, 1 with, 2 for wrong usage.</summary>
internal static class RunCommand
{
    private const string All = "all";

    private static readonly Argument<string> Target = new("target") { Description = "a target, or all (see list)" };
    private static readonly Option<int> Seconds = new("--seconds") { Description = "how long each target runs", DefaultValueFactory = _ => 60 };
    private static readonly Option<int> Seed = new("--seed") { Description = "the same seed runs the same inputs", DefaultValueFactory = _ => 1 };
    private static readonly Option<int> Jobs = new("--jobs") { Description = "how many run at once; of a single target, with the seeds that follow", DefaultValueFactory = _ => 2 };
    private static readonly Option<DirectoryInfo?> Seeds = new("--corpus") { Description = "the folder of seeds; default: tests/corpora of this repository" };
    private static readonly Option<DirectoryInfo> Output = new("--output") { Description = "where inputs that fail are written", DefaultValueFactory = _ => new(".") };

    public static RootCommand Create()
    {
        var root = new RootCommand("Runs the readers and state machines of SipNat against inputs that nobody would send. Exit code 1: something does not hold.")
        {
            Target, Seconds, Seed, Jobs, Seeds, Output, ListCommand.Create(), ReplayCommand.Create(),
        };
        Jobs.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 1 or > 64) result.AddError("--jobs is 1 to 64.");
        });
        root.SetAction(Run);
        return root;
    }

    /// <summary>The target of that name; null, with a word on the console, where there is none.</summary>
    public static IFuzzTarget? Find(string name)
    {
        var found = FuzzTargets.Find(name);
        if (found is null) Console.Error.WriteLine($"No target {name}; there are: {string.Join(", ", FuzzTargets.All.Select(t => t.Name))}.");
        return found;
    }

    private static int Run(ParseResult parsed)
    {
        var corpus = parsed.GetValue(Seeds) is { } folder ? new Corpus(folder.FullName) : Corpus.Find();
        if (corpus is null || !Directory.Exists(corpus.Root))
        {
            Console.Error.WriteLine("No corpora found: name their folder with --corpus.");
            return 2;
        }

        var (name, seed, jobs) = (parsed.GetValue(Target)!, parsed.GetValue(Seed), parsed.GetValue(Jobs));
        var loops = new List<FuzzLoop>();
        if (name == All) loops.AddRange(FuzzTargets.All.Select(target => new FuzzLoop(target, corpus, seed)));
        else if (Find(name) is { } single) loops.AddRange(Enumerable.Range(seed, jobs).Select(s => new FuzzLoop(single, corpus, s)));
        else return 2;

        var duration = TimeSpan.FromSeconds(parsed.GetValue(Seconds));
        var files = new FailureFiles(parsed.GetValue(Output)!.FullName);
        using var watchdog = new Watchdog(loops, files);
        Parallel.ForEach(loops, new() { MaxDegreeOfParallelism = jobs }, loop => Report(loop, Run(loop, duration, files)));
        return files.Written > 0 ? 1 : 0;
    }

    private static FuzzResult Run(FuzzLoop loop, TimeSpan duration, FailureFiles files)
    {
        var started = Stopwatch.GetTimestamp();
        return loop.Run(() => Stopwatch.GetElapsedTime(started) < duration, files.Write);
    }

    private static void Report(FuzzLoop loop, FuzzResult result) => Console.Out.WriteLine(
        $"{loop.Target,-18} seed {loop.Seed,-4} {result.Executions,10} executions {result.Executions / result.Elapsed.TotalSeconds,9:F0}/s {result.Outcomes,7} outcomes  slowest {result.Slowest.TotalMilliseconds,6:F0} ms  {result.Failures.Count} failures ({result.Failing} inputs)");
}
