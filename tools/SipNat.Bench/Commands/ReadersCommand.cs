using System.CommandLine;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using SipNat.Bench.Readers;

namespace SipNat.Bench.Commands;

/// <summary><c>readers</c>: the micro benchmarks of everything that reads bytes from the network.</summary>
internal static class ReadersCommand
{
    private static readonly Option<string> Filter = new("--filter") { Description = "which benchmarks, with * for any text", DefaultValueFactory = _ => "*" };
    private static readonly Option<string> Output = new("--output") { Description = "folder for the reports", DefaultValueFactory = _ => Path.Combine(Path.GetTempPath(), "sipnat-benchmarks") };

    public static Command Create()
    {
        var command = new Command("readers", "Measures time and allocation of each reader.") { Filter, Output };
        command.SetAction(parsed =>
        {
            // In this process: what is measured is the build that is here, and nothing is built meanwhile.
            var config = ManualConfig.Create(DefaultConfig.Instance)
                .AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance))
                .WithArtifactsPath(parsed.GetValue(Output)!);
            var summaries = BenchmarkSwitcher.FromTypes([typeof(ReaderBenchmarks)]).Run(["--filter", parsed.GetValue(Filter)!], config);
            return summaries.Any(summary => summary.Reports.Any(report => report.Success)) ? 0 : CommandRunner.Negative;
        });
        return command;
    }
}
