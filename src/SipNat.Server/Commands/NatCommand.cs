using System.CommandLine;
using SipNat.Server.Hosting;
using SipNat.Server.Options;
using Spectre.Console;

namespace SipNat.Server.Commands;

/// <summary><c>nat</c>: measures the NAT between this machine and the internet.</summary>
internal static class NatCommand
{
    public static Command Create()
    {
        var stun = new Option<HostName[]>("--stun")
        {
            Description = "A STUN server; repeatable. Two at different addresses show the mapping, one with two addresses (RFC 5780) the filter [default: Nat:StunServers]",
            HelpName = "HOST[:PORT]",
            Arity = ArgumentArity.OneOrMore,
            AllowMultipleArgumentsPerToken = false,
            DefaultValueFactory = _ => [],
            CustomParser = result => [.. result.Tokens.Select(token =>
            {
                var parsed = SettingText.StunServer(token.Value);
                if (parsed.Problem is { } problem) result.AddError($"--stun {token.Value}: {problem}");
                return parsed.Value;
            })],
        };
        var fast = new Option<bool>("--fast") { Description = "The mapping alone, in a few round trips" };
        var command = new Command("nat", "Measures what the NAT in front of this machine does; exit code 1 where no UDP gets through") { stun, fast };
        command.SetRun(async (context, stop) =>
        {
            var servers = context.Arguments.GetValue(stun) is { Length: > 0 } given ? given : context.Options.Nat.StunServers;
            if (servers.Count == 0)
            {
                throw new ConfigurationException("nat needs STUN servers: --stun HOST[:PORT], twice at best, or Nat:StunServers:0.");
            }

            var report = await WithProgressAsync(context, progress =>
                NatMeasuring.RunAsync(servers, context.Arguments.GetValue(fast), progress, context.Logs, stop));
            if (context.Json) NatJson.Print(context.Output, report);
            else NatText.Print(context.Output, report);
            return report.IsUdpBlocked ? ExitCodes.Negative : ExitCodes.Done;
        });
        return command;
    }

    // For people at a terminal; a file or a pipe gets the result alone.
    private static async Task<NatReport> WithProgressAsync(CommandContext context, Func<Action<int, int>, Task<NatReport>> measure)
    {
        if (context.Json || Console.IsErrorRedirected) return await measure(static (_, _) => { });

        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(context.Error) });
        return await console.Progress().AutoClear(true).StartAsync(async display =>
        {
            var task = display.AddTask("Measuring", maxValue: 1);
            return await measure((done, known) => (task.MaxValue, task.Value) = (Math.Max(known, 1), done));
        });
    }
}
