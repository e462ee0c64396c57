using Microsoft.Extensions.Logging;
using Serilog;
using Serilog.Configuration;
using Serilog.Events;
using Serilog.Extensions.Logging;
using SipNat.Server.Options;

namespace SipNat.Server.Hosting;

/// <summary>Logging through Serilog: always to standard error, and to the sinks of the <c>Serilog</c> section.</summary>
public static class ServerLog
{
    /// <param name="verbose">Standard error from Debug on, whatever <c>Log:Level</c> says.</param>
    /// <exception cref="ConfigurationException">The <c>Serilog</c> section names something that Serilog cannot do.</exception>
    public static ILoggerFactory Create(LogOptions options, bool verbose)
    {
        var level = verbose && options.Level > LogEventLevel.Debug ? LogEventLevel.Debug : options.Level;
        var configuration = new LoggerConfiguration()
            .MinimumLevel.Is(level)
            .MinimumLevel.Override("Microsoft", LogEventLevel.Warning)
            .MinimumLevel.Override("Microsoft.Extensions.Hosting", LogEventLevel.Fatal);
        LoggerSinkConfiguration.Wrap(
            configuration.WriteTo,
            static sink => new QueuedSink(sink),
            static sinks => sinks.Console(new LogLines(), standardErrorFromLevel: LogEventLevel.Verbose),
            level,
            null);
        if (options.Serilog is { } section) Read(configuration, section);
        return new SerilogLoggerFactory(configuration.CreateLogger(), dispose: true);
    }

    private static void Read(LoggerConfiguration configuration, Microsoft.Extensions.Configuration.IConfiguration section)
    {
        try
        {
            configuration.ReadFrom.Configuration(section);
        }
        catch (Exception error) when (error is InvalidOperationException or ArgumentException or FormatException)
        {
            throw new ConfigurationException([new(SerilogSection.Name, null, null, $"is not understood: {error.Message}")]);
        }
    }
}
