using System.Diagnostics;
using SipNat.Media.Codecs;
using SipNat.Media.Streams;
using SipNat.Media.Wav;

namespace SipNat.Archive.Audio;

/// <summary>
/// One thread and the files that belong to it. Between two jobs it rewrites the headers that are due and flushes one
/// file to the medium, so that thousands of flushes never stand in front of the audio.
/// </summary>
internal sealed class WriterThread
{
    private const int SilenceBlock = 8192;

    private readonly AudioFileWriterOptions _options;
    private readonly TimeProvider _clock;
    private readonly Action<AudioFileFailure> _failed;
    private readonly HashSet<AudioFile> _open = [];
    private readonly Queue<Due> _headers = new();
    private readonly Queue<Due> _syncs = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly byte[] _header = new byte[WavHeader.Length];
    private long _bytesWritten;
    private long _unwritten;

    public WriterThread(int number, AudioFileWriterOptions options, TimeProvider clock, Action<AudioFileFailure> failed)
    {
        (_options, _clock, _failed) = (options, clock, failed);
        Queue = new WriteQueue(options.QueueCapacity);
        new Thread(Run) { Name = $"audio writer {number}", IsBackground = true }.Start();
    }

    public WriteQueue Queue { get; }

    /// <summary>Completes when the queue was completed, everything is written and every file is closed.</summary>
    public Task Ended => _ended.Task;

    public long BytesWritten => Interlocked.Read(ref _bytesWritten);

    /// <summary>Buffers that were taken from the queue and could not be written.</summary>
    public long Unwritten => Interlocked.Read(ref _unwritten);

    public Task DrainAsync()
    {
        var drained = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return Queue.TryAddAlways(new WriteJob(WriteJobKind.Drain, Drained: drained)) ? drained.Task : Ended;
    }

    private void Run()
    {
        var ended = false;
        while (!ended)
        {
            if (Queue.TryTake(MillisecondsToWait(), out var job, out ended)) Do(job);
            RewriteHeaders(_clock.GetTimestamp());
            SyncOne(_clock.GetTimestamp());
        }

        foreach (var file in _open.ToArray()) Finish(file, file.AudioLength);
        _ended.SetResult();
    }

    private void Do(in WriteJob job)
    {
        switch (job.Kind)
        {
            case WriteJobKind.Open:
                Open(job.File!);
                break;
            case WriteJobKind.Write:
                using (job.Buffer) Write(job.File!, job.Buffer!);
                break;
            case WriteJobKind.Close:
                Finish(job.File!, job.Length);
                break;
            case WriteJobKind.Drain:
                RewriteHeaders(long.MaxValue);
                job.Drained!.SetResult();
                break;
            default:
                throw new UnreachableException();
        }
    }

    private void Open(AudioFile file) => Guard(file, static (self, file, _) =>
    {
        // The document of a session makes the folder too, on another thread: whoever is first.
        Directory.CreateDirectory(Path.GetDirectoryName(file.Path)!);

        // A reader may open the file while it grows.
        file.Handle = File.OpenHandle(file.Path, FileMode.CreateNew, FileAccess.Write, FileShare.Read);
        self._open.Add(file);
        self.WriteHeader(file);
        self.Schedule(file);
    });

    private void Write(AudioFile file, WriteBuffer buffer)
    {
        if (file.Handle is not null) Guard(file, static (self, file, buffer) => self.WriteAt(file, buffer!), buffer);

        // Closed before, failed before, or failed with this buffer.
        if (file.Handle is null) Interlocked.Increment(ref _unwritten);
    }

    private void WriteAt(AudioFile file, WriteBuffer buffer)
    {
        FillWithSilence(file, buffer.Offset);
        RandomAccess.Write(file.Handle!, buffer.Written.Span, WavHeader.Length + buffer.Offset);
        file.AudioLength = Math.Max(file.AudioLength, buffer.Offset + buffer.Length);
        Interlocked.Add(ref _bytesWritten, buffer.Length);
        Schedule(file);
    }

