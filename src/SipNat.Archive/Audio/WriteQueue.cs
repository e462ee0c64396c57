namespace SipNat.Archive.Audio;

/// <summary>
/// What waits for one writer thread. Buffers are refused when it is full; opening and closing are not, because their
/// number is bounded by the files, and a file that could not be closed would stay open for ever.
/// </summary>
/// <param name="linger">How long a buffer that comes to an empty queue waits for others; what is more than a buffer does not.</param>
internal sealed class WriteQueue(int capacity, TimeSpan linger)
{
    // What a busy thread leaves for a moment; more is made room for when the disk refuses.
    private const int UsualJobs = 4096;

    private readonly object _gate = new();
    private readonly Queue<WriteJob> _jobs = new(Math.Min(capacity, UsualJobs));
    private volatile int _held;
    private bool _completed;
    private bool _lingers;

    /// <summary>Jobs that wait, those that were taken and are held for the disk included.</summary>
    public int Count
    {
        get
        {
            lock (_gate) return _jobs.Count + _held;
        }
    }

    /// <summary>Buffers that were taken out and still wait for the disk: they count as if they were in the queue.</summary>
    public int Held
    {
        get => _held;
        set => _held = value;
    }

    /// <summary>Adds a job unless the queue is full or completed.</summary>
    public bool TryAdd(in WriteJob job)
    {
        lock (_gate)
        {
            if (_completed || _jobs.Count + _held >= capacity) return false;

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

    /// <summary>Takes the oldest job, waiting for one up to so many milliseconds (-1: for ever).</summary>
    /// <param name="ended">True when the queue is completed and empty.</param>
    public bool TryTake(int milliseconds, out WriteJob job, out bool ended)
    {
        lock (_gate)
        {
            if (_jobs.Count == 0 && !_completed && milliseconds != 0 && Monitor.Wait(_gate, milliseconds) && _jobs is { Count: 1 } && _jobs.Peek().Kind is WriteJobKind.Write)
            {
                _lingers = true;
                Monitor.Wait(_gate, linger);
                _lingers = false;
            }

            ended = _completed && _jobs.Count == 0;
            return _jobs.TryDequeue(out job);
        }
    }

    private void Enqueue(in WriteJob job)
    {
        _jobs.Enqueue(job);
        if (_lingers ? job.Kind is not WriteJobKind.Write : _jobs.Count == 1) Monitor.Pulse(_gate);
    }
}
