using System.Diagnostics;

namespace SipNat.Archive.Audio;

/// <summary>
/// All that a writer thread does, without the thread: jobs go in, bytes go to the disk. A file that the disk refuses
/// keeps its jobs in order, and they are tried again until it takes them; no other file waits for it.
/// </summary>
internal sealed partial class WriterCore(
    AudioFileWriterOptions options, TimeProvider clock, IAudioDisk disk, ForceSchedule forced, Action<AudioFault> report)
{
    /// <summary>Files that the disk refuses; beyond, and only then, files are given up, audio and all.</summary>
    public const int MaxStalled = 4096;

    private const int AttemptsPerOpening = 5;
    private static readonly TimeSpan FirstBackoff = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan MaxBackoff = TimeSpan.FromSeconds(1);

    private readonly HashSet<AudioFile> _files = [];
    private readonly Queue<Due> _headers = new();
    private readonly PriorityQueue<AudioFile, long> _retries = new();
    private readonly FileLayout _layout = new();
    private readonly WriteRun _run = new();
    private readonly WriteJob[] _again = new WriteJob[WriteRun.MaxJobs];
    private long _bytesWritten;
    private long _unwritten;

    /// <summary>Any thread.</summary>
    public long BytesWritten => Interlocked.Read(ref _bytesWritten);

    /// <summary>Buffers that came after their file was closed or given up. Any thread.</summary>
    public long Unwritten => Interlocked.Read(ref _unwritten);

    /// <summary>Buffers that wait for the disk.</summary>
    public int Held { get; private set; }

    /// <summary>When <see cref="RunDue"/> has something to do, in timestamps of the clock.</summary>
    public long NextDue => _fills.Count > 0 ? clock.GetTimestamp() : Math.Min(
        _headers.TryPeek(out var header) ? header.At : long.MaxValue,
        _retries.TryPeek(out _, out var retry) ? retry : long.MaxValue);

    public void Do(in WriteJob job) => DoAll(new ReadOnlySpan<WriteJob>(in job));

    /// <summary>Does jobs of one file in their order; buffers that follow each other are one write.</summary>
    public void DoAll(ReadOnlySpan<WriteJob> jobs)
    {
        for (var rest = jobs; !rest.IsEmpty;)
        {
            var count = WriteRun.CountOf(rest);
            DoRun(rest[..count]);
            rest = rest[count..];
        }
    }

    /// <summary>Rewrites headers, tries again what the disk refused, and writes a piece of the silence that files lack.</summary>
    public void RunDue(long now)
    {
        if (_fills.Count > 0) Fill();
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
            if (file is { Waiting: null, IsOver: false } && file.Fill?.FinalLength is null) Do(new WriteJob(WriteJobKind.Close, file, Length: file.Reached));
        }

        while (_fills.Count > 0) Fill();
        foreach (var file in _files.ToArray()) GiveUp(file, "The program ended before the disk took it.");
    }

    private void DoRun(ReadOnlySpan<WriteJob> run)
    {
        if (run[0].Kind is WriteJobKind.Drain)
        {
            RewriteHeaders(long.MaxValue);
            while (_fills.Count > 0) Fill();
            run[0].Drained!.SetResult();
            return;
        }

        var file = run[0].File!;
        if (file.IsOver) Refuse(run);
        else if (file.Waiting is not null) Hold(run);
        else if (!TryApply(run)) Stall(run);
    }

    private bool TryApply(ReadOnlySpan<WriteJob> run)
    {
        var file = run[0].File!;
        try
        {
            Apply(file, run);
            foreach (ref readonly var job in run) job.Buffer?.Dispose();
            return true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            Refuse(file, exception.Message);
            return false;
        }
    }

    private bool Try(AudioFile file, Action<WriterCore, AudioFile> write)
    {
        try
        {
            write(this, file);
            return true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            Refuse(file, exception.Message);
            return false;
        }
    }

    private void Apply(AudioFile file, ReadOnlySpan<WriteJob> run)
    {
        _files.Add(file);
        Open(file);
        switch (run[0].Kind)
        {
            case WriteJobKind.Open:
                break;
            case WriteJobKind.Write:
                Write(file, run);
                break;
            case WriteJobKind.Close:
                Finish(file, run[0].Length);
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
        FileLayout.TakeStock(file, Math.Max(file.Open.Length - file.Format.HeaderLength, 0));
        _layout.WriteHeader(file);
        MarkWritten(file);
    }

    private void Write(AudioFile file, ReadOnlySpan<WriteJob> run)
    {
        var from = run[0].Buffer!.Offset;
        var bytes = _run.Gather(run);
        Reach(file, from);
        file.Open!.Write(bytes, file.Format.HeaderLength + from - file.Skipped);
        foreach (ref readonly var job in run) FileLayout.NoteWritten(file, job.Buffer!.Offset + job.Buffer.Length);
        file.Trouble.Mend(from, from + bytes.Length);
        Interlocked.Add(ref _bytesWritten, bytes.Length);
        MarkWritten(file);
    }

    // What lies between what was written and what comes next was refused.
    private void Reach(AudioFile file, long end)
    {
        if (end <= file.Reached) return;

        if (file.Trouble.Refuse(file.Path, "Audio was not handed over.", file.Reached, end) is { } fault) report(fault);
        if (file.Format is AudioFileFormat.Packets) file.Skipped = end - file.AudioLength;
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

            if (!Try(file, static (core, file) => core.RewriteHeader(file))) Stall([new WriteJob(WriteJobKind.Open, file)]);
            else if (file.Trouble.IsActive && file.Fill is null) LookAfter(file);
        }
    }

    private void RewriteHeader(AudioFile file)
    {
        _layout.WriteHeader(file);
        forced.Written(file);
    }

    // From here on the file's jobs wait in their order.
    private void Stall(ReadOnlySpan<WriteJob> run)
    {
        var file = run[0].File!;
        if (!file.IsMade && disk.Exists(file.Path))
        {
            Refuse(run);
            GiveUp(file, "A file of that name is there already.");
            return;
        }

        (file.Waiting, file.Fill) = (new Queue<WriteJob>(), null);
        file.Backoff = FirstBackoff;
        Hold(run);
        RetryLater(file);
    }

    private void Hold(ReadOnlySpan<WriteJob> run)
    {
        var file = run[0].File!;
        foreach (ref readonly var job in run)
        {
            file.Waiting!.Enqueue(job);
            if (job.Buffer is not null) Held++;
        }

        if (run[0].Kind is WriteJobKind.Close && _retries.Count > MaxStalled) GiveUp(file, $"The disk refuses more than {MaxStalled} files.");
    }

    private void Retry(AudioFile file)
    {
        // A handle of a disk that was taken away, or of a server that lost it, never works again.
        if (++file.Attempts % AttemptsPerOpening == 0) Abandon(file);

        var waiting = file.Waiting!;
        while (waiting.Count > 0)
        {
            var run = FirstRunOf(waiting);
            if (!TryApply(run))
            {
                file.Backoff = file.Backoff * 2 < MaxBackoff ? file.Backoff * 2 : MaxBackoff;
                RetryLater(file);
                return;
            }

            for (var done = 0; done < run.Length; done++)
            {
                if (waiting.Dequeue().Buffer is not null) Held--;
            }
        }

        (file.Waiting, file.Attempts) = (null, 0);
    }

    private ReadOnlySpan<WriteJob> FirstRunOf(Queue<WriteJob> waiting)
    {
        var count = 0;
        foreach (var job in waiting)
        {
            _again[count++] = job;
            if (count == _again.Length) break;
        }

        return _again.AsSpan(0, WriteRun.CountOf(_again.AsSpan(0, count)));
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
            Refuse([job]);
        }

        Abandon(file);
        Forget(file);
        report(new AudioFault.Ended(file.Path, clock.GetUtcNow(), reason));
    }

    private void Forget(AudioFile file)
    {
        (file.IsOver, file.Waiting, file.Open, file.Fill) = (true, null, null, null);
        _files.Remove(file);
    }

    private void Refuse(AudioFile file, string reason)
    {
        if (file.Trouble.Refuse(file.Path, reason) is { } fault) report(fault);
    }

    private void Refuse(ReadOnlySpan<WriteJob> run)
    {
        foreach (ref readonly var job in run)
        {
            if (job.Buffer is null) continue;

            job.Buffer.Dispose();
            Interlocked.Increment(ref _unwritten);
        }
    }

    // When a header has to be rewritten. Equal intervals keep the queue in order.
    private readonly record struct Due(AudioFile File, long At);
}
