using System.CommandLine;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using SipNat.Bench.Readers;
using SipNat.Bench.Simulations;

namespace SipNat.Bench.Commands;

/// <summary>The commands that measure small pieces: <c>readers</c>, <c>srtp</c> and <c>simulation</c>.</summary>
internal static class MicroBenchmarks
{
    private static readonly Option<string> Filter = new("--filter") { Description = "which benchmarks, with * for any text", DefaultValueFactory = _ => "*" };
    private static readonly Option<string> Output = new("--output") { Description = "folder for the reports", DefaultValueFactory = _ => Path.Combine(Path.GetTempPath(), "sipnat-benchmarks") };

    /// <summary><c>readers</c>: everything that reads bytes from the network.</summary>
    public static Command CreateReaders() => Create<ReaderBenchmarks>("readers", "Measures time and allocation of each reader.");

    /// <summary><c>srtp</c>: what encryption costs a packet.</summary>
    public static Command CreateSrtp() => Create<SrtpBenchmarks>("srtp", "Measures time and allocation of protecting and checking a packet.");

    /// <summary><c>simulation</c>: the internet that the tests run in.</summary>
    public static Command CreateSimulation() => Create<SimulationBenchmarks>("simulation", "Measures how fast the simulated internet runs.");

    private static Command Create<TBenchmarks>(string name, string description)
    {
        var command = new Command(name, description) { Filter, Output };
        command.SetAction(parsed =>
        {
            // In this process: what is measured is the build that is here, and nothing is built meanwhile.
            var config = ManualConfig.Create(DefaultConfig.Instance)
                .AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance))
                .WithArtifactsPath(parsed.GetValue(Output)!);
            var summaries = BenchmarkSwitcher.FromTypes([typeof(TBenchmarks)]).Run(["--filter", parsed.GetValue(Filter)!], config);
            return summaries.Any(summary => summary.Reports.Any(report => report.Success)) ? 0 : CommandRunner.Negative;
        });
        return command;
    }
}
