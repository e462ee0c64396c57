using System.Diagnostics;
using Microsoft.Extensions.Logging;
using SipNat.Archive;
using SipNat.Archive.Storage;

namespace SipNat.Server.Hosting;

/// <summary>
/// Keeps the catalogue in step with the documents, on a thread of its own: a catalogue that is locked, slow or damaged
/// delays neither a document nor a recording. A row that could not be written is written later; a damaged catalogue is
/// moved aside and built anew.
/// </summary>
internal sealed partial class RecordingRows : IAsyncDisposable
{
    /// <summary>Rows that wait; beyond, the catalogue is built from the folders instead when it can be used again.</summary>
    public const int MaxWaiting = 4096;

    // Rows that come within it are one transaction.
    private static readonly TimeSpan Linger = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan MaxPause = TimeSpan.FromSeconds(30);

    private readonly RecordingArchive _archive;
    private readonly ILogger _log;
    private readonly object _gate = new();
    private readonly Dictionary<string, StoredRecording> _waiting = new(StringComparer.Ordinal);
    private readonly Task _loop;
    private bool _isAsked;
    private bool _isEnding;
    private bool _isBehind;
    private bool _hasFailed;

    /// <param name="isBehind">Whether the catalogue lacks more than what will be added: it is built from the folders first.</param>
    public RecordingRows(RecordingArchive archive, bool isBehind, ILoggerFactory logs)
    {
        (_archive, _isBehind, _log) = (archive, isBehind, logs.CreateLogger<RecordingRows>());

        // One of the pool that waits half a minute for another process would keep signalling from it.
        _loop = Task.Factory.StartNew(Run, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>Takes rows; never blocks. A later row of the same recording replaces the one that waits.</summary>
    public void Add(IReadOnlyCollection<StoredRecording> recordings)
    {
        lock (_gate)
        {
            foreach (var recording in recordings)
            {
                var id = recording.Folder;
                if (_waiting.Count < MaxWaiting || _waiting.ContainsKey(id)) _waiting[id] = recording;
                else _isBehind = true;
            }

            Ask();
        }
    }

    /// <summary>Writes what waits, once more also where it was refused before.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            _isEnding = true;
            Monitor.Pulse(_gate);
        }

        await _loop;
    }

    private void Run()
    {
        var pause = FirstPause;
        while (Wait())
        {
            Pause(Linger);
            if (TryWrite(out _))
            {
                pause = FirstPause;
                continue;
            }

            Pause(pause);
            pause = pause * 2 < MaxPause ? pause * 2 : MaxPause;
            lock (_gate) Ask();
        }

        // What is damaged is only then known to be, and replaced by the next attempt.
        if (!TryWrite(out var isDamaged) && isDamaged) TryWrite(out _);
    }

    private void Ask()
    {
        if (_isAsked) return;

        _isAsked = true;
        Monitor.Pulse(_gate);
    }

    // False once the end has come.
    private bool Wait()
    {
        lock (_gate)
        {
            var isBehind = _isBehind && !_hasFailed;
            while (!isBehind && !_isAsked && !_isEnding) Monitor.Wait(_gate);

            _isAsked = false;
            return !_isEnding;
        }
    }

    // The end asks for one more attempt at once.
    private void Pause(TimeSpan pause)
    {
        var began = Stopwatch.GetTimestamp();
        lock (_gate)
        {
            while (!_isEnding && pause - Stopwatch.GetElapsedTime(began) is var rest && rest > TimeSpan.Zero) Monitor.Wait(_gate, rest);
        }
    }

    private bool TryWrite(out bool isDamaged)
    {
        isDamaged = false;
        var taken = TakeWaiting(out var isBehind);
        if (taken.Count == 0 && !isBehind) return true;

        try
        {
            if (isBehind) Rebuild();
            _archive.Catalogue.Upsert(taken);
            if (_hasFailed) LogWrittenAgain(_log);
            _hasFailed = false;
            return true;
        }
        catch (ArchiveException error)
        {
            isDamaged = RecordingArchive.IsDamage(error);
            PutBack(taken, isBehind || isDamaged);
            if (!_hasFailed) LogNotWritten(_log, error.Message);
            _hasFailed = true;
            return false;
        }
    }

    private void Rebuild()
    {
        var began = Stopwatch.GetTimestamp();
        var result = _archive.Reindex();
        if (result.MovedAside is { } aside) LogMovedAside(_log, aside);
        LogRebuilt(_log, result.Indexed, Stopwatch.GetElapsedTime(began).TotalSeconds);
    }

    private List<StoredRecording> TakeWaiting(out bool isBehind)
    {
        lock (_gate)
        {
            (isBehind, _isBehind) = (_isBehind, false);
            var taken = _waiting.Values.ToList();
            _waiting.Clear();
            return taken;
        }
    }

    private void PutBack(List<StoredRecording> taken, bool isBehind)
    {
        lock (_gate)
        {
            _isBehind |= isBehind;
            foreach (var recording in taken) _waiting.TryAdd(recording.Folder, recording);
        }
    }

    [LoggerMessage(LogLevel.Error, "{Reason} Recording goes on; the catalogue is brought up to date when it can be used again")]
    private static partial void LogNotWritten(ILogger logger, string reason);

    [LoggerMessage(LogLevel.Information, "The catalogue is up to date again")]
    private static partial void LogWrittenAgain(ILogger logger);

    [LoggerMessage(LogLevel.Warning, "The catalogue was damaged and is kept as {Aside}")]
    private static partial void LogMovedAside(ILogger logger, string aside);

    [LoggerMessage(LogLevel.Warning, "The catalogue was built from the folders: {Count} recordings in {Seconds:F1} s")]
    private static partial void LogRebuilt(ILogger logger, int count, double seconds);
}
