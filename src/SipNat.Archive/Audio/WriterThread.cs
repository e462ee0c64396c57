namespace SipNat.Archive.Audio;

/// <summary>One thread with a queue before it, and the files that belong to it.</summary>
internal sealed class WriterThread
{
    private readonly WriterCore _core;
    private readonly TimeProvider _clock;
    private readonly WriteJob[] _jobs = new WriteJob[WriteRun.MaxJobs];
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public WriterThread(int number, AudioFileWriterOptions options, WriterCore core, TimeProvider clock)
    {
        (_core, _clock) = (core, clock);
        Queue = new WriteQueue(options.QueueCapacity, options.Linger);
        new Thread(Run) { Name = $"audio writer {number}", IsBackground = true }.Start();
    }

    public WriteQueue Queue { get; }

    /// <summary>Completes when the queue was completed, everything is written and every file has its last byte.</summary>
    public Task Ended => _ended.Task;

    public long BytesWritten => _core.BytesWritten;

    public long Unwritten => _core.Unwritten;

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
            var count = Queue.Take(_clock.MillisecondsUntil(_core.NextDue), _jobs, out ended);
            _core.DoAll(_jobs.AsSpan(0, count));
            _core.RunDue(_clock.GetTimestamp());
            Queue.Held = _core.Held;
        }

        _core.End();
        Queue.Held = 0;
        _ended.SetResult();
    }
}
