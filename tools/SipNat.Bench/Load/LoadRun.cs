using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Runtime.InteropServices;
using SipNat.Bench.Sip;

namespace SipNat.Bench.Load;

/// <summary>
/// Many recording sessions at once, each with two streams, against one recorder; afterwards every frame is looked for in
/// the files. One thread sends all RTP, one socket carries all SIP.
/// </summary>
public sealed class LoadRun(LoadOptions options, TextWriter progress)
{
    public const int StreamsPerSession = 2;

    private const int Seed = 1;
    private const int MaxProblems = 10;
    private const int FramesBeforeFlood = 10;
    private const int FrameMilliseconds = 20;
    private const int FramesOfPrimer = 1000 / FrameMilliseconds;
    private static readonly TimeSpan ProgressInterval = TimeSpan.FromSeconds(5);

    /// <summary>The whole run: set-up, audio, teardown, comparison.</summary>
    /// <exception cref="InvalidDataException">The recorder could not be started or understood.</exception>
    /// <exception cref="HttpRequestException">The recorder's API cannot be reached.</exception>
    public async Task<LoadReport> RunAsync(CancellationToken stop)
    {
        if (options.Server is { } server) return await RunAsync(server, options.Api, options.Recordings, options.ProcessId, stop);

        progress.WriteLine("starting a recorder");
        await using var recorder = await RecorderProcess.StartAsync(options.Settings, options.Keep, options.Core, stop, options.Recordings, options.Program);
        progress.WriteLine($"recorder {recorder.Id} at {recorder.Server}, files in {recorder.Recordings}");
        return await RunAsync(recorder.Server, recorder.Api, recorder.Recordings, recorder.Id, stop, recorder);
    }

    private async Task<LoadReport> RunAsync(IPEndPoint server, Uri api, string? recordings, int? processId, CancellationToken stop, RecorderProcess? recorder = null)
    {
        using var channel = new UdpSipChannel(new(UdpSipChannel.RouteTo(server), 0));
        using var sender = new PacedSender(channel.Local.Address);
        using var lifetime = new CancellationTokenSource();
        var byCallId = new ConcurrentDictionary<string, LoadSession>(StringComparer.Ordinal);
        var transactions = new ClientTransactions(
            channel,
            (request, from) => byCallId.GetValueOrDefault(request.CallId)?.Answer(request, from),
            (response, _) => byCallId.GetValueOrDefault(response.CallId)?.SeeResponse(response, channel.ReceivedAt));
        var receiving = transactions.RunAsync(lifetime.Token);
        var frames = (int)(options.Duration.TotalMilliseconds / FrameMilliseconds);
        var sessions = CreateSessions(transactions, sender, server, options.Sessions, 0, frames);
        var primers = CreateSessions(transactions, sender, server, options.Primers, options.Sessions, FramesOfPrimer);
        foreach (var session in sessions.Concat(primers)) byCallId[session.CallId] = session;
        var meter = processId is { } id ? new ServerMeter(new(id), sender, options.Core is { } core && options.Server is null ? new(core) : null) : null;
        var showing = ShowProgressAsync(sender, lifetime.Token);
        try
        {
            await PrimeAsync(primers, stop);
            return await RunAsync(new(sessions, sender, server, meter, recorder), new(api, recordings), stop);
        }
        finally
        {
            await lifetime.CancelAsync();
            await Task.WhenAll(receiving, showing);
        }
    }

