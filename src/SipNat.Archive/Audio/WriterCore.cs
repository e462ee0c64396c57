using System.Diagnostics;
using SipNat.Media.Codecs;
using SipNat.Media.Streams;
using SipNat.Media.Wav;

namespace SipNat.Archive.Audio;

/// <summary>
/// All that a writer thread does, without the thread: jobs go in, bytes go to the disk. A file that the disk refuses
/// keeps its jobs in order, and they are tried again until it takes them; no other file waits for it.
/// </summary>
internal sealed class WriterCore(
    AudioFileWriterOptions options, TimeProvider clock, IAudioDisk disk, ForceSchedule forced, Action<AudioFault> report)
{
    /// <summary>Files that the disk refuses; beyond, and only then, files are given up, audio and all.</summary>
    public const int MaxStalled = 4096;

    private const int SilenceBlock = 8192;

    // Half a minute and more of a file's writes: what a disk that was taken away can have lost, and a second of it at least.
    private const int MaxEnds = 64;

    // What is written late lies within the two blocks before the end: before that, nothing changes any more.
    private const int Unsettled = 2 * StreamTimeline.BlockLength;
    private const int AttemptsPerOpening = 5;
    private static readonly TimeSpan FirstBackoff = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan MaxBackoff = TimeSpan.FromSeconds(1);

    private readonly HashSet<AudioFile> _files = [];
    private readonly Queue<Due> _headers = new();
    private readonly PriorityQueue<AudioFile, long> _retries = new();
    private readonly byte[] _header = new byte[WavHeader.Length];
    private long _bytesWritten;
    private long _unwritten;

    /// <summary>Any thread.</summary>
    public long BytesWritten => Interlocked.Read(ref _bytesWritten);

    /// <summary>Buffers that came after their file was closed or given up. Any thread.</summary>
    public long Unwritten => Interlocked.Read(ref _unwritten);

    /// <summary>Buffers that wait for the disk.</summary>
    public int Held { get; private set; }

    /// <summary>When <see cref="RunDue"/> has something to do, in timestamps of the clock.</summary>
    public long NextDue => Math.Min(
        _headers.TryPeek(out var header) ? header.At : long.MaxValue,
        _retries.TryPeek(out _, out var retry) ? retry : long.MaxValue);

    public void Do(in WriteJob job)
    {
        if (job.Kind is WriteJobKind.Drain)
        {
            RewriteHeaders(long.MaxValue);
            job.Drained!.SetResult();
            return;
        }

        var file = job.File!;
        if (file.IsOver) Refuse(job);
        else if (file.Waiting is not null) Hold(job);
        else if (!TryApply(job)) Stall(job);
    }

    /// <summary>Rewrites headers, and tries again what the disk refused.</summary>
    public void RunDue(long now)
    {
        RewriteHeaders(now);
        while (_retries.TryPeek(out var file, out var at) && at <= now)
        {
            _retries.Dequeue();
            if (file.Waiting is not null) Retry(file);
        }
    }

    /// <summary>Closes every file with what it has. What the disk refuses for the last time is told.</summary>
    public void End()
    {
        foreach (var file in _files.ToArray())
        {
            if (file.Waiting is not null) Retry(file);
            if (file.Waiting is not null) GiveUp(file, "The program ended before the disk took it.");
            else if (!file.IsOver && !TryApply(new WriteJob(WriteJobKind.Close, file, Length: file.Reached))) GiveUp(file, "The program ended before the disk took it.");
        }
    }

    private bool TryApply(in WriteJob job)
    {
        var file = job.File!;
        try
        {
            Apply(job);
            job.Buffer?.Dispose();
            return true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            Refuse(file, exception.Message);
            return false;
        }
    }

    private void Apply(in WriteJob job)
    {
        var file = job.File!;
        _files.Add(file);
        Open(file);
        switch (job.Kind)
        {
            case WriteJobKind.Open:
                break;
            case WriteJobKind.Write:
                Write(file, job.Buffer!);
                break;
            case WriteJobKind.Close:
                Finish(file, job.Length);
                break;
            default:
                throw new UnreachableException();
        }
    }

    private void Open(AudioFile file)
    {
        if (file.IsGone)
        {
            Refuse(file, "The file is gone: it, or the disk that it was on, was removed.");
            Abandon(file);
        }

        if (file.Open is not null) return;

        file.Open = file.IsMade ? disk.Reopen(file.Path) : disk.Create(file.Path);
        file.IsMade = true;
        TakeStock(file, Math.Max(file.Open.Length - file.Format.HeaderLength, 0));
        WriteHeader(file);
        MarkWritten(file);
    }

    private void Write(AudioFile file, WriteBuffer buffer)
    {
        Reach(file, buffer.Offset);
        file.Open!.Write(buffer.Written.Span, file.Format.HeaderLength + buffer.Offset - file.Skipped);
        var end = buffer.Offset + buffer.Length;
        file.AudioLength = Math.Max(file.AudioLength, end - file.Skipped);
        if (file.Format is AudioFileFormat.Packets) NoteEnd(file);
        file.Trouble.Mend(buffer.Offset, end);
        Interlocked.Add(ref _bytesWritten, buffer.Length);
        MarkWritten(file);
    }

    private void Finish(AudioFile file, long finalLength)
    {
        Reach(file, finalLength);
        WriteHeader(file);
        if (file.Format is AudioFileFormat.Wave && (file.AudioLength & 1) != 0) file.Open!.Write([0], WavHeader.Length + file.AudioLength);
        forced.Close(file, file.Open!);
        Settle(file, isClosing: true);
        Forget(file);
    }

    // A file of a disk that was taken away may come back shorter. Records go on after the last that is whole.
    private static void TakeStock(AudioFile file, long present)
    {
        if (present >= file.AudioLength) return;

        file.AudioLength = file.Format is AudioFileFormat.Packets ? file.Ends.LastOrDefault(end => end <= present) : present;
    }

    private static void NoteEnd(AudioFile file)
    {
        if (file.Ends.Count == MaxEnds) file.Ends.Dequeue();
        file.Ends.Enqueue(file.AudioLength);
    }

    // What lies between what was written and what comes next was refused.
    private void Reach(AudioFile file, long end)
    {
        if (end <= file.Reached) return;

        Refuse(file, "Audio was not handed over.");
        file.Trouble.Miss(file.Reached, end);
        switch (file.Format)
        {
            case AudioFileFormat.Wave(var codec):
                FillWithSilence(file, codec, end);
                break;
            case AudioFileFormat.Packets:
                file.Skipped = end - file.AudioLength;
                break;
            default:
                throw new UnreachableException();
        }
    }

    // Zero is the loudest byte of µ-law: a hole in the file has to be filled.
    private static void FillWithSilence(AudioFile file, AudioCodec codec, long end)
    {
        var silence = new byte[Math.Min(SilenceBlock, end - file.AudioLength)];
        silence.AsSpan().Fill(codec.Silence);
        while (file.AudioLength < end)
        {
            var count = (int)Math.Min(silence.Length, end - file.AudioLength);
            file.Open!.Write(silence.AsSpan(0, count), WavHeader.Length + file.AudioLength);
            file.AudioLength += count;
        }
    }

    // After the audio, so that a header never promises what is not there.
    private void WriteHeader(AudioFile file)
    {
        switch (file.Format)
        {
            case AudioFileFormat.Wave(var codec):
                WavHeader.Write(_header, WavFormat.Of(codec), file.AudioLength);
                file.Open!.Write(_header, 0);
                break;
            case AudioFileFormat.Packets packets:
                // It states no length: once it is there, it stays as it is.
                if (file.AudioLength == 0) file.Open!.Write(packets.Header, 0);
                break;
            default:
                throw new UnreachableException();
        }
    }

    private void MarkWritten(AudioFile file)
    {
        forced.Written(file);
        if (file.HeaderIsStale) return;

        file.HeaderIsStale = true;
        _headers.Enqueue(new Due(file, clock.GetTimestamp() + clock.TicksOf(options.HeaderInterval)));
    }

    private void RewriteHeaders(long until)
    {
        for (var waiting = _headers.Count; waiting > 0 && _headers.Peek().At <= until; waiting--)
        {
            var file = _headers.Dequeue().File;
            file.HeaderIsStale = false;
            if (file.IsOver || file.Waiting is not null) continue;

            if (!TryRewriteHeader(file)) Stall(new WriteJob(WriteJobKind.Open, file));
            else if (file.Trouble.IsActive && !Settle(file, isClosing: false)) MarkWritten(file);
        }
    }

    private bool TryRewriteHeader(AudioFile file)
    {
        try
        {
            WriteHeader(file);
            forced.Written(file);
            return true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            Refuse(file, exception.Message);
            return false;
        }
    }

    private bool Settle(AudioFile file, bool isClosing)
    {
        if (file.Trouble.Settle(file.Path, file.Reached - Unsettled, isClosing) is not { } fault) return false;

        report(fault);
        return true;
    }

    // From here on the file's jobs wait in their order.
    private void Stall(in WriteJob job)
    {
        var file = job.File!;
        if (!file.IsMade && disk.Exists(file.Path))
        {
            Refuse(job);
            GiveUp(file, "A file of that name is there already.");
            return;
        }

        file.Waiting = new Queue<WriteJob>();
        file.Backoff = FirstBackoff;
        Hold(job);
        RetryLater(file);
    }

    private void Hold(in WriteJob job)
    {
        var file = job.File!;
        file.Waiting!.Enqueue(job);
        if (job.Buffer is not null) Held++;
        if (job.Kind is WriteJobKind.Close && _retries.Count > MaxStalled) GiveUp(file, $"The disk refuses more than {MaxStalled} files.");
    }

    private void Retry(AudioFile file)
    {
        // A handle of a disk that was taken away, or of a server that lost it, never works again.
        if (++file.Attempts % AttemptsPerOpening == 0) Abandon(file);

        var waiting = file.Waiting!;
        while (waiting.TryPeek(out var job))
        {
            if (!TryApply(job))
            {
                file.Backoff = file.Backoff * 2 < MaxBackoff ? file.Backoff * 2 : MaxBackoff;
                RetryLater(file);
                return;
            }

            waiting.Dequeue();
            if (job.Buffer is not null) Held--;
        }

        (file.Waiting, file.Attempts) = (null, 0);
    }

    private void RetryLater(AudioFile file) => _retries.Enqueue(file, clock.GetTimestamp() + clock.TicksOf(file.Backoff));

    private void Abandon(AudioFile file)
    {
        if (file.Open is not { } open) return;

        (file.Open, file.IsGone) = (null, false);
        forced.Close(file, open);
    }

    private void GiveUp(AudioFile file, string reason)
    {
        foreach (var job in file.Waiting ?? [])
        {
            if (job.Buffer is not null) Held--;
            Refuse(job);
        }

        Abandon(file);
        Forget(file);
        report(new AudioFault.Ended(file.Path, clock.GetUtcNow(), reason));
    }

    private void Forget(AudioFile file)
    {
        (file.IsOver, file.Waiting, file.Open) = (true, null, null);
        _files.Remove(file);
    }

    private void Refuse(AudioFile file, string reason)
    {
        if (file.Trouble.Refuse(file.Path, reason) is { } fault) report(fault);
    }

    private void Refuse(in WriteJob job)
    {
        if (job.Buffer is null) return;

        job.Buffer.Dispose();
        Interlocked.Increment(ref _unwritten);
    }

    // When a header has to be rewritten. Equal intervals keep the queue in order.
    private readonly record struct Due(AudioFile File, long At);
}
