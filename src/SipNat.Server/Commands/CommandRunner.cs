using System.CommandLine;
using SipNat.Archive;
using SipNat.Server.Hosting;
using SipNat.Server.Options;

namespace SipNat.Server.Commands;

/// <summary>
/// Runs a command: loads the configuration, sets up logging and signals, and turns every way to fail into its exit code
/// and a message on standard error.
/// </summary>
internal static class CommandRunner
{
    /// <summary>Makes <paramref name="run"/> what the command does.</summary>
    public static void SetRun(this Command command, Func<CommandContext, CancellationToken, Task<int>> run) =>
        command.SetAction((arguments, _) => RunAsync(arguments, run));

    /// <summary>The same for a command that does not wait for anything.</summary>
    public static void SetRun(this Command command, Func<CommandContext, CancellationToken, int> run) =>
        command.SetRun((context, stop) => Task.FromResult(run(context, stop)));

    private static async Task<int> RunAsync(ParseResult arguments, Func<CommandContext, CancellationToken, Task<int>> run)
    {
        var error = arguments.InvocationConfiguration.Error;
        using var signals = new ShutdownSignals(Environment.Exit);
        try
        {
            var inputs = ConfigurationInputs.OfProcess(arguments.GetValue(GlobalOptions.Config), arguments.GetValue(GlobalOptions.Set) ?? []);
            var options = ConfigurationLoader.Load(inputs).OptionsOrThrow();
            using var logs = ServerLog.Create(options.Log, arguments.GetValue(GlobalOptions.Verbose));
            return await run(new(arguments, options, logs, signals), signals.Requested);
        }
        catch (ConfigurationException wrong)
        {
            await error.WriteLineAsync(SafeText.EscapeLines(wrong.Message));
            return ExitCodes.Usage;
        }
        catch (Exception failure) when (failure is UnavailableException or ArchiveException)
        {
            await error.WriteLineAsync(SafeText.EscapeLines(failure.Message));
            return ExitCodes.Unreachable;
        }
        catch (OperationCanceledException) when (signals.Requested.IsCancellationRequested)
        {
            return ExitCodes.Interrupted;
        }
        catch (Exception defect)
        {
            await error.WriteLineAsync($"This is a defect of sipnat; please report it with these lines.\n{SafeText.EscapeLines(defect.ToString())}");
            return ExitCodes.Defect;
        }
    }
}
