using System.CommandLine;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using SipNat.Bench.Readers;
using SipNat.Bench.Simulations;
using SipNat.Bench.Stages;

namespace SipNat.Bench.Commands;

/// <summary>The commands that measure small pieces: <c>readers</c>, <c>stages</c>, <c>srtp</c> and <c>simulation</c>.</summary>
internal static class MicroBenchmarks
{
    private static readonly Option<string> Filter = new("--filter") { Description = "which benchmarks, with * for any text", DefaultValueFactory = _ => "*" };
    private static readonly Option<string> Output = new("--output") { Description = "folder for the reports", DefaultValueFactory = _ => Path.Combine(Path.GetTempPath(), "sipnat-benchmarks") };

    /// <summary><c>readers</c>: everything that reads bytes from the network.</summary>
    public static Command CreateReaders() => Create("readers", "Measures time and allocation of each reader.", typeof(ReaderBenchmarks));

    /// <summary><c>stages</c>: a recorded packet from the kernel to the file, stage by stage.</summary>
    public static Command CreateStages() => Create(
        "stages", "Measures time and allocation of each stage of a recorded packet.", typeof(VisitBenchmarks), typeof(StageBenchmarks), typeof(ManyStreamsBenchmarks), typeof(WriteBenchmarks), typeof(SetUpBenchmarks));

    /// <summary><c>srtp</c>: what encryption costs a packet.</summary>
    public static Command CreateSrtp() => Create("srtp", "Measures time and allocation of protecting and checking a packet.", typeof(SrtpBenchmarks));

    /// <summary><c>simulation</c>: the internet that the tests run in.</summary>
    public static Command CreateSimulation() => Create("simulation", "Measures how fast the simulated internet runs.", typeof(SimulationBenchmarks));

    private static Command Create(string name, string description, params Type[] benchmarks)
    {
        var command = new Command(name, description) { Filter, Output };
        command.SetAction(parsed =>
        {
            // In this process: what is measured is the build that is here, and nothing is built meanwhile.
            var config = ManualConfig.Create(DefaultConfig.Instance)
                .AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance))
                .WithArtifactsPath(parsed.GetValue(Output)!);
            var summaries = BenchmarkSwitcher.FromTypes(benchmarks).Run(["--filter", parsed.GetValue(Filter)!], config);
            return summaries.Any(summary => summary.Reports.Any(report => report.Success)) ? 0 : CommandRunner.Negative;
        });
        return command;
    }
}
