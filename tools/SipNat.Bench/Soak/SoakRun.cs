using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;
using SipNat.Bench.Load;
using SipNat.Bench.Sip;

namespace SipNat.Bench.Soak;

/// <summary>
/// Sessions come and go against one recorder for a long time, some of them without a word at the end; every recording is
/// compared with what was sent, and deleted. What is asked: is anything missing, and does memory grow?
/// </summary>
public sealed class SoakRun(SoakOptions options, TextWriter progress)
{
    private const double MegaByte = 1e6;
    private const int MaxProblems = 10;
    private const int FramesPerSecond = 50;

    // With the half minute that an unanswered question takes, a session that is broken off ends within a minute.
    private const string SilenceTimeout = "Recording:SilenceTimeout=00:00:20";
    private static readonly TimeSpan SampleInterval = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan ProgressInterval = TimeSpan.FromSeconds(30);

    private readonly ConcurrentDictionary<string, LoadSession> _byCallId = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> _problems = new();
    private readonly List<SoakSample> _samples = [];
    private readonly Random _random = new(options.Seed);
    private int _begun;
    private int _refused;
    private int _brokenOff;
    private int _up;

    /// <exception cref="InvalidDataException">The recorder could not be started or understood.</exception>
    /// <exception cref="HttpRequestException">The recorder's API cannot be reached.</exception>
    public async Task<SoakReport> RunAsync(CancellationToken stop)
    {
        progress.WriteLine("starting a recorder");
        await using var recorder = await RecorderProcess.StartAsync([SilenceTimeout, .. options.Settings], options.Keep, options.Core, stop);
        progress.WriteLine($"recorder {recorder.Id} at {recorder.Server}, files in {recorder.Recordings}");
        using var channel = new UdpSipChannel(new(UdpSipChannel.RouteTo(recorder.Server), 0));
        using var sender = new PacedSender(channel.Local.Address);
        using var lifetime = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var transactions = new ClientTransactions(
            channel,
            (request, from) => _byCallId.GetValueOrDefault(request.CallId)?.Answer(request, from),
            (response, _) => _byCallId.GetValueOrDefault(response.CallId)?.SeeResponse(response, channel.ReceivedAt));
        var ledger = new SoakLedger(recorder, new(recorder.Api, recorder.Recordings), _problems.Enqueue);
        var receiving = transactions.RunAsync(lifetime.Token);
        try
        {
            return await RunAsync(new(recorder, transactions, sender, ledger), stop);
        }
        finally
        {
            await lifetime.CancelAsync();
            await receiving;
        }
    }

    private async Task<SoakReport> RunAsync(RunningSoak soak, CancellationToken stop)
    {
        var meter = new ProcessMeter(soak.Recorder.Id);
        var began = Stopwatch.GetTimestamp();
        var cpu = meter.CpuTime;
        using var watching = CancellationTokenSource.CreateLinkedTokenSource(stop);
        Task[] aside = [soak.Ledger.RunAsync(watching.Token), SampleAsync(meter, watching.Token), ShowAsync(soak, watching.Token)];

        // Where one of them fails there is nothing to go on for.
        var beginning = BeginAllAsync(soak, stop);
        await await Task.WhenAny([beginning, .. aside]);
        var sessions = await beginning;
        var share = 100 * (meter.CpuTime - cpu) / Stopwatch.GetElapsedTime(began);
        progress.WriteLine("no further sessions; waiting for those that run");
        await Task.WhenAll(sessions);
        await watching.CancelAsync();
        await Task.WhenAll(aside);
        var left = await soak.Ledger.FinishAsync(stop);
        return Report(soak, left, share);
    }

    private SoakReport Report(RunningSoak soak, int left, double share)
    {
        var (ledger, warmUp) = (soak.Ledger, MemoryQuarters.WarmUp(options.Duration).TotalSeconds);
        var (recorded, sent) = (ledger.Recorded, ledger.Sent);
        var steady = _samples.Where(sample => sample.Seconds >= warmUp && sample.Seconds <= options.Duration.TotalSeconds).ToList();
        return new()
        {
            Minutes = Math.Round(options.Duration.TotalMinutes, 1),
            Sessions = new(options.Sessions, steady.Count == 0 ? 0 : Math.Round(steady.Average(sample => sample.Up), 1), _begun, _refused, _brokenOff),
            Recordings = new(ledger.Verified, ledger.Missing, left),
            Packets = new(sent, recorded.Packets, sent - recorded.Packets, soak.Sender.NotSent, Math.Round(soak.Sender.LatestMilliseconds, 1)),
            Frames = new(sent, recorded.Frames.InPlace, recorded.Frames.Elsewhere, sent - recorded.Frames.InPlace - recorded.Frames.Elsewhere),
            Memory = MemoryQuarters.Of(steady),
            CpuPercentOfCore = Math.Round(share, 1),
            Findings = recorded.Findings.CountBy(code => code).ToDictionary(StringComparer.Ordinal),
            Problems = [.. _problems.Take(MaxProblems)],
            Samples = _samples,
            Machine = new(Environment.ProcessorCount, RuntimeInformation.OSDescription, RuntimeInformation.FrameworkDescription),
        };
    }

