using Microsoft.Extensions.Configuration;
using Serilog.Events;

namespace SipNat.Server.Options;

/// <summary>The <c>Log</c> section, and the <c>Serilog</c> section as it stands.</summary>
public sealed record LogOptions
{
    /// <summary>What is written to standard error, from this level on.</summary>
    public LogEventLevel Level { get; init; } = LogEventLevel.Information;

    /// <summary>A configuration with a <c>Serilog</c> section for further sinks and overrides; null where there is none.</summary>
    public IConfiguration? Serilog { get; init; }

    internal static LogOptions Read(SettingReader settings) => new()
    {
        Level = settings.Choice("Log:Level", LogEventLevel.Information),
        Serilog = SerilogSection.Read(settings),
    };
}
