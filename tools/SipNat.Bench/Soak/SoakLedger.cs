using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using SipNat.Bench.Load;

namespace SipNat.Bench.Soak;

/// <summary>
/// The sessions of a soak that are over: looks for the recording of each, compares it frame by frame with what was sent,
/// and deletes it, as somebody would who has taken it away.
/// </summary>
internal sealed class SoakLedger(RecorderProcess recorder, RecordingsCheck check, Action<string> tellProblem)
{
    // The peer is asked after its silence, and given up when it has not answered for half a minute (RFC 3261 timer F).
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<string, EndedSession> _ended = new(StringComparer.Ordinal);
    private readonly HashSet<string> _deletable = new(StringComparer.Ordinal);
    private long _sent;

    public int Verified { get; private set; }

    public int Missing { get; private set; }

    /// <summary>Sessions that are over and whose recording has not been found yet.</summary>
    public int Waiting => _ended.Count;

    public RecordedLoad Recorded { get; private set; } = new();

    /// <summary>Packets of all sessions that were looked for.</summary>
    public long Sent => _sent;

    /// <summary>One session that has ended in one way or another.</summary>
    public void Add(LoadSession session) => _ended[session.CallId] = new(session, Stopwatch.GetTimestamp());

    /// <summary>Looks again and again, until it is stopped.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        using var http = new HttpClient { BaseAddress = recorder.Api };
        using var timer = new PeriodicTimer(Interval);
        try
        {
            while (await timer.WaitForNextTickAsync(stop)) await LookAsync(http, stop);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // What is over by then is looked at by FinishAsync.
        }
    }

    /// <summary>Looks until nothing waits any more, and gives how many recordings there are still.</summary>
    public async Task<int> FinishAsync(CancellationToken stop)
    {
        using var http = new HttpClient { BaseAddress = recorder.Api };
        await LookAsync(http, stop);
        while (!_ended.IsEmpty)
        {
            await Task.Delay(Interval, stop);
            await LookAsync(http, stop);
        }

        using var list = await ListAsync(http, stop);
        return list.RootElement.GetArrayLength();
    }

    private async Task LookAsync(HttpClient http, CancellationToken stop)
    {
        using var list = await ListAsync(http, stop);
        var deletable = new List<string>();
        foreach (var item in list.RootElement.EnumerateArray())
        {
            var id = RecordingsCheck.Text(item, "id");
            if (_deletable.Contains(id)) deletable.Add(id);
            if (RecordingsCheck.Text(item, "state") != "complete" || !_ended.TryRemove(RecordingsCheck.Text(item, "callId"), out var ended)) continue;

            Recorded = check.Compare(Recorded, item, ended.Session);
            _sent += FramesOf(ended.Session);
            Verified++;
            deletable.Add(id);
        }

        // What is there the next time is tried again.
        _deletable.Clear();
        _deletable.UnionWith(deletable);
        if (deletable.Count > 0 && await recorder.DeleteAsync(deletable, stop) is { } refusal) tellProblem($"recordings were not deleted: {refusal}");
        foreach (var (callId, ended) in _ended)
        {
            if (Stopwatch.GetElapsedTime(ended.At) < Patience || !_ended.TryRemove(callId, out _)) continue;

            _sent += FramesOf(ended.Session);
            Missing++;
        }
    }

    private static async Task<JsonDocument> ListAsync(HttpClient http, CancellationToken stop) =>
        JsonDocument.Parse(await http.GetStringAsync($"/api/recordings?limit={RecordingsCheck.ListLimit}", stop));

    private static long FramesOf(LoadSession session) => session.Streams.Sum(stream => (long)stream.FramesSent);

    private readonly record struct EndedSession(LoadSession Session, long At);
}