    private async Task<LoadReport> RunAsync(RunningLoad load, RecordingsCheck check, CancellationToken stop)
    {
        var (sessions, sender, server, meter, recorder) = load;
        // What the runtime compiles in this process at the first request of all is no time of the recorder.
        await sessions[0].AskAsync(stop);
        meter?.Begin();
        var began = Stopwatch.GetTimestamp();
        var up = await SetUpAsync(sessions, stop);
        meter?.Answered();
        var lastAnswer = sessions.Max(session => session.AnsweredAt);
        progress.WriteLine($"{up.Length} of {sessions.Count} sessions are up");
        await WaitForFramesAsync(up, stop);
        await using var checks = options.Checks > 0 ? new CheckRun(server, options.Checks, (options.Sessions + options.Primers) * StreamsPerSession) : null;
        if (checks is not null) await checks.SetUpAsync(stop);
        await Task.Delay(options.WarmUp, stop);
        meter?.AllUp();

        if (options.KillAfter is { } killAfter && recorder is not null) return await KillAsync(load, up, killAfter, check, stop);

        using var lastCheck = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var checking = checks?.RunAsync(lastCheck.Token, stop);
        using var flood = options.Flood.IsAny ? new Flood(options.Flood, server) : null;
        var flooding = flood?.RunAsync(stop);
        if (up.Length > 0) await Task.WhenAny(up.Select(session => session.Streams[0].Sent)).WaitAsync(stop);
        meter?.FirstOver();
        await lastCheck.CancelAsync();
        await EndAsync(up, stop);
        var checkedReport = checking is null ? null : await checking;
        var flooded = flooding is null ? null : await flooding;
        meter?.AllOver();
        progress.WriteLine("sessions ended; comparing the recordings with what was sent");

        var recorded = await check.RunAsync(up, stop);
        var sent = up.Sum(session => session.Streams.Sum(stream => (long)stream.FramesSent));
        var setUp = new SetUpReport(
            up.Length,
            sessions.Count - up.Length,
            recorded.Sessions,
            up.Length == 0 ? 0 : Math.Round(up.Length / Stopwatch.GetElapsedTime(began, lastAnswer).TotalSeconds, 1),
            Percentiles.Of(sessions.Select(session => session.SetUpMilliseconds).OfType<double>()))
        {
            LastInviteTo200Milliseconds = TimesOfLast(sessions),
        };
        return new()
        {
            Sessions = options.Sessions,
            Streams = options.Sessions * StreamsPerSession,
            Seconds = options.Duration.TotalSeconds,
            SetUp = setUp,
            Teardown = TeardownOf(up),
            Packets = new(sent, recorded.Packets, sent - recorded.Packets, sender.NotSent, Math.Round(sender.LatestMilliseconds, 1)),
            Frames = check.ReadsFiles ? new(sent, recorded.Frames.InPlace, recorded.Frames.Elsewhere, recorded.Frames.Missing) : null,
            Silence = check.ReadsFiles ? recorded.Silence : null,
            Server = meter?.Report(up.Length),
            Checks = checkedReport,
            Flood = flooded,
            Findings = recorded.Findings.CountBy(code => code).ToDictionary(StringComparer.Ordinal),
            Problems = [.. sessions.Select(session => session.Problem).OfType<string>().Take(MaxProblems)],
            Machine = new(Environment.ProcessorCount, RuntimeInformation.OSDescription, RuntimeInformation.FrameworkDescription),
        };
    }

    // Whatever was sent a second before has to be there, and every session has to be told as interrupted.
    private async Task<LoadReport> KillAsync(RunningLoad load, LoadSession[] up, TimeSpan killAfter, RecordingsCheck check, CancellationToken stop)
    {
        await Task.Delay(killAfter, stop);
        var sent = up.SelectMany(session => session.Streams).ToDictionary(stream => stream.Number, stream => stream.FramesSent);
        load.Meter?.FirstOver();
        await load.Recorder!.KillAsync();
        progress.WriteLine("killed; starting it again");
        await load.Recorder.StartAgainAsync(stop);
        var killed = await check.FindInterruptedAsync(up, sent, stop);
        var total = sent.Values.Sum(frames => (long)frames);
        return new()
        {
            Sessions = options.Sessions,
            Streams = options.Sessions * StreamsPerSession,
            Seconds = options.Duration.TotalSeconds,
            SetUp = new(up.Length, load.Sessions.Count - up.Length, killed.Interrupted, 0, Percentiles.Of(load.Sessions.Select(session => session.SetUpMilliseconds).OfType<double>()))
            {
                LastInviteTo200Milliseconds = TimesOfLast(load.Sessions),
            },
            Packets = new(total, killed.Frames, total - killed.Frames, load.Sender.NotSent, Math.Round(load.Sender.LatestMilliseconds, 1)),
            Server = load.Meter?.Report(up.Length),
            Killed = killed,
            Findings = new Dictionary<string, int>(StringComparer.Ordinal),
            Problems = [],
            Machine = new(Environment.ProcessorCount, RuntimeInformation.OSDescription, RuntimeInformation.FrameworkDescription),
        };
    }

