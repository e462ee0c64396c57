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
        var lifetime = new Option<bool>("--lifetime")
        {
            Description = "Also how long a silent mapping lives, which takes that long and up to four minutes, and a server that knows RESPONSE-PORT (RFC 5780)",
        };
        var command = new Command("nat", "Measures what the NAT in front of this machine does; exit code 1 where no UDP gets through") { stun, fast, lifetime };
        command.Validators.Add(result =>
        {
            if (result.GetValue(fast) && result.GetValue(lifetime)) result.AddError("--fast and --lifetime exclude each other.");
        });
        command.SetRun(async (context, stop) =>
        {
            var servers = context.Arguments.GetValue(stun) is { Length: > 0 } given ? given : context.Options.Nat.StunServers;
            if (servers.Count == 0)
            {
                throw new ConfigurationException("nat needs STUN servers: --stun HOST[:PORT], twice at best, or Nat:StunServers:0.");
            }

            var what = new NatMeasuringOptions(servers) { IsFast = context.Arguments.GetValue(fast), HasLifetime = context.Arguments.GetValue(lifetime) };
            var report = await WithProgressAsync(context, progress => NatMeasuring.RunAsync(what, progress, context.Logs, stop));
            if (context.Json) NatJson.Print(context.Output, report);
            else NatText.Print(context.Output, report);
            return report.IsUdpBlocked ? ExitCodes.Negative : ExitCodes.Done;
        });
        return command;
    }

    // For people at a terminal; a file or a pipe gets the result alone.
    private static async Task<NatReport> WithProgressAsync(CommandContext context, Func<Action<double>, Task<NatReport>> measure)
    {
        if (context.Json || Console.IsErrorRedirected) return await measure(static _ => { });

        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(context.Error) });
        return await console.Progress().AutoClear(true).StartAsync(async display =>
        {
            var task = display.AddTask("Measuring", maxValue: 1);
            return await measure(part => task.Value = part);
        });
    }
}