    private void Finish(AudioFile file, long finalLength)
    {
        if (file.Handle is null) return;

        Guard(file, (self, file, _) =>
        {
            self.FillWithSilence(file, finalLength);
            self.WriteHeader(file);
            if ((file.AudioLength & 1) != 0) RandomAccess.Write(file.Handle!, [0], WavHeader.Length + file.AudioLength);
            RandomAccess.FlushToDisk(file.Handle!);
        });
        Release(file);
    }

    // Zero is the loudest byte of µ-law: where buffers were refused, a hole in the file has to be filled.
    private void FillWithSilence(AudioFile file, long end)
    {
        if (end <= file.AudioLength) return;

        var silence = new byte[Math.Min(SilenceBlock, end - file.AudioLength)];
        silence.AsSpan().Fill(file.Codec.Silence);
        while (file.AudioLength < end)
        {
            var count = (int)Math.Min(silence.Length, end - file.AudioLength);
            RandomAccess.Write(file.Handle!, silence.AsSpan(0, count), WavHeader.Length + file.AudioLength);
            file.AudioLength += count;
        }
    }

    // After the audio, so that a header never promises what is not there.
    private void WriteHeader(AudioFile file)
    {
        WavHeader.Write(_header, WavFormat.Of(file.Codec), file.AudioLength);
        RandomAccess.Write(file.Handle!, _header, 0);
    }

    private void Schedule(AudioFile file)
    {
        var now = _clock.GetTimestamp();
        if (!file.HeaderIsStale) _headers.Enqueue(new Due(file, now + Ticks(_options.HeaderInterval)));
        if (!file.IsUnsynced) _syncs.Enqueue(new Due(file, now + Ticks(_options.SyncInterval)));
        file.HeaderIsStale = file.IsUnsynced = true;
    }

    private void RewriteHeaders(long until)
    {
        while (_headers.TryPeek(out var due) && due.At <= until)
        {
            _headers.Dequeue();
            due.File.HeaderIsStale = false;
            if (due.File.Handle is not null) Guard(due.File, static (self, file, _) => self.WriteHeader(file));
        }
    }

    private void SyncOne(long now)
    {
        if (!_syncs.TryPeek(out var due) || due.At > now) return;

        _syncs.Dequeue();
        due.File.IsUnsynced = false;
        if (due.File.Handle is not null) Guard(due.File, static (_, file, _) => RandomAccess.FlushToDisk(file.Handle!));
    }

    // What the disk refuses ends this file and no other. Whatever was written of it stays.
    private void Guard(AudioFile file, Action<WriterThread, AudioFile, WriteBuffer?> action, WriteBuffer? buffer = null)
    {
        if (file.Failure is not null) return;

        try
        {
            action(this, file, buffer);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            file.Failure = new AudioFileFailure(file.Path, exception.Message);
            Release(file);
            _failed(file.Failure);
        }
    }

    private void Release(AudioFile file)
    {
        _open.Remove(file);
        file.Handle?.Dispose();
        file.Handle = null;
    }

    private int MillisecondsToWait()
    {
        var next = long.MaxValue;
        if (_headers.TryPeek(out var header)) next = header.At;
        if (_syncs.TryPeek(out var sync)) next = Math.Min(next, sync.At);
        if (next == long.MaxValue) return Timeout.Infinite;

        var wait = (next - _clock.GetTimestamp()) * 1000.0 / _clock.TimestampFrequency;
        return (int)Math.Clamp(Math.Ceiling(wait), 0, int.MaxValue);
    }

    private long Ticks(TimeSpan span) => (long)(span.TotalSeconds * _clock.TimestampFrequency);

    // When something has to be done for a file, in timestamps of the clock. Equal intervals keep each queue in order.
    private readonly record struct Due(AudioFile File, long At);
}
