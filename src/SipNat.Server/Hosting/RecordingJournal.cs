using System.Diagnostics;
using Microsoft.Extensions.Logging;
using SipNat.Archive;
using SipNat.Archive.Audio;
using SipNat.Archive.Storage;
using SipNat.Endpoint;
using SipNat.Endpoint.Siprec;
using SipNat.Server.Webhooks;

namespace SipNat.Server.Hosting;

/// <summary>
/// Writes what is known of the sessions to the disk, apart from the threads that serve them. The beginning and the end
/// of a session are written within a twentieth of a second, those of many sessions together; what happens between is
/// gathered and written every two seconds, and mere counts that have grown when it is their turn: many sessions do not keep
/// the disk from their audio. What the disk refuses is written when it takes it again.
/// </summary>
internal sealed partial class RecordingJournal : IAsyncDisposable
{
    /// <summary>Ended sessions whose document waits for the disk; beyond, the one that waits longest is left as it is there.</summary>
    public const int MaxUnsaved = 10_000;

    /// <summary>Documents of running sessions in which nothing but counts has changed, written in two seconds at most.</summary>
    public const int MaxGrownAtOnce = 100;

    // Sessions whose documents are forced to the medium together; so many take some tens of milliseconds.
    private const int MaxInBatch = 500;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    // Sessions that begin or end within it share the wait for the medium. It is a part of the second that a kill may cost.
    private static readonly TimeSpan Linger = TimeSpan.FromMilliseconds(50);

    private readonly RecordingStore _store;
    private readonly RecordingRows _rows;
    private readonly WebhookSender _webhooks;
    private readonly ILogger _log;
    private readonly Dictionary<SessionId, RecordingJournalSession> _sessions = [];
    private readonly Task _loop;
    private readonly Queue<TaskCompletionSource> _asked = new();
    private readonly Queue<SessionId> _grown = new();

    // What is to be written: a look at every session for each that begins would cost more than its document.
    private readonly Queue<SessionId> _urgent = new();
    private readonly Queue<SessionId> _dirty = new();
    private readonly object _gate = new();
    private Queue<Entry> _arrived = new();
    private Queue<Entry> _taken = new();
    private bool _isEnding;
    private bool _isAsked;
    private bool _isRefused;

    public RecordingJournal(RecordingArchive archive, RecordingRows rows, WebhookSender webhooks, ILoggerFactory logs)
    {
        (_store, _rows, _webhooks, _log) = (archive.Store, rows, webhooks, logs.CreateLogger<RecordingJournal>());

        // A thread of its own: one of the pool that waits for the medium would keep signalling from it.
        _loop = Task.Factory.StartNew(Run, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>Takes a snapshot; never waits for the disk. There are at most as many waiting as sessions changed in two seconds.</summary>
    public void Take(RecordingSnapshot snapshot, DateTimeOffset wallStart) =>
        TryAdd(new(snapshot.Id, snapshot, wallStart, null, At: TimeProvider.System.GetUtcNow()));

    /// <summary>Notes what the disk did to the audio of a session, also of one that has ended.</summary>
    public void TakeFault(SessionId session, AudioFault fault) => TryAdd(new(session, null, default, fault));

    /// <summary>Tells of a session that the end of a former program ended.</summary>
    public void TakeRecovered(string folder)
    {
        if (_store.Read(folder).Document is { } document) _webhooks.SessionEnded(document);
    }

    /// <summary>Waits until what was taken before is on the disk, or was refused by it once.</summary>
    public Task SavedAsync()
    {
        var saved = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return TryAdd(new(default, null, default, null, saved)) ? saved.Task : _loop;
    }

    public async ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            _isEnding = true;
            Monitor.Pulse(_gate);
        }

        await _loop;
    }

    private bool TryAdd(Entry entry)
    {
        lock (_gate)
        {
            if (_isEnding) return false;

            _arrived.Enqueue(entry);
            _isAsked |= entry.Saved is not null;
            if (_arrived.Count == 1 || _isAsked) Monitor.Pulse(_gate);
            return true;
        }
    }

    private void Run()
    {
        var savedAt = Stopwatch.GetTimestamp();
        for (var isOpen = true; isOpen;)
        {
            isOpen = Wait(Interval - Stopwatch.GetElapsedTime(savedAt));
            while (_taken.TryDequeue(out var entry)) Apply(entry);

            var isDue = !isOpen || _asked.Count > 0 || Stopwatch.GetElapsedTime(savedAt) >= Interval;
            if (isDue)
            {
                TakeGrown();
                while (_dirty.TryDequeue(out var id)) _urgent.Enqueue(id);
                savedAt = Stopwatch.GetTimestamp();
            }

            Save();
            while (_asked.TryDequeue(out var asked)) asked.SetResult();
        }
    }

    // False once nothing more will come.
    private bool Wait(TimeSpan limit)
    {
        lock (_gate)
        {
            var hasWork = _grown.Count > 0 || _dirty.Count > 0;
            if (_arrived.Count == 0 && !_isEnding && (!hasWork || limit > TimeSpan.Zero)) Monitor.Wait(_gate, hasWork ? limit : Timeout.InfiniteTimeSpan);
            var began = Stopwatch.GetTimestamp();
            while (!_isEnding && !_isAsked && Linger - Stopwatch.GetElapsedTime(began) is var rest && rest > TimeSpan.Zero) Monitor.Wait(_gate, rest);

            (_arrived, _taken) = (_taken, _arrived);
            _isAsked = false;
            return !_isEnding;
        }
    }