    private async Task EndAsync(LoadSession[] up, CancellationToken stop)
    {
        if (!options.Storm)
        {
            await Task.WhenAll(up.Select(session => session.EndAsync(stop)));
            return;
        }

        await Task.WhenAll(up.Select(session => session.WaitUntilSentAsync(stop)));
        progress.WriteLine($"{up.Length} BYEs at one time");
        await Task.WhenAll(up.Select(session => session.HangUpAsync(stop)));
    }

    private static Percentiles TimesOfLast(List<LoadSession> sessions) =>
        Percentiles.Of(sessions.TakeLast(SetUpReport.Last).Select(session => session.SetUpMilliseconds).OfType<double>());

    private static TeardownReport TeardownOf(LoadSession[] up)
    {
        var ended = up.Where(session => session.IsEnded).ToList();
        var lasted = ended.Count == 0 ? TimeSpan.Zero : Stopwatch.GetElapsedTime(ended.Min(session => session.ByeSentAt), ended.Max(session => session.ByeAnsweredAt));
        return new(
            ended.Count,
            Math.Round(lasted.TotalSeconds, 3),
            Percentiles.Of(ended.Select(session => Stopwatch.GetElapsedTime(session.ByeSentAt, session.ByeAnsweredAt).TotalMilliseconds)));
    }

    private async Task PrimeAsync(List<LoadSession> primers, CancellationToken stop)
    {
        if (primers.Count == 0) return;

        var up = await SetUpAsync(primers, stop);
        await Task.WhenAll(up.Select(session => session.EndAsync(stop)));
        foreach (var session in primers) session.Release();
        progress.WriteLine($"{up.Length} sessions were run to begin with");
    }

    // Numbers tell the streams of a run apart, also those that are not looked for.
    private List<LoadSession> CreateSessions(ClientTransactions transactions, PacedSender sender, IPEndPoint server, int count, int first, int frames)
    {
        var random = new Random(Seed + first);
        var sessions = new List<LoadSession>(count);
        for (var i = first; i < first + count; i++)
        {
            var streams = new List<(SendGroup, LoadStream)>(StreamsPerSession);
            for (var j = 0; j < StreamsPerSession; j++)
            {
                var group = sender.Reserve();
                streams.Add((group, new((i * StreamsPerSession) + j, $"{j + 1}", group.Port, frames, random)));
            }

            sessions.Add(new(transactions, sender, server, streams, options.RtcpMux));
        }

        return sessions;
    }

    // INVITEs go out at their pace, whether or not the ones before have been answered.
    private async Task<LoadSession[]> SetUpAsync(List<LoadSession> sessions, CancellationToken stop)
    {
        var clock = Stopwatch.StartNew();
        var settingUp = new List<Task<bool>>(sessions.Count);
        foreach (var session in sessions)
        {
            var early = TimeSpan.FromSeconds(settingUp.Count / options.Rate) - clock.Elapsed;
            if (early > TimeSpan.Zero) await Task.Delay(early, stop);
            settingUp.Add(session.SetUpAsync(stop));
        }

        var isUp = await Task.WhenAll(settingUp);
        return [.. sessions.Zip(isUp).Where(pair => pair.Second).Select(pair => pair.First)];
    }

    // A stray packet that came before a stream's own first one would be told from it by no policy that lets everybody in.
    private static async Task WaitForFramesAsync(LoadSession[] sessions, CancellationToken stop)
    {
        while (sessions.Any(session => session.Streams.Any(stream => stream.FramesSent < Math.Min(FramesBeforeFlood, stream.Frames)))) await Task.Delay(20, stop);
    }

    private async Task ShowProgressAsync(PacedSender sender, CancellationToken stop)
    {
        using var timer = new PeriodicTimer(ProgressInterval);
        var clock = Stopwatch.StartNew();
        try
        {
            while (await timer.WaitForNextTickAsync(stop)) progress.WriteLine($"{clock.Elapsed.TotalSeconds,6:F0} s  {sender.Packets,12:N0} packets sent");
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The run has ended.
        }
    }

    private sealed record RunningLoad(List<LoadSession> Sessions, PacedSender Sender, IPEndPoint Server, ServerMeter? Meter, RecorderProcess? Recorder);
}
