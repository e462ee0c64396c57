using Microsoft.Extensions.Logging;
using SipNat.Archive;
using SipNat.Server.Api;
using SipNat.Server.Options;
using SipNat.Server.Transport;
using SipNat.Wire;

namespace SipNat.Server.Hosting;

/// <summary>Everything that <c>serve</c> runs, put together.</summary>
public static class RecorderHost
{
    /// <summary>Binds what is configured, calls <paramref name="ready"/>, and runs until <paramref name="drain"/>.</summary>
    /// <exception cref="UnavailableException">A listener cannot be bound.</exception>
    public static async Task RunAsync(SipNatOptions options, ILoggerFactory logs, Action<RecorderReady> ready, CancellationToken drain)
    {
        var clock = new ServerClock(TimeProvider.System);
        var flows = new FlowIds();
        var health = new Health();
        using var metrics = new MetricsExporter();
        using var archive = RecordingArchive.Open(options.Recording.Directory, options.Recording.Database);
        using var stop = new CancellationTokenSource();

        var clockLoop = clock.RunAsync(stop.Token);
        await using var host = new CoreHost(new IdleCore(), clock, flows, new TransportLimits(), logs);
        host.Start(options.Sip.Listen);
        await using var api = await ApiServer.StartAsync(options.Http.Listen, archive, health, metrics, logs, drain);

        health.State = HealthState.Ready;
        ready(new(host.Bound, api.Address));
        await WaitAsync(drain);
        health.State = HealthState.Draining;
        await stop.CancelAsync();
        await clockLoop;
    }

    private static async Task WaitAsync(CancellationToken stop)
    {
        var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = stop.UnsafeRegister(static source => ((TaskCompletionSource)source!).TrySetResult(), stopped);
        await stopped.Task;
    }

    private sealed class IdleCore : IProtocolCore
    {
        public Outbox Outbox { get; } = new();

        public Instant? Deadline => null;

        public void HandleDatagram(Instant now, FlowId flow, TransportAddress from, ReadOnlySpan<byte> datagram)
        {
        }

        public void HandleFlow(Instant now, FlowId flow, FlowChange change)
        {
        }

        public void HandleTimeout(Instant now)
        {
        }

        public bool TryTakeRequest(out FlowRequest request)
        {
            request = default;
            return false;
        }
    }
}

/// <summary>What is bound once the server is ready.</summary>
/// <param name="Listeners">SIP, with real ports.</param>
/// <param name="Http">The API's address.</param>
public sealed record RecorderReady(IReadOnlyList<SipListener> Listeners, string Http);
