using System.Diagnostics;
using Microsoft.Extensions.Logging;
using SipNat.Archive;
using SipNat.Archive.Storage;

namespace SipNat.Server.Hosting;

/// <summary>
/// Keeps the catalogue in step with the documents, on a task of its own: a catalogue that is locked, slow or damaged
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
    private readonly Lock _gate = new();
    private readonly Dictionary<string, StoredRecording> _waiting = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _added = new(0);
    private readonly CancellationTokenSource _ending = new();
    private readonly Task _loop;
    private bool _isBehind;
    private bool _hasFailed;

    /// <param name="isBehind">Whether the catalogue lacks more than what will be added: it is built from the folders first.</param>
    public RecordingRows(RecordingArchive archive, bool isBehind, ILoggerFactory logs)
    {
        (_archive, _isBehind, _log) = (archive, isBehind, logs.CreateLogger<RecordingRows>());
        _loop = Task.Run(RunAsync);
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
        }

        _added.Release();
    }

    /// <summary>Writes what waits, once more also where it was refused before.</summary>
    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await _loop;
        _added.Dispose();
        _ending.Dispose();
    }

    private async Task RunAsync()
    {
        var pause = FirstPause;
        while (await WaitAsync())
        {
            await PauseAsync(Linger);
            if (await TryWriteApartAsync())
            {
                pause = FirstPause;
                continue;
            }

            await PauseAsync(pause);
            pause = pause * 2 < MaxPause ? pause * 2 : MaxPause;
            _added.Release();
        }

        TryWrite();
    }

    private async Task<bool> WaitAsync()
    {
        if (_isBehind && !_hasFailed) return !_ending.IsCancellationRequested;

        try
        {
            await _added.WaitAsync(_ending.Token);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private async Task PauseAsync(TimeSpan pause)
    {
        try
        {
            await Task.Delay(pause, _ending.Token);
        }
        catch (OperationCanceledException)
        {
            // The end asks for one more attempt at once.
            return;
        }
    }

    // On a thread of its own: one of the pool that waits half a minute for another process would keep signalling from it.
    private Task<bool> TryWriteApartAsync() =>
        Task.Factory.StartNew(TryWrite, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private bool TryWrite()
    {
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
            PutBack(taken, isBehind || RecordingArchive.IsDamage(error));
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
