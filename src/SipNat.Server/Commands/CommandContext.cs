using System.CommandLine;
using Microsoft.Extensions.Logging;
using SipNat.Server.Hosting;
using SipNat.Server.Options;

namespace SipNat.Server.Commands;

/// <summary>What a command runs with: its parsed arguments, the validated options, and where its output goes.</summary>
internal sealed record CommandContext(ParseResult Arguments, SipNatOptions Options, ILoggerFactory Logs, ShutdownSignals Signals)
{
    public bool Json => Arguments.GetValue(GlobalOptions.Json);

    /// <summary>Standard output: results alone.</summary>
    public TextWriter Output => Arguments.InvocationConfiguration.Output;

    /// <summary>Standard error: everything for people that is not the result.</summary>
    public TextWriter Error => Arguments.InvocationConfiguration.Error;
}
