using System.Globalization;
using Serilog.Events;
using Serilog.Formatting;
using Serilog.Formatting.Display;

namespace SipNat.Server.Hosting;

/// <summary>One event, one line: time (UTC), level, message. What came from the wire cannot begin a line of its own.</summary>
internal sealed class LogLines : ITextFormatter
{
    // "l" renders texts without quotes.
    private static readonly MessageTemplateTextFormatter Message = new("{Message:l}", CultureInfo.InvariantCulture);

    public void Format(LogEvent logEvent, TextWriter output)
    {
        var time = logEvent.Timestamp.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);
        using var message = new StringWriter(CultureInfo.InvariantCulture);
        Message.Format(logEvent, message);
        output.WriteLine($"{time} {Level(logEvent.Level)} {SafeText.Escape(message.ToString())}");
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
