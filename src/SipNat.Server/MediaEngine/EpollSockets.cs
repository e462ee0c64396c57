using System.Net.Sockets;
using System.Runtime.InteropServices;
using SipNat.Server.Hosting;
using SipNat.Wire;

namespace SipNat.Server.MediaEngine;

/// <summary>
/// Media sockets on Linux. One that carries a steady recording is visited in turn, at a sixth of the cost; every other one
/// is watched by epoll and looked at when something comes: those of calls, ICE checks, RTCP, streams that have not begun
/// and streams that pause. A socket goes to and fro by itself as its packets come and stop.
/// </summary>
internal sealed unsafe class EpollSockets : IMediaSockets
{
    /// <summary>What one socket may hand over before the next has its turn: more than its queue holds of media, and no more of a flood.</summary>
    public const int MaxPerVisit = 12 * DatagramBatch.Capacity;

    private const int MaxEvents = 256;

    // The event that Wake writes to; no socket has this number, as descriptors are small.
    private const ulong WakeMark = ulong.MaxValue;

    // Of a second without a packet: the stream pauses, and a visit for nothing costs as much as one for ten packets.
    private const int MaxEmptyVisits = 5;

    // Packets that come closer than this are a stream; RTCP has seconds between.
    private static readonly TimeSpan Steady = TimeSpan.FromMilliseconds(150);

    private readonly IMediaReceiver _receiver;
    private readonly ServerClock _clock;
    private readonly DatagramBatch _batch;
    private readonly ErrorQueue _errors;
    private readonly SweepWheel _wheel = new();
    private readonly Dictionary<int, MediaSocket> _watched = [];
    private readonly int _epoll;
    private readonly int _wake;
    private readonly byte* _events;
    private readonly Lock _ending = new();
    private Instant _nextTurn;
    private bool _isOver;
    private int _isWoken;

    public EpollSockets(IMediaReceiver receiver, ServerClock clock)
    {
        (_receiver, _clock, _batch, _errors) = (receiver, clock, new(clock), new(receiver));
        _epoll = LinuxSockets.CreateEpoll();
        _wake = LinuxSockets.CreateEvent();
        if (!LinuxSockets.TryWatch(_epoll, _wake, WakeMark)) throw new InvalidOperationException("The kernel watches no further file of this user: raise fs.epoll.max_user_watches.");
        _events = (byte*)NativeMemory.Alloc((nuint)(MaxEvents * LinuxSockets.EventSize));
    }

    /// <summary>Whether this system has what it takes.</summary>
    public static bool IsSupported => OperatingSystem.IsLinux() && nint.Size == sizeof(long);

    /// <summary>How many sockets may be watched at most, beside what the kernel allows.</summary>
    public int MaxWatched { get; init; } = int.MaxValue;

    public int Count => _watched.Count + _wheel.Count;

    public int Swept => _wheel.Count;

    public long Overflowed { get; private set; }

    public MediaSocket Add(FlowId flow, Socket socket)
    {
        var added = new MediaSocket(flow, socket);

        // Without them arrivals are counted from the visit, and overflows go unseen.
        LinuxSockets.TrySwitchOn(added.Descriptor, LinuxSockets.TimestampNanoseconds);
        LinuxSockets.TrySwitchOn(added.Descriptor, LinuxSockets.QueueOverflow);
        added.AskForErrors();
        Watch(added);
        return added;
    }

    public void Remove(MediaSocket socket)
    {
        if (socket.Slice >= 0) _wheel.Remove(socket);
        else if (_watched.Remove(socket.Descriptor)) LinuxSockets.Unwatch(_epoll, socket.Descriptor);
        socket.Dispose();
    }

    public void Receive(TimeSpan limit)
    {
        var untilTurn = _nextTurn - _clock.Now;
        if (_wheel.Count > 0 && untilTurn < limit) limit = untilTurn;
        var ready = LinuxSockets.EpollWait(_epoll, _events, MaxEvents, ToMilliseconds(limit));
        _batch.LookAtClock();
        for (var i = 0; i < ready; i++)
        {
            var mark = LinuxSockets.ReadEvent(_events, i);
            if (mark == WakeMark) TakeWake();
            else if (_watched.TryGetValue((int)mark, out var socket)) LookAt(socket, LinuxSockets.ReadEventKinds(_events, i));
        }

        TakeTurns();
    }

    public void Drain(MediaSocket socket)
    {
        _batch.LookAtClock();
        Fetch(socket);
    }

    // One write for all that are made before the thread has seen it; none to a number that may be another file's by then.
    public void Wake()
    {
        if (Interlocked.Exchange(ref _isWoken, 1) != 0) return;

        lock (_ending)
        {
            if (!_isOver) _ = LinuxSockets.EventWrite(_wake, 1);
        }
    }

