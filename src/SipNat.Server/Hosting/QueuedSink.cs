using System.Collections.Concurrent;
using Serilog.Core;
using Serilog.Events;
using Serilog.Parsing;

namespace SipNat.Server.Hosting;

/// <summary>
/// Takes lines to a sink on a thread of its own: whoever logs, signalling under its lock first of all, waits neither for a
/// disk that is busy nor for a pipe that nobody reads. Where too many wait, the later ones are left out, which a line tells.
/// </summary>
internal sealed class QueuedSink : ILogEventSink, IDisposable
{
    /// <summary>Lines that wait.</summary>
    public const int Capacity = 20_000;

    /// <summary>How long the end may take: a pipe that nobody reads would keep the program for ever.</summary>
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(5);

    private static readonly MessageTemplate LeftOut = new MessageTemplateParser().Parse("{Count} lines of the log were left out, as they could not be written as fast as they came");

    private readonly ILogEventSink _sink;
    private readonly BlockingCollection<LogEvent> _lines = new(Capacity);
    private readonly Thread _thread;
    private long _leftOut;

    /// <param name="sink">Called by one thread; disposed of with this.</param>
    public QueuedSink(ILogEventSink sink)
    {
        _sink = sink;
        _thread = new(Run) { Name = "log", IsBackground = true };
        _thread.Start();
    }

    public void Emit(LogEvent logEvent)
    {
        try
        {
            if (_lines.TryAdd(logEvent)) return;
        }
        catch (InvalidOperationException)
        {
            // Logged while the program ends, after its log.
            return;
        }

        Interlocked.Increment(ref _leftOut);
    }

    /// <summary>Writes what waits.</summary>
    public void Dispose()
    {
        _lines.CompleteAdding();
        if (!_thread.Join(EndLimit)) return;

        (_sink as IDisposable)?.Dispose();
        _lines.Dispose();
    }

    private void Run()
    {
        foreach (var line in _lines.GetConsumingEnumerable())
        {
            _sink.Emit(line);
            if (_lines.Count == 0) TellLeftOut(line.Timestamp);
        }
    }

    private void TellLeftOut(DateTimeOffset at)
    {
        if (Interlocked.Exchange(ref _leftOut, 0) is > 0 and var count)
        {
            _sink.Emit(new(at, LogEventLevel.Warning, null, LeftOut, [new("Count", new ScalarValue(count))]));
        }
    }
}
