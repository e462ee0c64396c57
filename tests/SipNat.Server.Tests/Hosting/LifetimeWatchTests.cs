using System.Net.Sockets;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using SipNat.Server.Hosting;
using SipNat.Server.Options;
using SipNat.Server.Tests.Archive;
using SipNat.Traversal.Discovery;
using SipNat.Traversal.Stun;
using SipNat.Wire;

namespace SipNat.Server.Tests.Hosting;

/// <summary>From what STUN says of a SIP socket to the keepalive that follows.</summary>
public sealed class LifetimeWatchTests : IDisposable
{
    private static readonly TransportAddress Server = TransportAddress.Parse("198.51.100.50:3478");
    private static readonly TransportAddress Local = TransportAddress.Parse("192.168.1.5:5060");
    private static readonly TransportAddress Mapped = TransportAddress.Parse("198.51.100.1:61000");
    private readonly TemporaryFolder _folder = new();
    private readonly Channel<string> _happened = Channel.CreateUnbounded<string>();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(30, "Keepalive every 16.8–21.0 s: silent mappings last 30 s (measured)")]
    [InlineData(10, "Keepalive every 5.6–7.0 s: silent mappings last 10 s (measured)")]
    public async Task A_nat_is_measured_once_stun_has_shown_it_and_the_bound_is_told(int seconds, string text)
    {
        var lifetime = Measured<TimeSpan>.Of(TimeSpan.FromSeconds(seconds), 3);
        using var watch = Create(_ => Task.FromResult(new MappingLifetimes(lifetime, default) { EstablishedAtLeast = TimeSpan.FromSeconds(54) }));
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var running = watch.RunAsync(bound => _happened.Writer.TryWrite($"bound {bound.TotalSeconds:F1}"), stop.Token);
        watch.Handle(new StunBindingEvent.MappingLearned(default, Local, Mapped, Server, default));

        Assert.Equal(["measure 192.168.1.5:0", text, $"bound {seconds * 0.7:F1}"], await TakeAsync(3));
        Assert.Equal((seconds * 0.7, seconds), (watch.Bound.TotalSeconds, watch.Lifetime!.Value.TotalSeconds));
        await stop.CancelAsync();
        await running;
    }

    [Fact]
    public async Task Mappings_that_outlive_the_configured_bound_change_nothing()
    {
        using var watch = Create(_ => Task.FromResult(new MappingLifetimes(default, default) { FreshAtLeast = TimeSpan.FromSeconds(54), EstablishedAtLeast = TimeSpan.FromSeconds(54) }));
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var running = watch.RunAsync(_ => Assert.Fail("The bound is the same."), stop.Token);
        watch.Handle(new StunBindingEvent.MappingLearned(default, Local, Mapped, Server, default));

        Assert.Equal(["measure 192.168.1.5:0", "Keepalive every 20.0–25.0 s: silent mappings last longer than 54 s (measured)"], await TakeAsync(2));
        await stop.CancelAsync();
        await running;
    }

    [Fact]
    public async Task A_measurement_that_cannot_be_made_leaves_the_configured_bound()
    {
        using var watch = Create(_ => Task.FromException<MappingLifetimes>(new SocketException((int)SocketError.AddressNotAvailable)));
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var running = watch.RunAsync(_ => Assert.Fail("The bound is the same."), stop.Token);
        watch.Handle(new StunBindingEvent.MappingChanged(default, Local, Local, Mapped, Server, default));

        Assert.Equal(
            [
                "measure 192.168.1.5:0",
                "Keepalive every 20.0–25.0 s (Nat:Keepalive): how long silent mappings last could not be measured, which takes a STUN server that knows RESPONSE-PORT (RFC 5780) or a TURN server over UDP",
            ],
            await TakeAsync(2));
        Assert.Null(watch.Lifetime);
        await stop.CancelAsync();
        await running;
    }

    [Theory]
    [InlineData("Nat:MeasureLifetime=false", "Nat:StunServers:0=198.51.100.50")]
    [InlineData("Nat:MeasureLifetime=true", "Nat:Keepalive=00:00:20")]
    public async Task Nothing_is_measured_where_that_is_off_or_no_stun_server_is_known(params string[] settings)
    {
        using var watch = Create(_ => throw new InvalidOperationException("Nobody asked."), settings);
        watch.Handle(new StunBindingEvent.MappingLearned(default, Local, Mapped, Server, default));

        await watch.RunAsync(_ => Assert.Fail("The bound is the same."), Cancel);
        Assert.Null(watch.Lifetime);
    }

    private LifetimeWatch Create(Func<TransportAddress, Task<MappingLifetimes>> measure, params string[] settings)
    {
        if (settings.Length == 0) settings = ["Nat:StunServers:0=198.51.100.50"];
        var options = ConfigurationLoader.Load(new ConfigurationInputs { Settings = settings, CurrentDirectory = _folder.Path, ProgramDirectory = _folder.Path }).OptionsOrThrow();
        var names = new HostNames(options.Nat.StunServers, TimeProvider.System, NullLogger<HostNames>.Instance);
        return new(options, new(TimeProvider.System), names, new(options.Nat, TimeProvider.System, NullLoggerFactory.Instance), new TextLogs(_happened.Writer))
        {
            Measure = (local, _) =>
            {
                _happened.Writer.TryWrite($"measure {local}");
                return measure(local);
            },
        };
    }

    private async Task<List<string>> TakeAsync(int count)
    {
        var taken = new List<string>();
        while (taken.Count < count) taken.Add(await _happened.Reader.ReadAsync(Cancel));
        return taken;
    }

    // What a user sees by default.
    private sealed class TextLogs(ChannelWriter<string> texts) : ILoggerFactory, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public void AddProvider(ILoggerProvider provider)
        {
        }

        public void Dispose()
        {
        }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            texts.TryWrite(formatter(state, exception));
    }
}
