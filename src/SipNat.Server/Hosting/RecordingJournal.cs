using System.Diagnostics;
using System.Threading.Channels;
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
/// of a session are written at once; what happens between is gathered and written every two seconds, and mere counts that
/// have grown when it is their turn: many sessions do not keep the disk from their audio. What the disk refuses is written
/// when it takes it again.
/// </summary>
internal sealed partial class RecordingJournal : IAsyncDisposable
{
    /// <summary>Ended sessions whose document waits for the disk; beyond, the one that waits longest is left as it is there.</summary>
    public const int MaxUnsaved = 10_000;

    /// <summary>Documents of running sessions in which nothing but counts has changed, written in two seconds at most.</summary>
    public const int MaxGrownAtOnce = 100;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    private readonly RecordingStore _store;
    private readonly RecordingRows _rows;
    private readonly WebhookSender _webhooks;
    private readonly ILogger _log;
    private readonly Channel<Entry> _entries = Channel.CreateUnbounded<Entry>(new() { SingleReader = true });
    private readonly Dictionary<SessionId, RecordingJournalSession> _sessions = [];
    private readonly Task _loop;
    private readonly Queue<TaskCompletionSource> _asked = new();
    private readonly Queue<SessionId> _grown = new();

    // What is to be written: a look at every session for each that begins would cost more than its document.
    private Queue<SessionId> _dirty = new();
    private Queue<SessionId> _saving = new();
    private long _grownSavedAt = Stopwatch.GetTimestamp();
    private bool _isRefused;

    public RecordingJournal(RecordingArchive archive, RecordingRows rows, WebhookSender webhooks, ILoggerFactory logs)
    {
        (_store, _rows, _webhooks, _log) = (archive.Store, rows, webhooks, logs.CreateLogger<RecordingJournal>());
        _loop = Task.Run(RunAsync);
    }

    /// <summary>Takes a snapshot; never blocks. There are at most as many waiting as sessions changed in two seconds.</summary>
    public void Take(RecordingSnapshot snapshot, DateTimeOffset wallStart) =>
        _entries.Writer.TryWrite(new(snapshot.Id, snapshot, wallStart, null, At: TimeProvider.System.GetUtcNow()));

    /// <summary>Notes what the disk did to the audio of a session, also of one that has ended.</summary>
    public void TakeFault(SessionId session, AudioFault fault) => _entries.Writer.TryWrite(new(session, null, default, fault));

    /// <summary>Tells of a session that the end of a former program ended.</summary>
    public void TakeRecovered(string folder)
    {
        if (_store.Read(folder).Document is { } document) _webhooks.SessionEnded(document);
    }

    /// <summary>Waits until what was taken before is on the disk, or was refused by it once.</summary>
    public Task SavedAsync()
    {
        var saved = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return _entries.Writer.TryWrite(new(default, null, default, null, saved)) ? saved.Task : _loop;
    }

    public async ValueTask DisposeAsync()
    {
        _entries.Writer.TryComplete();
        await _loop;
    }

    private async Task RunAsync()
    {
        var reader = _entries.Reader;
        var savedAt = Stopwatch.GetTimestamp();
        while (true)
        {
            var isOpen = await WaitAsync(reader, Interval - Stopwatch.GetElapsedTime(savedAt));
            var isUrgent = false;
            while (reader.TryRead(out var entry)) isUrgent |= Apply(entry);

            if (isOpen && !isUrgent && Stopwatch.GetElapsedTime(savedAt) < Interval) continue;

            Save();
            savedAt = Stopwatch.GetTimestamp();
            while (_asked.TryDequeue(out var asked)) asked.SetResult();
            if (!isOpen) return;
        }
    }

    // False once nothing more will come.
    private async Task<bool> WaitAsync(ChannelReader<Entry> reader, TimeSpan limit)
    {
        if (_grown.Count == 0 && _dirty.Count == 0) return await reader.WaitToReadAsync();
        if (limit <= TimeSpan.Zero) return !reader.Completion.IsCompleted;

        using var due = new CancellationTokenSource(limit);
        try
        {
            return await reader.WaitToReadAsync(due.Token);
        }
        catch (OperationCanceledException)
        {
            return true;
        }
    }

    // True for what must be on disk soon: a session that has begun or ended.
    private bool Apply(Entry entry)
    {
        if (entry.Saved is { } saved)
        {
            _asked.Enqueue(saved);
            return true;
        }

        if (!_sessions.TryGetValue(entry.Id, out var session))
        {
            if (entry.Snapshot is null)
            {
                AddToEnded(entry.Fault!);
                return false;
            }

            _sessions.Add(entry.Id, session = new());
        }

        var (hadGrown, wasDirty) = (session.HasGrown, session.IsDirty);
        var isUrgent = session.Apply(entry);
        if (session.HasGrown && !hadGrown) _grown.Enqueue(entry.Id);
        if (session.IsDirty && !wasDirty) _dirty.Enqueue(entry.Id);
        return isUrgent;
    }

    private void Save()
    {
        var stored = new List<StoredRecording>();
        var refusal = default(string);
        TakeGrown();
        (_dirty, _saving) = (_saving, _dirty);
        while (_saving.TryDequeue(out var id))
        {
            if (!_sessions.TryGetValue(id, out var session)) continue;

            try
            {
                var saved = session.Save(_store);
                stored.Add(saved);
                foreach (var finding in session.TakeUntold(saved.Document!)) _webhooks.Found(saved.Document!, finding);
                if (!session.IsOver) continue;

                _sessions.Remove(id);
                _webhooks.SessionEnded(saved.Document!);
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                refusal = $"{id.Value}: {error.Message}";
                _dirty.Enqueue(id);
            }
        }

        Tell(refusal);
        if (stored.Count > 0) _rows.Add(stored);
        ForgetUnsaved();
    }

    // In the order in which they began to grow; all of them where somebody waits for it.
    private void TakeGrown()
    {
        var isWaitedFor = _asked.Count > 0;
        if (!isWaitedFor && Stopwatch.GetElapsedTime(_grownSavedAt) < Interval) return;

        _grownSavedAt = Stopwatch.GetTimestamp();
        for (var taken = 0; (isWaitedFor || taken < MaxGrownAtOnce) && _grown.TryDequeue(out var id);)
        {
            if (!_sessions.TryGetValue(id, out var session) || !session.HasGrown) continue;

            if (!session.IsDirty) _dirty.Enqueue(id);
            session.Publish();
            taken++;
        }
    }

    // Once for each time that the disk refuses, and not every two seconds.
    private void Tell(string? refusal)
    {
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
