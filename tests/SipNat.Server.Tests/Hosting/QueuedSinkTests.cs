using Serilog.Core;
using Serilog.Events;
using Serilog.Parsing;
using SipNat.Server.Hosting;

namespace SipNat.Server.Tests.Hosting;

public sealed class QueuedSinkTests
{
    [Fact]
    public void Whoever_logs_does_not_wait_for_a_sink_that_stands_and_what_found_no_room_is_told()
    {
        var standing = new StandingSink();
        using (var sink = new QueuedSink(standing))
        {
            sink.Emit(Line("first"));
            standing.Entered.Wait(TestContext.Current.CancellationToken);
            for (var i = 0; i < QueuedSink.Capacity + 3; i++) sink.Emit(Line($"{i}"));
            standing.Gate.Set();
        }

        Assert.Equal(
            ["first", .. Enumerable.Range(0, QueuedSink.Capacity).Select(i => $"{i}"), "3 lines of the log were left out, as they could not be written as fast as they came"],
            standing.Lines);
        Assert.True(standing.IsDisposed);
    }

    [Fact]
    public void A_line_after_the_end_goes_nowhere()
    {
        var standing = new StandingSink();
        standing.Gate.Set();
        var sink = new QueuedSink(standing);
        sink.Emit(Line("before"));
        sink.Dispose();
        sink.Emit(Line("after"));

        Assert.Equal(["before"], standing.Lines);
    }

    private static LogEvent Line(string text) => new(DateTimeOffset.UnixEpoch, LogEventLevel.Information, null, new MessageTemplateParser().Parse(text), []);

    private sealed class StandingSink : ILogEventSink, IDisposable
    {
        public ManualResetEventSlim Entered { get; } = new();

        public ManualResetEventSlim Gate { get; } = new();

        public List<string> Lines { get; } = [];

        public bool IsDisposed { get; private set; }

        public void Emit(LogEvent logEvent)
        {
            Entered.Set();
            Gate.Wait();
            Lines.Add(logEvent.RenderMessage(System.Globalization.CultureInfo.InvariantCulture));
        }

        public void Dispose() => IsDisposed = true;
    }
}
