using System.CommandLine;
using System.CommandLine.Parsing;
using SipNat.Server.Hosting;
using SipNat.Server.Options;

namespace SipNat.Server.Commands;

/// <summary><c>nat</c>: measures the NAT between this machine and the internet.</summary>
internal static class NatCommand
{
    private static readonly Option<HostName[]> Stun = new("--stun")
    {
        Description = "A STUN server; repeatable. Two at different addresses show the mapping, one with two addresses (RFC 5780) the filter [default: Nat:StunServers]",
        HelpName = "HOST[:PORT]",
        Arity = ArgumentArity.OneOrMore,
        AllowMultipleArgumentsPerToken = false,
        DefaultValueFactory = _ => [],
        CustomParser = result => [.. result.Tokens.Select(token => Checked(result, SettingText.StunServer(token.Value), token.Value))],
    };

    private static readonly Option<HostName?> Sip = new("--sip")
    {
        Description = "A SIP server over UDP on the internet, which is sent three OPTIONS: shows whether something on the way rewrites SIP",
        HelpName = "HOST[:PORT]",
        CustomParser = result => Checked(result, SettingText.Host(result.Tokens[0].Value, SipOptions.DefaultPort), result.Tokens[0].Value),
    };

    private static readonly Option<bool> Fast = new("--fast") { Description = "The mapping alone, in a few round trips" };

    private static readonly Option<bool> Lifetime = new("--lifetime")
    {
        Description = "Also how long a silent mapping lives, which takes that long and up to four minutes, and a server that knows RESPONSE-PORT (RFC 5780)",
    };

    public static Command Create()
    {
        var command = new Command("nat", "Measures what the NAT in front of this machine does; exit code 1 where no UDP gets through, 3 where no server answers") { Stun, Sip, Fast, Lifetime };
        command.Validators.Add(result =>
        {
            if (result.GetValue(Fast) && result.GetValue(Lifetime)) result.AddError("--fast and --lifetime exclude each other.");
        });
        command.SetRun(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(CommandContext context, CancellationToken stop)
    {
        var servers = context.Arguments.GetValue(Stun) is { Length: > 0 } given ? given : context.Options.Nat.StunServers;
        if (servers.Count == 0)
        {
            throw new ConfigurationException("nat needs STUN servers: --stun HOST[:PORT], twice at best, or Nat:StunServers:0.");
        }

        var what = new NatMeasuringOptions(servers)
        {
            IsFast = context.Arguments.GetValue(Fast),
            HasLifetime = context.Arguments.GetValue(Lifetime),
            Sip = context.Arguments.GetValue(Sip),
        };
        var report = await NatProgressDisplay.RunAsync(context, progress => NatMeasuring.RunAsync(what, progress, context.Logs, stop));
        if (context.Json) NatJson.Print(context.Output, report);
        else NatText.Print(context.Output, report);
        return report.IsUdpBlocked ? ExitCodes.Negative : report.IsUnreachable ? ExitCodes.Unreachable : ExitCodes.Done;
    }

    private static T Checked<T>(ArgumentResult result, Parsed<T> parsed, string text)
    {
        if (parsed.Problem is { } problem) result.AddError($"{((OptionResult)result.Parent!).Option.Name} {text}: {problem}");
        return parsed.Value;
    }
}
