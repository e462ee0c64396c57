using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using SipNat.Archive.Audio;
using SipNat.Archive.Storage;
using SipNat.Endpoint;
using SipNat.Endpoint.Media;
using SipNat.Endpoint.Siprec;
using SipNat.Media.Streams;
using SipNat.Wire;

namespace SipNat.Server.Hosting;

/// <summary>
/// Takes audio from the media engine to the files of the archive. <see cref="Take"/> runs on the engine's threads, each
/// file on that of its session, and only queues; the disk is somebody else's thread.
/// </summary>
internal sealed partial class AudioFiles : IAsyncDisposable
{
    // How long after its last byte a session is told, and a fault after it happened.
    private static readonly TimeSpan EndPoll = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan FaultPoll = TimeSpan.FromSeconds(1);

    private readonly AudioFileWriter _writer;
    private readonly RecordingStore _store;
    private readonly ServerClock _clock;
    private readonly RecordingJournal _journal;
    private readonly ILogger _log;
    private readonly EndingSessions _ending;
    private readonly SemaphoreSlim _ended = new(0);
    private readonly ConcurrentDictionary<SessionId, Beginning> _begun = new();

    // The core has one object for each file of a stream: looking for it costs no name.
    private readonly ConcurrentDictionary<RecordingFile, AudioFile> _open = new(ReferenceEqualityComparer.Instance);

    public AudioFiles(AudioFileWriter writer, RecordingStore store, ServerClock clock, RecordingJournal journal, ILoggerFactory logs)
    {
        (_writer, _store, _clock, _journal, _log) = (writer, store, clock, journal, logs.CreateLogger<AudioFiles>());
        _ending = new(clock.Time, ReportFaults, journal.Take);
    }

    /// <summary>The time of day at which a session began, fixed when it is first asked for.</summary>
    public DateTimeOffset WallStart(SessionId session, Instant startedAt) =>
        _begun.GetOrAdd(session, static (_, args) => new(args.startedAt, args.clock.ToWall(args.startedAt)), (clock: _clock, startedAt)).WallStart;

    /// <summary>Takes the last snapshot of a session, which goes to the journal once its files have their last byte.</summary>
    public void End(RecordingSnapshot snapshot)
    {
        var wallStart = WallStart(snapshot.Id, snapshot.StartedAt);
        _ending.Add(snapshot, wallStart, _begun.TryRemove(snapshot.Id, out var beginning) ? beginning.TakeFiles() : []);
        if (_ended.CurrentCount == 0) _ended.Release();
    }

    /// <summary>Tells the log and the journal what the disk does, and the journal of sessions whose files are over.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        try
        {
            while (true)
            {
                await _ended.WaitAsync(_ending.IsWaiting ? EndPoll : FaultPoll, stop);
                _ending.Poll();
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            _ending.Poll();
        }
    }

    /// <summary>Writes audio, or ends its file.</summary>
    public void Take(RecordingWrite write)
    {
        if (!_open.TryGetValue(write.File, out var file))
        {
            if (write.Buffer is null || !_begun.TryGetValue(write.Session, out var beginning))
            {
                write.Buffer?.Dispose();
                return;
            }

            file = Open(write, beginning);
            beginning.Add(file);
            _open[write.File] = file;
        }

        if (write.Buffer is { } buffer)
        {
            _writer.TryWrite(file, buffer);
            return;
        }

        _writer.Close(file, write.FinalLength);
        _open.TryRemove(write.File, out _);
    }

    /// <summary>Closes every file, once nothing more will be taken, and tells what came of it.</summary>
    public async ValueTask DisposeAsync()
    {
        await _writer.DisposeAsync();
        _ending.Flush();
        _ended.Dispose();
    }

    private void ReportFaults()
    {
        while (_writer.TryTakeFault(out var fault))
        {
            if (fault is AudioFault.Resumed) LogResumed(_log, AudioFilesFindings.Of(fault).Text);
            else LogRefused(_log, AudioFilesFindings.Of(fault).Text);

            // The folder of a file has the name of its session.
            _journal.TakeFault(new SessionId(Path.GetFileName(Path.GetDirectoryName(fault.Path)) ?? string.Empty), fault);
        }
    }

    private AudioFile Open(in RecordingWrite write, Beginning beginning)
    {
        var (number, index) = (write.Stream + 1, write.File.Index + 1);
        var folder = RecordingStore.FolderOf(write.Session.Value, beginning.WallStart);
        if (write.File.Codec.Known is { } codec) return _writer.Open(_store.PathOf($"{folder}/{RecordingStore.AudioName(number, index)}"), codec);

        var startedAt = beginning.WallStart + (write.File.StartedAt - beginning.StartedAt);
        var name = write.File.Index == OtherPackets.FileIndex ? RecordingStore.OtherName(number) : RecordingStore.PacketsName(number, index);
        return _writer.Open(
            _store.PathOf($"{folder}/{name}"),
            new AudioFileFormat.Packets(new(startedAt, write.File.Local, write.File.Source)));
    }

    [LoggerMessage(LogLevel.Error, "{Text}")]
    private static partial void LogRefused(ILogger logger, string text);

    [LoggerMessage(LogLevel.Warning, "{Text}")]
    private static partial void LogResumed(ILogger logger, string text);

    private sealed class Beginning(Instant startedAt, DateTimeOffset wallStart)
    {
        private readonly Lock _gate = new();
        private readonly List<AudioFile> _files = [];

        public Instant StartedAt => startedAt;

        public DateTimeOffset WallStart => wallStart;

        public void Add(AudioFile file)
        {
            lock (_gate) _files.Add(file);
        }

        public IReadOnlyList<AudioFile> TakeFiles()
        {
            lock (_gate) return [.. _files];
        }
    }
}