    public void Dispose()
    {
        lock (_ending)
        {
            if (_isOver) return;

            _isOver = true;
        }

        foreach (var socket in _watched.Values) socket.Dispose();
        for (var i = 0; i < SweepWheel.Slices; i++)
        {
            foreach (var socket in _wheel.TakeTurn()) socket.Dispose();
        }

        _ = LinuxSockets.Close(_wake);
        _ = LinuxSockets.Close(_epoll);
        NativeMemory.Free(_events);
        _batch.Dispose();
        _errors.Dispose();
    }

    // A thread that is late makes up for turns that it missed, one round of them at most.
    private void TakeTurns()
    {
        if (_wheel.Count == 0) return;

        var now = _clock.Now;
        for (var turns = 0; _nextTurn <= now && turns < SweepWheel.Slices; turns++)
        {
            _nextTurn += SweepWheel.Step;
            var turn = _wheel.TakeTurn();
            for (var i = turn.Count - 1; i >= 0; i--)
            {
                // What is handed over may close sockets.
                if (i < turn.Count) Visit(turn[i]);
            }
        }

        if (_nextTurn <= now) _nextTurn = now + SweepWheel.Step;
    }

    private void Visit(MediaSocket socket)
    {
        var canWait = Fetch(socket);
        socket.EmptyVisits = canWait is null ? socket.EmptyVisits + 1 : 0;
        if (socket.IsClosed || socket.Slice < 0) return;

        if (canWait is false || socket.EmptyVisits == MaxEmptyVisits)
        {
            _wheel.Remove(socket);
            Watch(socket);
        }
        else if (canWait is not null)
        {
            return;
        }

        // It counts on its visits: it is told of those that bring nothing, and when they are over.
        _receiver.Handle(socket, [], []);
    }

    private void LookAt(MediaSocket socket, uint kinds)
    {
        // It is told of again as long as the queue has any.
        socket.HasErrors |= (kinds & LinuxSockets.EpollError) != 0;
        var before = socket.LastHeard;
        if (Fetch(socket) is not true || socket.IsClosed || before is null || socket.LastHeard - before > Steady) return;

        _watched.Remove(socket.Descriptor);
        LinuxSockets.Unwatch(_epoll, socket.Descriptor);
        PutIntoWheel(socket);
    }

    // Null where there was nothing, else whether the socket can wait.
    private bool? Fetch(MediaSocket socket)
    {
        bool? canWait = null;
        var overflowed = socket.Overflowed;
        var isMore = true;
        for (var taken = 0; isMore && taken < MaxPerVisit && !socket.IsClosed; taken += DatagramBatch.Capacity)
        {
            isMore = _batch.Receive(socket.Descriptor, ref overflowed);
            socket.HasErrors |= _batch.HasFailed;
            if (_batch.Count == 0) break;

            socket.LastHeard = _batch.Received[^1].Arrival;
            canWait = _receiver.Handle(socket, _batch.Received, _batch.Bytes);
        }

        Overflowed += overflowed - socket.Overflowed;
        socket.Overflowed = overflowed;
        if (socket.HasErrors && !socket.IsClosed) _errors.Read(socket);
        return canWait;
    }

    // The kernel bounds how many can be watched (/proc/sys/fs/epoll/max_user_watches): what is beyond is visited in turn,
    // and tries again each time that it would be watched.
    private void Watch(MediaSocket socket)
    {
        if (_watched.Count < MaxWatched && LinuxSockets.TryWatch(_epoll, socket.Descriptor, (ulong)socket.Descriptor)) _watched.Add(socket.Descriptor, socket);
        else PutIntoWheel(socket);
    }

    private void PutIntoWheel(MediaSocket socket)
    {
        socket.EmptyVisits = 0;
        if (_wheel.Count == 0) _nextTurn = _clock.Now + SweepWheel.Step;
        _wheel.Add(socket);
    }

    private void TakeWake()
    {
        ulong value;
        _ = LinuxSockets.EventRead(_wake, &value);

        // Not before: a wake between the two would be read away, and leave a mark that keeps every later one from being written.
        // What is waited for was there before its wake, and is looked at after this.
        Interlocked.Exchange(ref _isWoken, 0);
    }

    // Rounded up: a wait that ends too early is followed by another for nothing.
    private static int ToMilliseconds(TimeSpan limit) => limit <= TimeSpan.Zero ? 0 : (int)Math.Min(Math.Ceiling(limit.TotalMilliseconds), int.MaxValue);
}
