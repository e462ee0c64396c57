namespace SipNat.Archive.Audio;

/// <summary>
/// What waits for one writer thread. Files take turns, in the order of what has waited longest, and with its turn a file
/// gets what has gathered for it: one buffer where the disk keeps up, many where it is behind. Buffers are refused when
/// the queue is full; opening and closing are not, because their number is bounded by the files, and a file that could
/// not be closed would stay open for ever.
/// </summary>
/// <param name="capacity">Buffers that it holds.</param>
/// <param name="linger">How long a buffer that comes to an empty queue waits for others; what is more than a buffer does not.</param>
internal sealed class WriteQueue(int capacity, TimeSpan linger)
{
    // A full queue takes nothing until a quarter of it is free. Seconds of audio in a row are worth more than every tenth
    // half second, and go to the disk in fewer writes.
    private const int ShareToFree = 4;

    private readonly object _gate = new();
    private readonly Queue<Turn> _turns = new();
    private readonly JobChains _chains = new();
    private readonly int _roomAgain = capacity - Math.Max(capacity / ShareToFree, 1);
    private volatile int _held;
    private int _remainders;
    private bool _isFull;
    private bool _completed;
    private bool _lingers;

    /// <summary>Jobs that wait, those that were taken and are held for the disk included.</summary>
    public int Count
    {
        get
        {
            lock (_gate) return _chains.Count + _held;
        }
    }

    /// <summary>Buffers that were taken out and still wait for the disk: they count as if they were in the queue.</summary>
    public int Held
    {
        get => _held;
        set => _held = value;
    }

    // What a writer that waits was woken for, where that is a buffer and nothing else.
    private bool HasOneBuffer => _turns is { Count: 1 } && _turns.Peek().File is { } file && _chains.HasOneBuffer(file.Jobs);

    /// <summary>Adds a job of a file unless the queue is full or completed.</summary>
    public bool TryAdd(in WriteJob job)
    {
        lock (_gate)
        {
            var waiting = _chains.Count + _held;
            _isFull = waiting >= capacity || (_isFull && waiting > _roomAgain);
            if (_completed || _isFull) return false;

            Enqueue(job);
            return true;
        }
    }

    /// <summary>Adds a job also to a full queue; false once it is completed.</summary>
    public bool TryAddAlways(in WriteJob job)
    {
        lock (_gate)
        {
            if (_completed) return false;

            Enqueue(job);
            return true;
        }
    }

    /// <summary>Takes nothing more in; what waits is still handed out.</summary>
    public void Complete()
    {
        lock (_gate)
        {
            _completed = true;
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Takes jobs of the file whose turn it is, waiting for one up to so many milliseconds (-1: for ever).</summary>
    /// <param name="jobs">Gets them in their order, and no more than it has room for.</param>
    /// <param name="ended">True when the queue is completed and empty.</param>
    /// <returns>How many there are.</returns>
    public int Take(int milliseconds, Span<WriteJob> jobs, out bool ended)
    {
        lock (_gate)
        {
            if (_turns.Count == 0 && !_completed && milliseconds != 0 && Monitor.Wait(_gate, milliseconds) && HasOneBuffer) Linger();

            ended = _completed && _turns.Count == 0;
            return ended || _turns.Count == 0 ? 0 : TakeTurn(jobs);
        }
    }

    private void Linger()
    {
        _lingers = true;
        Monitor.Wait(_gate, linger);
        _lingers = false;
    }

    private int TakeTurn(Span<WriteJob> jobs)
    {
        var turn = _turns.Dequeue();
        while (turn.File is null && _remainders > 0)
        {
            // A drain waits for all that came before it: a file that did not get all of its jobs done has some of them.
            _turns.Enqueue(turn);
            turn = _turns.Dequeue();
        }

        if (turn.File is not { } file)
        {
            jobs[0] = new WriteJob(WriteJobKind.Drain, Drained: turn.Drained);
            return 1;
        }

        if (turn.IsRemainder) _remainders--;
        var count = 0;
        while (count < jobs.Length && _chains.TryTake(ref file.Jobs, out jobs[count])) count++;
        if (file.Jobs.IsEmpty) return count;

        _turns.Enqueue(new Turn(file, IsRemainder: true));
        _remainders++;
        return count;
    }

    private void Enqueue(in WriteJob job)
    {
        var isFirst = _turns.Count == 0;
        if (job.File is not { } file)
        {
            _turns.Enqueue(new Turn(null, Drained: job.Drained));
        }
        else
        {
            if (file.Jobs.IsEmpty) _turns.Enqueue(new Turn(file));
            _chains.Add(ref file.Jobs, job);
        }

        if (_lingers ? job.Kind is not WriteJobKind.Write : isFirst) Monitor.Pulse(_gate);
    }

    // A file stands in the line once, from its first job on. No file: a drain.
    private readonly record struct Turn(AudioFile? File, bool IsRemainder = false, TaskCompletionSource? Drained = null);
}