    // Each begins at its time, whether or not the ones before were answered.
    private async Task<List<Task>> BeginAllAsync(RunningSoak soak, CancellationToken stop)
    {
        var plan = new SoakPlan(options.Sessions, options.BrokenPercent, options.Seed);
        var clock = Stopwatch.StartNew();
        var sessions = new List<Task>();
        for (var planned = plan.Next(); planned.At < options.Duration; planned = plan.Next())
        {
            var early = planned.At - clock.Elapsed;
            if (early > TimeSpan.Zero) await Task.Delay(early, stop);
            sessions.Add(RunSessionAsync(soak, planned, _begun++, stop));
        }

        return sessions;
    }

    private async Task RunSessionAsync(RunningSoak soak, PlannedSession planned, int number, CancellationToken stop)
    {
        var streams = new List<(SendGroup Group, LoadStream Stream)>(LoadRun.StreamsPerSession);
        for (var i = 0; i < LoadRun.StreamsPerSession; i++)
        {
            var group = soak.Sender.Reserve();
            streams.Add((group, new((number * LoadRun.StreamsPerSession) + i, $"{i + 1}", group.Port, (int)(planned.Length.TotalSeconds * FramesPerSecond), _random)));
        }

        var session = new LoadSession(soak.Transactions, soak.Sender, soak.Recorder.Server, streams);
        _byCallId[session.CallId] = session;
        try
        {
            await RunSessionAsync(soak, session, planned, stop);
        }
        finally
        {
            _byCallId.TryRemove(session.CallId, out _);
            session.Release();
            if (session.Problem is { } problem) _problems.Enqueue($"session {number}: {problem}");
        }
    }

    private async Task RunSessionAsync(RunningSoak soak, LoadSession session, PlannedSession planned, CancellationToken stop)
    {
        if (!await session.SetUpAsync(stop))
        {
            Interlocked.Increment(ref _refused);
            return;
        }

        Interlocked.Increment(ref _up);
        if (planned.IsBrokenOff)
        {
            await session.WaitUntilSentAsync(stop);
            Interlocked.Increment(ref _brokenOff);
        }
        else
        {
            await session.EndAsync(stop);
        }

        Interlocked.Decrement(ref _up);
        soak.Ledger.Add(session);
    }

    private async Task SampleAsync(ProcessMeter meter, CancellationToken stop)
    {
        var clock = Stopwatch.StartNew();
        await EveryAsync(
            SampleInterval,
            () => _samples.Add(new(Math.Round(clock.Elapsed.TotalSeconds, 1), _up, Math.Round(meter.Resident / MegaByte, 1), Math.Round(meter.Anonymous / MegaByte, 1))),
            stop);
    }

    private async Task ShowAsync(RunningSoak soak, CancellationToken stop)
    {
        var clock = Stopwatch.StartNew();
        await EveryAsync(
            ProgressInterval,
            () => progress.WriteLine(
                $"{clock.Elapsed.TotalSeconds,6:F0} s  {_up,5} up, {_begun,6} begun, {_refused} refused, {soak.Ledger.Verified,6} verified, {soak.Ledger.Waiting} ended, "
                + $"{soak.Ledger.Missing} missing, {soak.Ledger.Sent - soak.Ledger.Recorded.Frames.InPlace} frames not in place, {_samples.LastOrDefault()?.ResidentMegabytes} MB"),
            stop);
    }

    private static async Task EveryAsync(TimeSpan interval, Action act, CancellationToken stop)
    {
        using var timer = new PeriodicTimer(interval);
        try
        {
            while (await timer.WaitForNextTickAsync(stop)) act();
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The run has ended.
        }
    }

    private sealed record RunningSoak(RecorderProcess Recorder, ClientTransactions Transactions, PacedSender Sender, SoakLedger Ledger);
}
