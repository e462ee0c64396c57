namespace SipNat.Server.Hosting;

/// <summary>
/// Whether there is room for one more session in what all of them share: the memory for audio that waits for the disk, the
/// memory of the machine, and the time of the media threads. It is looked at each <see cref="Interval"/>; what is short has
/// to be so by a margin no longer before sessions are taken again.
/// </summary>
internal sealed class LoadWatch
{
    /// <summary>Memory below which no session begins: what some hundred that run may want yet.</summary>
    public const long LeastMemory = 64 << 20;

    /// <summary>Memory from which on they begin again.</summary>
    public const long MemoryAgain = LeastMemory + (LeastMemory / 2);

    /// <summary>Of the memory for audio that waits, the part that is kept for those that run.</summary>
    public const double FullQueue = 0.5;

    /// <summary>What may wait at most for sessions to begin again.</summary>
    public const double QueueAgain = 0.25;

    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <summary>How long a media socket may wait to be looked at: its queue holds five seconds of a stream.</summary>
    public static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(2);

    private bool _isBehind;
    private bool _isOutOfMemory;

    /// <summary>Whether the last look found that there is none.</summary>
    public bool IsOverloaded { get; private set; }

    /// <summary>What is short, as a sentence without its full stop; null where nothing is.</summary>
    /// <param name="fullness">Of the memory for audio that waits for the disk, the part that is used.</param>
    /// <param name="memory">Bytes that the process can still have; null where that is not known.</param>
    /// <param name="delay">The longest time in which a media thread did not look at its sockets since the last look.</param>
    public string? Look(double fullness, long? memory, TimeSpan delay)
    {
        _isBehind = fullness >= (_isBehind ? QueueAgain : FullQueue);
        _isOutOfMemory = memory < (_isOutOfMemory ? MemoryAgain : LeastMemory);
        var reason = _isBehind ? "The disk is behind with audio, and half of the memory for what waits is used (Recording:WriteMemory)"
            : _isOutOfMemory ? $"Less than {LeastMemory >> 20} MiB of memory are left"
            : delay > LongestDelay ? $"Media sockets wait longer than {LongestDelay.TotalSeconds:F0} s to be looked at: the processor has no time left"
            : null;
        IsOverloaded = reason is not null;
        return reason;
    }
}
