using System.Collections.Concurrent;
using SipNat.Media.Codecs;
using SipNat.Media.Streams;

namespace SipNat.Archive.Audio;

/// <summary>
/// Writes the audio of running sessions on threads of its own. Callers only queue: they never wait for the disk and
/// never see an exception of it. What the disk refuses is a file's <see cref="AudioFile.Failure"/>, and is queued for
/// <see cref="TryTakeFailure"/>.
/// </summary>
/// <remarks>Every <see cref="WriteBuffer"/> that is handed over is disposed of exactly once, written or not.</remarks>
public sealed class AudioFileWriter : IAsyncDisposable
{
    private const int MaxThreads = 64;

    private readonly ConcurrentQueue<AudioFileFailure> _failures = new();
    private readonly WriterThread[] _threads;
    private int _next;
    private long _refused;

    public AudioFileWriter(AudioFileWriterOptions options, TimeProvider? clock = null)
    {
        if (options.Threads is < 1 or > MaxThreads) throw new ArgumentException($"Threads has to be 1 to {MaxThreads}.", nameof(options));
        if (options.QueueCapacity < 1) throw new ArgumentException("QueueCapacity has to be 1 at least.", nameof(options));

        _threads = [.. Enumerable.Range(0, options.Threads).Select(i => new WriterThread(i, options, clock ?? TimeProvider.System, _failures.Enqueue))];
    }

    /// <summary>Buffers that were not written because a queue was full, a file had failed or was closed.</summary>
    public long Refused => Interlocked.Read(ref _refused) + _threads.Sum(thread => thread.Unwritten);

    /// <summary>Jobs that wait for a thread.</summary>
    public int Waiting => _threads.Sum(thread => thread.Queue.Count);

    /// <summary>Bytes of audio written.</summary>
    public long BytesWritten => _threads.Sum(thread => thread.BytesWritten);

    /// <summary>
    /// Begins a file. It is created, with a header that states no audio, on its writer thread; a file that exists
    /// already is not touched and is a failure. Its folder is made where it is missing.
    /// </summary>
    public AudioFile Open(string path, AudioCodec codec)
    {
        var thread = _threads[(uint)Interlocked.Increment(ref _next) % (uint)_threads.Length];
        var file = new AudioFile(path, codec, thread);
        if (!thread.Queue.TryAddAlways(new WriteJob(WriteJobKind.Open, file))) file.Failure = new AudioFileFailure(path, "The writer is closed.");
        return file;
    }

    /// <summary>Queues a buffer, which belongs to the writer from here on, whatever the answer.</summary>
    /// <returns>False when it will not be written: the queue is full, or the file has failed or was closed.</returns>
    public bool TryWrite(AudioFile file, WriteBuffer buffer)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(buffer.Offset, nameof(buffer));
        if (file is { Failure: null, IsClosing: false } && file.Owner.Queue.TryAdd(new WriteJob(WriteJobKind.Write, file, buffer))) return true;

        buffer.Dispose();
        Interlocked.Increment(ref _refused);
        return false;
    }

    /// <summary>Ends a file after all that was queued for it: header, flush to the medium, close.</summary>
    /// <param name="finalLength">
    /// Bytes of audio that it shall have. What is missing, because buffers were refused, becomes silence; what was
    /// written beyond is kept.
    /// </param>
    public void Close(AudioFile file, long finalLength)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(finalLength);
        file.IsClosing = true;
        file.Owner.Queue.TryAddAlways(new WriteJob(WriteJobKind.Close, file, Length: finalLength));
    }

    /// <summary>Takes one failure that has not been taken yet. Each file fails once at most.</summary>
    public bool TryTakeFailure([System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out AudioFileFailure? failure) =>
        _failures.TryDequeue(out failure);

    /// <summary>Waits until everything that was queued before is in the files, and their headers say so.</summary>
    public Task DrainAsync(CancellationToken cancellationToken) =>
        Task.WhenAll(_threads.Select(thread => thread.DrainAsync())).WaitAsync(cancellationToken);

    /// <summary>Writes what waits, closes the files that are open with what they have, and ends the threads.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var thread in _threads) thread.Queue.Complete();
        await Task.WhenAll(_threads.Select(thread => thread.Ended));
    }
}
