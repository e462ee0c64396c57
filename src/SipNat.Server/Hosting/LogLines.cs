using System.Globalization;
using Serilog.Events;
using Serilog.Formatting;

namespace SipNat.Server.Hosting;

/// <summary>One event, one line: time (UTC), level, message. What came from the wire cannot begin a line of its own.</summary>
internal sealed class LogLines : ITextFormatter
{
    public void Format(LogEvent logEvent, TextWriter output)
    {
        var time = logEvent.Timestamp.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);
        var message = logEvent.RenderMessage(CultureInfo.InvariantCulture);
        output.WriteLine($"{time} {Level(logEvent.Level)} {SafeText.Escape(message)}");
        if (logEvent.Exception is not { } exception) return;

        foreach (var line in exception.ToString().Split('\n')) output.WriteLine($"    {SafeText.Escape(line.TrimEnd('\r'))}");
    }

    private static string Level(LogEventLevel level) => level switch
    {
        LogEventLevel.Verbose => "TRC",
        LogEventLevel.Debug => "DBG",
        LogEventLevel.Information => "INF",
        LogEventLevel.Warning => "WRN",
        LogEventLevel.Error => "ERR",
        _ => "FTL",
    };
}
