using System.Diagnostics.CodeAnalysis;
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
    private readonly object _gate = new();
    private readonly Queue<LogEvent> _lines = new();
    private readonly Thread _thread;
    private int _leftOut;
    private bool _isEnding;

    /// <param name="sink">Called by one thread; disposed of with this.</param>
    public QueuedSink(ILogEventSink sink)
    {
        _sink = sink;
        _thread = new(Run) { Name = "log", IsBackground = true };
        _thread.Start();
    }

    public void Emit(LogEvent logEvent)
    {
        lock (_gate)
        {
            // Logged while the program ends, after its log.
            if (_isEnding) return;

            if (_lines.Count == Capacity)
            {
                _leftOut++;
                return;
            }

            _lines.Enqueue(logEvent);
            if (_lines.Count == 1) Monitor.Pulse(_gate);
        }
    }

    /// <summary>Writes what waits.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _isEnding = true;
            Monitor.Pulse(_gate);
        }

        if (_thread.Join(EndLimit)) (_sink as IDisposable)?.Dispose();
    }

    private void Run()
    {
        while (TryTake(out var line, out var leftOut))
        {
            _sink.Emit(line);
            if (leftOut > 0) TellLeftOut(line.Timestamp, leftOut);
        }
    }

    // Waits for a line; false once the end has come and none is left. With the last one that waits goes what found no room.
    private bool TryTake([NotNullWhen(true)] out LogEvent? line, out int leftOut)
    {
        lock (_gate)
        {
            while (_lines.Count == 0 && !_isEnding) Monitor.Wait(_gate);

            leftOut = 0;
            if (!_lines.TryDequeue(out line)) return false;

            if (_lines.Count == 0) (leftOut, _leftOut) = (_leftOut, 0);
            return true;
        }
    }

    private void TellLeftOut(DateTimeOffset at, int count) =>
        _sink.Emit(new(at, LogEventLevel.Warning, null, LeftOut, [new("Count", new ScalarValue(count))]));
}
