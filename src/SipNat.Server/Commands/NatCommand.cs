using System.CommandLine;
using System.CommandLine.Parsing;
using SipNat.Server.Hosting;
using SipNat.Server.Options;
using SipNat.Traversal.Turn;
using SipNat.Wire;

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

    private static readonly Option<TurnUri[]> Turn = new("--turn")
    {
        Description = "A TURN server that is asked for a relay; repeatable. Without transport over UDP and TCP [default: Nat:TurnServers]",
        HelpName = "URI",
        AllowMultipleArgumentsPerToken = false,
        DefaultValueFactory = _ => [],
        CustomParser = result => [.. result.Tokens.Select(token => Checked(result, SettingText.TurnServer(token.Value), token.Value)!)],
    };

    private static readonly Option<string?> TurnUsername = new("--turn-username") { Description = "Whom those servers know us as", HelpName = "NAME" };

    private static readonly Option<string?> TurnPassword = new("--turn-password")
    {
        Description = "The password; others on this machine may see it: Nat:TurnServers:0:PasswordFile is better",
        HelpName = "PASSWORD",
    };

    private static readonly Option<FileInfo> TurnCa = new Option<FileInfo>("--turn-ca") { Description = "Who may vouch for turns: servers, a PEM file, in place of the system's authorities" }.AcceptExistingOnly();

    private static readonly Option<bool> Fast = new("--fast") { Description = "The mapping alone, in a few round trips" };

    private static readonly Option<bool> Lifetime = new("--lifetime")
    {
        Description = "Also how long a silent mapping lives, which takes that long and up to four minutes, and a server that knows RESPONSE-PORT (RFC 5780) or a TURN server over UDP",
    };

    public static Command Create()
    {
        var command = new Command("nat", "Measures what the NAT in front of this machine does; exit code 1 where no UDP gets through, 3 where no server answers")
        {
            Stun, Turn, TurnUsername, TurnPassword, TurnCa, Sip, Fast, Lifetime,
        };
        command.Validators.Add(result =>
        {
            if (result.GetValue(TurnUsername) is null != result.GetValue(TurnPassword) is null) result.AddError("--turn-username and --turn-password go together.");
            if (result.GetResult(Turn) is null && (result.GetResult(TurnUsername) ?? result.GetResult(TurnCa)) is not null) result.AddError("--turn-username and --turn-ca go with --turn URI.");
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
            Turn = context.Arguments.GetValue(Turn) is { Length: > 0 } uris ? context.Options.Nat with { TurnServers = TurnServers(context.Arguments, uris) } : context.Options.Nat,
        };
        var report = await NatProgressDisplay.RunAsync(context, progress => NatMeasuring.RunAsync(what, progress, context.Logs, stop));
        if (context.Json) NatJson.Print(context.Output, report);
        else NatText.Print(context.Output, report);
        return report.IsUdpBlocked ? ExitCodes.Negative : report.IsUnreachable ? ExitCodes.Unreachable : ExitCodes.Done;
    }

    // Where a URI leaves the transport open, both that do not encrypt are asked.
    private static IReadOnlyList<TurnServerSettings> TurnServers(ParseResult arguments, TurnUri[] uris) =>
        [.. uris
            .SelectMany(static uri => uri.IsSecure || uri.Transport is not null
                ? (TurnUri[])[uri]
                : [uri with { Transport = TransportProtocol.Udp }, uri with { Transport = TransportProtocol.Tcp }])
            .Select(uri => new TurnServerSettings
            {
                Uri = uri,
                Username = arguments.GetValue(TurnUsername) ?? "",
                Password = arguments.GetValue(TurnPassword),
                Ca = uri.IsSecure ? arguments.GetValue(TurnCa)?.FullName : null,
            })];

    private static T Checked<T>(ArgumentResult result, Parsed<T> parsed, string text)
    {
        if (parsed.Problem is { } problem) result.AddError($"{((OptionResult)result.Parent!).Option.Name} {text}: {problem}");
        return parsed.Value;
    }
}
