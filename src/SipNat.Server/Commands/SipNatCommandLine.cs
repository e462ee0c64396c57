using System.CommandLine;
using System.CommandLine.Invocation;
using System.Reflection;
using SipNat.Server.Hosting;

namespace SipNat.Server.Commands;

/// <summary>The command line of the program.</summary>
public static class SipNatCommandLine
{
    /// <summary>The program's version, without the commit that it was built from.</summary>
    public static string Version { get; } = typeof(SipNatCommandLine).Assembly
        .GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    /// <summary>Parses and runs; returns the exit code. Usage errors go to standard error alone.</summary>
    public static async Task<int> RunAsync(string[] args, TextWriter output, TextWriter error)
    {
        var parsed = Create().Parse(args);
        if (parsed.Errors.Count > 0 && parsed.Action is null or ParseErrorAction)
        {
            foreach (var problem in Problems(parsed)) await error.WriteLineAsync(SafeText.EscapeLines(problem));
            await error.WriteLineAsync("'sipnat --help' shows what there is.");
            return ExitCodes.Usage;
        }

        // The commands handle signals and exceptions themselves (CommandRunner).
        return await parsed.InvokeAsync(new()
        {
            Output = output,
            Error = error,
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = null,
        });
    }

    // An unknown word is told once, as that; the parser would first say that a command is missing.
    private static IEnumerable<string> Problems(ParseResult parsed)
    {
        var commands = parsed.CommandResult.Command.Subcommands;
        return parsed.UnmatchedTokens is [var unknown, ..] && commands.Count > 0
            ? [$"'{unknown}' is not a command; there are {string.Join(", ", commands.Select(command => command.Name))}."]
            : parsed.Errors.Select(problem => problem.Message);
    }

    private static RootCommand Create()
    {
        var root = new RootCommand("SIP and SIPREC media endpoint that works through NAT.")
        {
            ServeCommand.Create(),
            RecordingsCommand.Create(),
            CallCommand.Create(),
            AnswerCommand.Create(),
            RegisterCommand.Create(),
            NatCommand.Create(),
            PlanCommand.Create(),
        };
        foreach (var option in GlobalOptions.All) root.Options.Add(option);
        root.Options.OfType<VersionOption>().Single().Action = new PrintVersion();
        return root;
    }

    private sealed class PrintVersion : SynchronousCommandLineAction
    {
        public override int Invoke(ParseResult parseResult)
        {
            parseResult.InvocationConfiguration.Output.WriteLine(Version);
            return ExitCodes.Done;
        }
    }
}
