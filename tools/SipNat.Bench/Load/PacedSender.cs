using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Runtime.InteropServices;

namespace SipNat.Bench.Load;

/// <summary>
/// One thread that sends a frame of every stream each 20 ms. The 20 ms are cut into slots of one, so that the packets of
/// many streams come evenly; the time of every slot is computed from the start, so that the pace does not drift.
/// </summary>
internal sealed partial class PacedSender : IDisposable
{
    private const int Slots = 20;
    private const int SlotsPerDrain = 100;

    // PRIO_PROCESS, which of a thread's number is that thread alone.
    private const int OneThread = 0;
    private const int SenderNice = -15;
    private static readonly TimeSpan SlotTime = TimeSpan.FromMilliseconds(1);

    private readonly IPAddress _local;
    private readonly List<SendGroup>[] _slots = new List<SendGroup>[Slots];
    private readonly ConcurrentQueue<(SendGroup Group, LoadStream Stream)> _starting = new();
    private readonly Lock _gate = new();
    private readonly Thread _thread;
    private long _packets;
    private double _latest;
    private volatile bool _stopped;

    public PacedSender(IPAddress local)
    {
        _local = local;
        for (var i = 0; i < Slots; i++) _slots[i] = [];
        _thread = new Thread(Run) { Name = "sender", IsBackground = true, Priority = ThreadPriority.AboveNormal };
        _thread.Start();
    }

    /// <summary>Packets sent so far.</summary>
    public long Packets => Volatile.Read(ref _packets);

    /// <summary>The worst delay of a slot behind its time, in milliseconds.</summary>
    public double LatestMilliseconds => Volatile.Read(ref _latest);

    public long NotSent => Groups.Sum(group => group.NotSent);

    public long Received => Groups.Sum(group => group.Received);

    /// <summary>The socket that the next stream will be sent from; slots and sockets are filled evenly.</summary>
    public SendGroup Reserve()
    {
        lock (_gate)
        {
            var slot = _slots.MinBy(static groups => groups.Sum(static group => group.Reserved))!;
            var group = slot.Find(static group => group.Reserved < SendGroup.MaxStreams);
            if (group is null) slot.Add(group = new(_local));
            group.Reserved++;
            return group;
        }
    }

    /// <summary>Gives the place of a stream back that is over, or was never started.</summary>
    public void Release(SendGroup group)
    {
        lock (_gate) group.Reserved--;
    }

    /// <summary>From here on the stream's frames are sent.</summary>
    public void Start(SendGroup group, LoadStream stream) => _starting.Enqueue((group, stream));

    public void Dispose()
    {
        _stopped = true;
        _thread.Join();
        foreach (var group in Groups) group.Dispose();
    }

    private List<SendGroup> Groups
    {
        get
        {
            lock (_gate) return [.. _slots.SelectMany(slot => slot)];
        }
    }

    private void Run()
    {
        // Before the thread that speaks SIP, where the two share a core; where that is not allowed, they take turns.
        _ = SetPriority(OneThread, GetThreadId(), SenderNice);
        var clock = Stopwatch.StartNew();
        for (var tick = 0L; !_stopped; tick++)
        {
            Wait(clock, tick * SlotTime);
            while (_starting.TryDequeue(out var starting)) starting.Group.Add(starting.Stream);

            var packets = 0;
            foreach (var group in GroupsOf((int)(tick % Slots))) packets += group.SendFrames();
            Volatile.Write(ref _packets, _packets + packets);
            if (tick % SlotsPerDrain == 0) Groups.ForEach(group => group.Drain());
        }
    }

    private void Wait(Stopwatch clock, TimeSpan due)
    {
        var early = due - clock.Elapsed;
        if (early > TimeSpan.Zero) Thread.Sleep(early);
        else if (-early.TotalMilliseconds > _latest) Volatile.Write(ref _latest, -early.TotalMilliseconds);
    }

    private SendGroup[] GroupsOf(int slot)
    {
        lock (_gate) return [.. _slots[slot]];
    }

    [LibraryImport("libc", EntryPoint = "setpriority")]
    private static partial int SetPriority(int kind, int id, int nice);

    [LibraryImport("libc", EntryPoint = "gettid")]
    private static partial int GetThreadId();
}
