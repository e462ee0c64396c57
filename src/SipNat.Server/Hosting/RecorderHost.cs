using Microsoft.Extensions.Logging;
using SipNat.Archive;
using SipNat.Archive.Audio;
using SipNat.Archive.Index;
using SipNat.Media.Streams;
using SipNat.Server.Api;
using SipNat.Server.Options;
using SipNat.Server.Tracing;
using SipNat.Server.Transport;
using SipNat.Server.Webhooks;

namespace SipNat.Server.Hosting;

/// <summary>Everything that <c>serve</c> runs, put together.</summary>
public static class RecorderHost
{
    private const int MebiByte = 1 << 20;

    // An export or a webhook that waits in a thread of the pool keeps signalling from it where there is one for each core.
    private const int LeastThreads = 8;

    /// <summary>Binds what is configured, calls <paramref name="ready"/>, and runs until <paramref name="drain"/>.</summary>
    /// <param name="tracePath">The capture file of what is sent and received; null for none.</param>
    /// <exception cref="UnavailableException">A listener cannot be bound, the recordings belong to another process, or the trace cannot be written.</exception>
    public static async Task RunAsync(SipNatOptions options, ILoggerFactory logs, Action<RecorderReady> ready, string? tracePath, CancellationToken drain)
    {
        ThreadPool.GetMinThreads(out var workers, out var completions);
        ThreadPool.SetMinThreads(Math.Max(workers, LeastThreads), completions);
        var clock = new ServerClock(TimeProvider.System);
        var health = new Health();
        using var stop = new CancellationTokenSource();
        await using var trace = PacketTrace.Open(tracePath, clock, logs);
        using var metrics = new MetricsExporter();
        using var archive = OpenArchive(options, logs, out var recovered);
        await using var rows = new RecordingRows(archive, isBehind: !recovered.HasRows, logs);
        await using var webhooks = new WebhookSender(options.Webhooks, WebhookSender.FolderBeside(options.Recording.Database), logs);
        await using var journal = new RecordingJournal(archive, rows, webhooks, logs);
        foreach (var folder in recovered.RecoveredFolders) journal.TakeRecovered(folder);
        var writers = (options.Media.Threads + 1) / 2;
        await using var writer = new AudioFileWriter(new()
        {
            Threads = writers,
            SyncInterval = options.Recording.SyncInterval,
            QueueCapacity = options.Recording.WriteMemory * (MebiByte / StreamTimeline.BlockLength) / writers,
        });
        var names = new HostNames([.. options.StunServers, .. options.Nat.ExternalAddress], clock.Time, logs.CreateLogger<HostNames>());
        var turn = new TurnServers(options.Nat, clock.Time, logs);
        await Task.WhenAll(names.ResolveAsync(drain), turn.ResolveAsync(drain));

        using var lifetimes = new LifetimeWatch(options, clock, names, turn, logs);
        await using var recorder = new Recorder(options, clock, archive, journal, writer, names, turn, lifetimes, logs, trace);
        var loops = Task.WhenAll(
            clock.RunAsync(stop.Token),
            names.RunAsync(recorder.UpdateNames, stop.Token),
            turn.RunAsync(recorder.UpdateTurnServers, stop.Token),
            recorder.RunAsync(stop.Token));
        recorder.Start();
        await using var api = await ApiServer.StartAsync(
            options.Http.Listen, archive, new(recorder.TrySetPaused, recorder.Accounts), health, metrics, logs, options.Http.Token, drain);

        health.State = HealthState.Ready;
        ready(new(recorder.Bound, api.Address));
        var measuring = lifetimes.RunAsync(recorder.LimitKeepalive, stop.Token);
        await WaitAsync(drain);
        health.State = HealthState.Draining;
        await recorder.DrainAsync(options.Recording.DrainTimeout);
        await stop.CancelAsync();
        await loops;
        await measuring;
    }

    private static RecordingArchive OpenArchive(SipNatOptions options, ILoggerFactory logs, out ReindexResult recovered)
    {
        var archive = RecordingArchive.Open(options.Recording.Directory, options.Recording.Database);
        if (!archive.TryClaim())
        {
            archive.Dispose();
            throw new UnavailableException($"Another process records into {options.Recording.Directory}; set Recording:Directory and Recording:Database to places of its own.");
        }

        recovered = archive.RecoverInterrupted();
        RecorderLog.Recovered(logs.CreateLogger(typeof(RecorderHost)), recovered);
        return archive;
    }

    private static async Task WaitAsync(CancellationToken stop)
    {
        var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = stop.UnsafeRegister(static source => ((TaskCompletionSource)source!).TrySetResult(), stopped);
        await stopped.Task;
    }
}

/// <summary>What is bound once the server is ready.</summary>
/// <param name="Listeners">SIP, with real ports.</param>
/// <param name="Http">The API's address.</param>
public sealed record RecorderReady(IReadOnlyList<SipListener> Listeners, string Http);
