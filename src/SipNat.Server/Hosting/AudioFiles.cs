using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using SipNat.Archive.Audio;
using SipNat.Archive.Storage;
using SipNat.Endpoint;
using SipNat.Endpoint.Media;
using SipNat.Media.Streams;
using SipNat.Wire;

namespace SipNat.Server.Hosting;

/// <summary>
/// Takes audio from the media engine to the files of the archive. <see cref="Take"/> runs on the engine's threads, each
/// file on that of its session, and only queues; the disk is somebody else's thread.
/// </summary>
internal sealed partial class AudioFiles(AudioFileWriter writer, RecordingStore store, ServerClock clock, RecordingJournal journal, ILoggerFactory logs)
    : IAsyncDisposable
{
    private readonly ILogger _log = logs.CreateLogger<AudioFiles>();
    private readonly ConcurrentDictionary<SessionId, Beginning> _begun = new();

    // The core has one object for each file of a stream: looking for it costs no name.
    private readonly ConcurrentDictionary<RecordingFile, AudioFile> _open = new(ReferenceEqualityComparer.Instance);

    /// <summary>Buffers that the writer refused.</summary>
    public long Refused => writer.Refused;

    /// <summary>The time of day at which a session began, fixed when it is first asked for.</summary>
    public DateTimeOffset WallStart(SessionId session, Instant startedAt) =>
        _begun.GetOrAdd(session, static (_, args) => new(args.startedAt, args.clock.ToWall(args.startedAt)), (clock, startedAt)).WallStart;

    /// <summary>The session is over: its files are closed and its name may be forgotten.</summary>
    public void Forget(SessionId session) => _begun.TryRemove(session, out _);

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
            _open[write.File] = file;
        }

        if (write.Buffer is { } buffer)
        {
            writer.TryWrite(file, buffer);
            return;
        }

        writer.Close(file, write.FinalLength);
        _open.TryRemove(write.File, out _);
    }

    /// <summary>Tells the log and the journal what the disk has done since the last call.</summary>
    public void ReportFailures()
    {
        while (writer.TryTakeFault(out var fault))
        {
            if (fault is AudioFault.Resumed) LogResumed(_log, AudioFilesFindings.Of(fault).Text);
            else LogRefused(_log, AudioFilesFindings.Of(fault).Text);

            // The folder of a file has the name of its session.
            journal.TakeFault(new SessionId(Path.GetFileName(Path.GetDirectoryName(fault.Path)) ?? string.Empty), fault);
        }
    }

    /// <summary>Closes every file, once nothing more will be taken, and tells what came of it.</summary>
    public async ValueTask DisposeAsync()
    {
        await writer.DisposeAsync();
        ReportFailures();
    }

    private AudioFile Open(in RecordingWrite write, Beginning beginning)
    {
        var (number, index) = (write.Stream + 1, write.File.Index + 1);
        var folder = RecordingStore.FolderOf(write.Session.Value, beginning.WallStart);
        if (write.File.Codec.Known is { } codec) return writer.Open(store.PathOf($"{folder}/{RecordingStore.AudioName(number, index)}"), codec);

        var startedAt = beginning.WallStart + (write.File.StartedAt - beginning.StartedAt);
        var name = write.File.Index == OtherPackets.FileIndex ? RecordingStore.OtherName(number) : RecordingStore.PacketsName(number, index);
        return writer.Open(
            store.PathOf($"{folder}/{name}"),
            new AudioFileFormat.Packets(new(startedAt, write.File.Local, write.File.Source)));
    }

    [LoggerMessage(LogLevel.Error, "{Text}")]
    private static partial void LogRefused(ILogger logger, string text);

    [LoggerMessage(LogLevel.Warning, "{Text}")]
    private static partial void LogResumed(ILogger logger, string text);

    private sealed record Beginning(Instant StartedAt, DateTimeOffset WallStart);
}
