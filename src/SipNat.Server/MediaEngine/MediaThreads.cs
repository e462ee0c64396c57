using SipNat.Endpoint;
using SipNat.Endpoint.Media;
using SipNat.Wire;

namespace SipNat.Server.MediaEngine;

/// <summary>
/// The media threads of a program. A session is given to the one that has the fewest streams when it begins, and stays
/// there: what it has, its sockets and its state, belongs to that thread alone.
/// </summary>
public sealed class MediaThreads : IAsyncDisposable
{
    /// <summary>Threads at most.</summary>
    public const int Max = 64;

    private readonly MediaThread[] _threads;
    private readonly Action<MediaEvent> _onEvent;
    private readonly Lock _gate = new();
    private readonly Dictionary<SessionId, Placement> _placed = [];
    private readonly int[] _streams;

    /// <param name="count">How many, 1 to <see cref="Max"/>.</param>
    /// <param name="make">Makes one that tells its events to what it is given.</param>
    /// <param name="onEvent">Called on the threads; must not block. Events of one session come from one thread.</param>
    public MediaThreads(int count, Func<Action<MediaEvent>, MediaThread> make, Action<MediaEvent> onEvent)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Max);
        _onEvent = onEvent;
        _streams = new int[count];
        _threads = [.. Enumerable.Range(0, count).Select(index => make(happened => Tell(index, happened)))];
    }

    public int Count => _threads.Length;

    /// <summary>Sockets that are open.</summary>
    public int Sockets => _threads.Sum(thread => thread.Sockets);

    /// <summary>Those of them that are visited in turn, as they carry a steady recording.</summary>
    public int Swept => _threads.Sum(thread => thread.Swept);

    /// <summary>Inputs that wait for the threads.</summary>
    public int Queued => _threads.Sum(thread => thread.Queued);

    /// <summary>Datagrams that came while their socket's queue was full, as far as the system tells.</summary>
    public long Overflowed => _threads.Sum(thread => thread.Overflowed);

    /// <summary>What the threads have run on a core; null where the system does not tell.</summary>
    public TimeSpan? CpuTime => Array.TrueForAll(_threads, thread => thread.CpuTime is not null)
        ? TimeSpan.FromTicks(_threads.Sum(thread => thread.CpuTime!.Value.Ticks))
        : null;

    /// <summary>Datagrams received since the start.</summary>
    public long Received => _threads.Sum(thread => thread.Received);

    /// <summary>Datagrams sent since the start.</summary>
    public long Sent => _threads.Sum(thread => thread.Sent);

    /// <summary>Datagrams that the kernel refused to send.</summary>
    public long SendsFailed => _threads.Sum(thread => thread.SendsFailed);

    /// <summary>Datagrams that belonged to no session.</summary>
    public long Unowned => _threads.Sum(thread => thread.Unowned);

    /// <summary>Mappings that the NAT let end between two packets that were to keep them.</summary>
    public long MappingsEnded => _threads.Sum(thread => thread.MappingsEnded);

    /// <summary>By how much the latest of the threads was late, since this was last asked.</summary>
    public TimeSpan TakeLateness() => _threads.Max(thread => thread.TakeLateness());

    /// <summary>The longest time since this was last asked in which a media thread did not look at its sockets, beyond what was meant.</summary>
    public TimeSpan TakeDelay() => _threads.Max(thread => thread.TakeDelay());

    /// <summary>The streams of each thread's sessions.</summary>
    public IReadOnlyList<int> Streams
    {
        get
        {
            lock (_gate) return [.. _streams];
        }
    }

    public void Start()
    {
        foreach (var thread in _threads) thread.Start();
    }

    /// <summary>Runs an input on each thread, with the plane that it owns. A thread whose queue is full goes without it.</summary>
    public void Post(Action<Instant, MediaPlane> input)
    {
        foreach (var thread in _threads) thread.TryPost(input);
    }

    /// <summary>
    /// Hands a command to the thread of its session; one for a session that is not, or no longer, placed goes nowhere. False
    /// when the queue of that thread is full.
    /// </summary>
    public bool TryPost(MediaCommand command)
    {
        if (ThreadOf(command) is not { } index || _threads[index].TryPost(command)) return true;

        if (command is MediaCommand.Open) Forget(command.Session);
        return false;
    }

    /// <summary>Ends the threads, and closes every socket and connection.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var thread in _threads) await thread.DisposeAsync();
    }

    private int? ThreadOf(MediaCommand command)
    {
        lock (_gate)
        {
            var isPlaced = _placed.TryGetValue(command.Session, out var placement);
            switch (command)
            {
                case MediaCommand.Open(var session, _, var streams) when !isPlaced:
                    placement = new(Array.IndexOf(_streams, _streams.Min()), 0);
                    Place(session, placement, streams);
                    return placement.Thread;
                case MediaCommand.AddPorts(var session, var streams) when isPlaced:
                    Place(session, placement, streams);
                    return placement.Thread;
                default:
                    return isPlaced ? placement.Thread : null;
            }
        }
    }

    private void Place(SessionId session, Placement placement, int more)
    {
        _placed[session] = placement with { Streams = placement.Streams + more };
        _streams[placement.Thread] += more;
    }

    private void Forget(SessionId session)
    {
        lock (_gate)
        {
            if (_placed.Remove(session, out var placement)) _streams[placement.Thread] -= placement.Streams;
        }
    }

    // A session that was refused its first ports is not open, and no other word of it follows.
    private void Tell(int thread, MediaEvent happened)
    {
        if (happened is MediaEvent.Closed || (happened is MediaEvent.Refused && !_threads[thread].Has(happened.Session))) Forget(happened.Session);
        _onEvent(happened);
    }

    private readonly record struct Placement(int Thread, int Streams);
}
