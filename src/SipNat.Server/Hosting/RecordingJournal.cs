using System.Diagnostics;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using SipNat.Archive;
using SipNat.Archive.Documents;
using SipNat.Endpoint.Siprec;
using EndpointState = SipNat.Endpoint.Siprec.RecordingState;
using RecordingId = SipNat.Endpoint.Siprec.RecordingId;

namespace SipNat.Server.Hosting;

/// <summary>
/// Writes what is known of the sessions to disk and catalogue, apart from the threads that serve them. The beginning
/// and the end of a session are written at once; what changes between is gathered and written every two seconds.
/// </summary>
internal sealed partial class RecordingJournal : IAsyncDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    private readonly RecordingArchive _archive;
    private readonly ILogger _log;
    private readonly Channel<Entry> _entries = Channel.CreateUnbounded<Entry>(new() { SingleReader = true });
    private readonly Dictionary<RecordingId, Session> _sessions = [];
    private readonly Task _loop;

    public RecordingJournal(RecordingArchive archive, ILoggerFactory logs)
    {
        (_archive, _log) = (archive, logs.CreateLogger<RecordingJournal>());
        _loop = Task.Run(RunAsync);
    }

    /// <summary>Takes a snapshot; never blocks. There are at most as many waiting as sessions changed in two seconds.</summary>
    public void Take(RecordingSnapshot snapshot, DateTimeOffset wallStart) => _entries.Writer.TryWrite(new(snapshot.Id, snapshot, wallStart, null));

    /// <summary>Notes that the disk refused audio of a session.</summary>
    public void TakeFailure(RecordingId session, RecordingFinding failure) => _entries.Writer.TryWrite(new(session, null, default, failure));

    public async ValueTask DisposeAsync()
    {
        _entries.Writer.Complete();
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
            if (!isOpen) return;
        }
    }

    // False once nothing more will come.
    private async Task<bool> WaitAsync(ChannelReader<Entry> reader, TimeSpan limit)
    {
        if (!_sessions.Values.Any(s => s.IsDirty)) return await reader.WaitToReadAsync();
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
        if (!_sessions.TryGetValue(entry.Id, out var session)) _sessions.Add(entry.Id, session = new());
        session.IsDirty = true;
        if (entry.Failure is { } failure)
        {
            session.Failures.Add(failure);
            return false;
        }

        var isFirst = session.Snapshot is null;
        (session.Snapshot, session.WallStart) = (entry.Snapshot!, entry.WallStart);
        return isFirst || entry.Snapshot!.State is EndpointState.Complete;
    }

    private void Save()
    {
        var durable = new List<RecordingDocument>();
        var running = new List<RecordingDocument>();
        foreach (var (id, session) in _sessions.ToList())
        {
            if (!session.IsDirty || session.Snapshot is not { } snapshot) continue;

            session.IsDirty = false;
            var isNew = !session.IsSaved;
            session.IsSaved = true;
            KeepMetadata(session, snapshot);
            var document = RecordingDocuments.From(snapshot, session.WallStart, session.MetadataFiles, session.Failures);
            (isNew || snapshot.State is EndpointState.Complete ? durable : running).Add(document);
            if (snapshot.State is EndpointState.Complete) _sessions.Remove(id);
        }

        TrySave(durable, isDurable: true);
        TrySave(running, isDurable: false);
    }

    private void KeepMetadata(Session session, RecordingSnapshot snapshot)
    {
        for (var i = session.MetadataFiles.Count; i < snapshot.Metadata.Count; i++)
        {
            try
            {
                var folder = _archive.Store.Create(snapshot.Id.Value, session.WallStart);
                session.MetadataFiles.Add(_archive.Store.WriteMetadata(folder, i + 1, snapshot.Metadata[i].Xml.Span));
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                session.MetadataFiles.Add(null);
                LogNotSaved(_log, snapshot.Id.Value, error.Message);
            }
        }
    }

    // A document that cannot be written must not cost the others, nor the recording: the next change tries again.
    private void TrySave(List<RecordingDocument> documents, bool isDurable)
    {
        if (documents.Count == 0) return;

        try
        {
            _archive.Save(documents, isDurable);
        }
        catch (ArchiveException error)
        {
            LogNotSaved(_log, string.Join(", ", documents.Select(d => d.Id)), error.Message);
        }
    }

    [LoggerMessage(LogLevel.Error, "What is known of {Recording} could not be written: {Reason}")]
    private static partial void LogNotSaved(ILogger logger, string recording, string reason);

    private sealed record Entry(RecordingId Id, RecordingSnapshot? Snapshot, DateTimeOffset WallStart, RecordingFinding? Failure);

    private sealed class Session
    {
        public RecordingSnapshot? Snapshot { get; set; }

        public DateTimeOffset WallStart { get; set; }

        public List<string?> MetadataFiles { get; } = [];

        public List<RecordingFinding> Failures { get; } = [];

        public bool IsDirty { get; set; }

        public bool IsSaved { get; set; }
    }
}