    private void Apply(Entry entry)
    {
        if (entry.Saved is { } saved)
        {
            _asked.Enqueue(saved);
            return;
        }

        if (!_sessions.TryGetValue(entry.Id, out var session))
        {
            if (entry.Snapshot is null)
            {
                AddToEnded(entry.Fault!);
                return;
            }

            _sessions.Add(entry.Id, session = new());
        }

        var (hadGrown, wasDirty) = (session.HasGrown, session.IsDirty);
        var isUrgent = session.Apply(entry);
        if (session.HasGrown && !hadGrown) _grown.Enqueue(entry.Id);
        if (isUrgent) _urgent.Enqueue(entry.Id);
        else if (session.IsDirty && !wasDirty) _dirty.Enqueue(entry.Id);
    }

    private void Save()
    {
        var stored = new List<StoredRecording>();
        var refusal = default(string);
        while (_urgent.Count > 0) SaveBatch(stored, ref refusal);
        Tell(refusal, wasTried: stored.Count > 0 || refusal is not null);
        if (stored.Count > 0) _rows.Add(stored);
        ForgetUnsaved();
    }

    private void SaveBatch(List<StoredRecording> stored, ref string? refusal)
    {
        using var batch = new RecordingBatch(_store);
        var staged = new Dictionary<SessionId, RecordingJournalSession>();
        while (staged.Count < MaxInBatch && _urgent.TryDequeue(out var id))
        {
            if (!_sessions.TryGetValue(id, out var session) || !session.IsDirty || staged.ContainsKey(id)) continue;

            try
            {
                session.Stage(batch);
                staged.Add(id, session);
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                refusal = $"{id.Value}: {error.Message}";
                _dirty.Enqueue(id);
            }
        }

        var refused = batch.Commit();
        foreach (var (id, session) in staged)
        {
            if (refused.TryGetValue(session.Folder, out var reason))
            {
                refusal = $"{id.Value}: {reason}";
                _dirty.Enqueue(id);
                continue;
            }

            var saved = session.Confirm();
            stored.Add(saved);
            foreach (var finding in session.TakeUntold(saved.Document!)) _webhooks.Found(saved.Document!, finding);
            if (!session.IsOver) continue;

            _sessions.Remove(id);
            _webhooks.SessionEnded(saved.Document!);
        }
    }

    // In the order in which they began to grow; all of them where somebody waits for it.
    private void TakeGrown()
    {
        var isWaitedFor = _asked.Count > 0;
        for (var taken = 0; (isWaitedFor || taken < MaxGrownAtOnce) && _grown.TryDequeue(out var id);)
        {
            if (!_sessions.TryGetValue(id, out var session) || !session.HasGrown) continue;

            if (!session.IsDirty) _dirty.Enqueue(id);
            session.Publish();
            taken++;
        }
    }

    // Once for each time that the disk refuses, and not every two seconds.
    private void Tell(string? refusal, bool wasTried)
    {
        if (!wasTried) return;

        if (refusal is not null && !_isRefused) LogNotSaved(_log, refusal);
        if (refusal is null && _isRefused) LogSavedAgain(_log);
        _isRefused = refusal is not null;
    }

    private void ForgetUnsaved()
    {
        if (_sessions.Count <= MaxUnsaved) return;

        foreach (var (id, _) in _sessions.Where(s => s.Value.IsOver).OrderBy(s => s.Value.WallStart).Take(_sessions.Count - MaxUnsaved).ToList())
        {
            _sessions.Remove(id);
            LogForgotten(_log, id.Value);
        }
    }

    // The last audio of a session may find the disk refusing after its document is written.
    private void AddToEnded(AudioFault fault)
    {
        try
        {
            var folder = Path.GetRelativePath(_store.Directory, Path.GetDirectoryName(fault.Path)!).Replace('\\', '/');
            if (_store.Read(folder).Document is not { } document) return;

            var saved = _store.Write(RecordingDocuments.Add(document, fault));
            _rows.Add([saved]);
            _webhooks.Found(saved.Document!, saved.Document!.Findings[^1]);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArchiveException)
        {
            LogNotSaved(_log, $"{fault.Path}: {error.Message}");
        }
    }

    [LoggerMessage(LogLevel.Error, "The documents of recordings cannot be written, and will be when the disk takes them: {Reason}")]
    private static partial void LogNotSaved(ILogger logger, string reason);

    [LoggerMessage(LogLevel.Warning, "The documents of recordings are written again")]
    private static partial void LogSavedAgain(ILogger logger);

    [LoggerMessage(LogLevel.Error, "The last document of {Recording} could not be written for too long and is given up")]
    private static partial void LogForgotten(ILogger logger, string recording);

    /// <summary>
    /// Either a snapshot with the times of day at which its session began and it was taken, or a fault, or somebody who waits.
    /// </summary>
    internal sealed record Entry(
        SessionId Id, RecordingSnapshot? Snapshot, DateTimeOffset WallStart, AudioFault? Fault, TaskCompletionSource? Saved = null, DateTimeOffset At = default);
}
