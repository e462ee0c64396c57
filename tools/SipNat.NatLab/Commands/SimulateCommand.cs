using System.CommandLine;
using System.Diagnostics;
using SipNat.Simulation.Ice.Topologies;

namespace SipNat.NatLab.Commands;

/// <summary><c>simulate</c>: ICE agents in topologies drawn at random, on the simulated internet, against an oracle.</summary>
internal static class SimulateCommand
{
    private const int MaxJobs = 256;
    private static readonly TimeSpan ReportInterval = TimeSpan.FromSeconds(10);

    private static readonly Option<int> From = new("--from") { Description = "the first seed", DefaultValueFactory = _ => 1 };
    private static readonly Option<int> Count = new("--count") { Description = "how many topologies", DefaultValueFactory = _ => 2000 };
    private static readonly Option<int> Jobs = new("--jobs") { Description = "threads", DefaultValueFactory = _ => 1 };
    private static readonly Option<bool> Show = new("--show") { Description = "print each topology with what the oracle says" };

    public static Command Create()
    {
        var command = new Command("simulate", "Runs ICE in random simulated topologies. Exit code 1: an agent did otherwise than the oracle says.") { From, Count, Jobs, Show };
        command.SetAction((parsed, stop) => Task.FromResult(Run(parsed, stop)));
        return command;
    }

    private static int Run(ParseResult parsed, CancellationToken stop)
    {
        var (from, count, jobs) = (parsed.GetValue(From), parsed.GetValue(Count), parsed.GetValue(Jobs));
        if (count < 1 || jobs is < 1 or > MaxJobs || from < 0 || from > int.MaxValue - count)
        {
            Console.Error.WriteLine($"--count is at least 1, --jobs 1 to {MaxJobs}, and --from and the last seed are 0 to {int.MaxValue}.");
            return 2;
        }

        var sum = new SimulationSum(Console.Out, parsed.GetValue(Show));
        using var process = Process.GetCurrentProcess();
        var watch = Stopwatch.StartNew();
        using var progress = new Timer(_ => Console.Error.WriteLine($"{sum.Count} of {count}, {sum.Wrong} wrong, {watch.Elapsed.TotalSeconds:F0} s"), null, ReportInterval, ReportInterval);
        try
        {
            Parallel.For(from, from + count, new() { MaxDegreeOfParallelism = jobs, CancellationToken = stop }, seed => sum.Add(IceTopologyRun.Run(IceTopologyDraw.Draw(seed))));
        }
        catch (OperationCanceledException)
        {
            Console.Out.WriteLine("Interrupted.");
        }

        process.Refresh();
        sum.Print(from, watch.Elapsed, process.TotalProcessorTime);
        return sum.Wrong == 0 && sum.Count == count ? 0 : 1;
    }
}
