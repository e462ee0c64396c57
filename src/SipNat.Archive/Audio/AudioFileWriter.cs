using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using SipNat.Media.Codecs;
using SipNat.Media.Streams;

namespace SipNat.Archive.Audio;

/// <summary>
/// Writes the audio of running sessions on threads of its own. Callers only queue: they never wait for the disk and
/// never see an exception of it. What the disk refuses waits in memory, as far as <see cref="AudioFileWriterOptions.QueueCapacity"/>
/// goes, and is written when it takes it again; what found no room becomes silence. Both are told by <see cref="TryTakeFault"/>.
/// </summary>
/// <remarks>Every <see cref="WriteBuffer"/> that is handed over is disposed of exactly once, written or not.</remarks>
public sealed class AudioFileWriter : IAsyncDisposable
{
    private const int MaxThreads = 64;

    /// <summary>How long the end may take: a disk that hangs would keep the program for ever.</summary>
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(30);

    private readonly ConcurrentQueue<AudioFault> _faults = new();
    private readonly TimeProvider _clock;
    private readonly ForceSchedule _forced;
    private readonly ForceThread _forceThread;
    private readonly WriterThread[] _threads;
    private readonly int _capacity;
    private int _next;
    private long _refused;

    public AudioFileWriter(AudioFileWriterOptions options, TimeProvider? clock = null)
        : this(options, clock ?? TimeProvider.System, new AudioDisk())
    {
    }

    internal AudioFileWriter(AudioFileWriterOptions options, TimeProvider clock, IAudioDisk disk)
    {
        if (options.Threads is < 1 or > MaxThreads) throw new ArgumentException($"Threads has to be 1 to {MaxThreads}.", nameof(options));
        if (options.QueueCapacity < 1) throw new ArgumentException("QueueCapacity has to be 1 at least.", nameof(options));

        (_clock, _capacity) = (clock, options.QueueCapacity);
        _forced = new ForceSchedule(options, clock, disk, _faults.Enqueue);
        _forceThread = new ForceThread(_forced, clock);
        _threads =
        [
            .. Enumerable.Range(0, options.Threads).Select(i =>
                new WriterThread(i, options, new WriterCore(options, clock, disk, _forced, _faults.Enqueue), clock)),
        ];
    }

    /// <summary>Buffers that were not written because there was no room for them, or their file was closed.</summary>
    public long Refused => Interlocked.Read(ref _refused) + _threads.Sum(thread => thread.Unwritten);

    /// <summary>Jobs that wait for a thread or for the disk.</summary>
    public int Waiting => _threads.Sum(thread => thread.Queue.Count);

    /// <summary>How full the queue of that thread is which has most waiting, from 0 to 1 and, with files that open and close, beyond.</summary>
    public double Fullness => (double)_threads.Max(thread => thread.Queue.Count) / _capacity;

    /// <summary>Bytes of audio written.</summary>
    public long BytesWritten => _threads.Sum(thread => thread.BytesWritten);

    /// <summary>
    /// Begins a file. It is created, with a header that states no audio, on its writer thread; a file that exists
    /// already is not touched and is a fault. Its folder is made where it is missing.
    /// </summary>
    public AudioFile Open(string path, AudioCodec codec) => Open(path, new AudioFileFormat.Wave(codec));

    /// <summary>The same for any format.</summary>
    public AudioFile Open(string path, AudioFileFormat format)
    {
        var thread = _threads[(uint)Interlocked.Increment(ref _next) % (uint)_threads.Length];
        var file = new AudioFile(path, format, thread, _clock);
        if (thread.Queue.TryAddAlways(new WriteJob(WriteJobKind.Open, file))) return file;

        file.IsOver = true;
        _faults.Enqueue(new AudioFault.Ended(path, _clock.GetUtcNow(), "The writer is closed."));
        return file;
    }

    /// <summary>Queues a buffer, which belongs to the writer from here on, whatever the answer.</summary>
    /// <returns>False when it will not be written: there is no room for it, or the file was closed or given up.</returns>
    public bool TryWrite(AudioFile file, WriteBuffer buffer)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(buffer.Offset, nameof(buffer));
        if (file is { IsOver: false, IsClosing: false })
        {
            if (file.Owner!.Queue.TryAdd(new WriteJob(WriteJobKind.Write, file, buffer))) return true;

            if (file.Overflow(buffer) is { } fault) _faults.Enqueue(fault);
        }

        buffer.Dispose();
        Interlocked.Increment(ref _refused);
        return false;
    }

    /// <summary>Ends a file after all that was queued for it: header, flush to the medium, close.</summary>
    /// <param name="finalLength">
    /// Bytes of audio that it shall have. What is missing, because buffers were refused, becomes silence (of packets,
    /// nothing); what was written beyond is kept.
    /// </param>
    public void Close(AudioFile file, long finalLength)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(finalLength);
        file.IsClosing = true;
        file.Owner!.Queue.TryAddAlways(new WriteJob(WriteJobKind.Close, file, Length: finalLength));
    }

    /// <summary>Takes one fault that has not been taken yet, in the order in which they came.</summary>
    public bool TryTakeFault([NotNullWhen(true)] out AudioFault? fault) => _faults.TryDequeue(out fault);

    /// <summary>
    /// Waits until everything that was queued before is in the files, and their headers say so; what the disk refuses is
    /// not waited for.
    /// </summary>
    public Task DrainAsync(CancellationToken cancellationToken) =>
        Task.WhenAll(_threads.Select(thread => thread.DrainAsync())).WaitAsync(cancellationToken);

    /// <summary>
    /// Writes what waits, closes the files that are open with what they have, forces them to the medium and ends the
    /// threads. A disk that hangs is left after half a minute.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var thread in _threads) thread.Queue.Complete();
        await Task.WhenAny(EndAsync(), Task.Delay(EndLimit));
    }

    private async Task EndAsync()
    {
        await Task.WhenAll(_threads.Select(thread => thread.Ended));
        _forced.Complete();
        await _forceThread.Ended;
    }
}
