using System.CommandLine;
using SipNat.Server.Options;
using SipNat.Sip.Messages;

namespace SipNat.Server.Commands;

/// <summary>What <c>call</c> and <c>answer</c> take.</summary>
internal static class CallArguments
{
    private const int MostSeconds = 86_400;
    private const int MostDigits = 256;
    private const string Digits = "0123456789*#ABCDabcd,";

    public static readonly Option<string?> Account = new("--account") { Description = "Which of the configured accounts, by its name [default: the only one]", HelpName = "NAME" };

    public static readonly Option<string?> Play = new("--play") { Description = "A WAVE file that the other side hears; silence follows it", HelpName = "FILE.wav" };

    public static readonly Option<string?> Record = new("--record") { Description = "Records both directions: ours on the left, the other side's on the right", HelpName = "FILE.wav" };

    public static readonly Option<int?> Duration = new("--duration")
    {
        Description = "Hangs up so many seconds after the answer [default: the other side, or Ctrl-C]",
        HelpName = "S",
        Validators =
        {
            result =>
            {
                if (result.GetValueOrDefault<int?>() is < 1 or > MostSeconds) result.AddError($"--duration must be 1 to {MostSeconds} seconds.");
            },
        },
    };

    public static readonly Option<string?> Dtmf = new("--dtmf")
    {
        Description = "Digits that are sent after the answer: 0-9, *, #, A-D, and a comma for a pause",
        HelpName = "DIGITS",
        Validators =
        {
            result =>
            {
                if (result.GetValueOrDefault<string?>() is { } text && (text.Length is 0 or > MostDigits || text.Any(c => !Digits.Contains(c)))) result.AddError($"--dtmf must be 1 to {MostDigits} of 0-9, *, #, A-D and commas.");
            },
        },
    };

    public static readonly Option<bool> Echo = new("--echo") { Description = "Sends back what is heard" };

    public static readonly Argument<string> Target = new("URI") { Description = "Who is called: sip:USER@HOST, or a number at the account's domain" };

    /// <summary>The account that a command is for; null where none is configured and none is named.</summary>
    /// <exception cref="ConfigurationException">There is none of that name, or several and no name.</exception>
    public static AccountSettings? AccountOf(CommandContext context)
    {
        var name = context.Arguments.GetValue(Account);
        return name is null && context.Options.Accounts.Count == 0 ? null : RegisterCommand.Choose(context.Options.Accounts, name);
    }

    /// <summary>Who is called.</summary>
    /// <exception cref="ConfigurationException">It is no URI.</exception>
    public static SipUri TargetOf(string text, AccountSettings? account)
    {
        var whole = text.StartsWith("sip:", StringComparison.OrdinalIgnoreCase) || text.StartsWith("sips:", StringComparison.OrdinalIgnoreCase) ? text
            : text.Contains('@', StringComparison.Ordinal) || account is null ? $"sip:{text}"
            : $"sip:{text}@{DomainOf(account.Uri)}";
        return SipUri.TryParse(whole, out var uri) && uri.Host.Length > 0 && uri.Scheme is not SipUriScheme.Other
            ? uri
            : throw new ConfigurationException($"'{text}' is nobody that could be called: name sip:USER@HOST{(account is null ? "" : ", or a number")}.");
    }

    private static string DomainOf(SipUri uri)
    {
        var host = uri.Host.Contains(':', StringComparison.Ordinal) ? $"[{uri.Host}]" : uri.Host;
        return uri.Port == 0 ? host : $"{host}:{uri.Port}";
    }
}
