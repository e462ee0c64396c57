using System.Collections.Concurrent;
using System.Diagnostics;
using SipNat.Endpoint;
using SipNat.Endpoint.Media;
using SipNat.Server.Hosting;
using SipNat.Server.Tracing;
using SipNat.Server.Transport;
using SipNat.Wire;

namespace SipNat.Server.MediaEngine;

/// <summary>
/// The thread that owns a <see cref="MediaPlane"/>, its sockets and its connections. It hands over what arrives and drains
/// the plane after each input. Others reach it through bounded queues only.
/// </summary>
public sealed class MediaThread : IMediaReceiver, IAsyncDisposable
{
    private const int MaxQueuedInputs = 65_536;

    // Messages to a connection that is being made: the request of an allocation, and the end of one.
    private const int MaxUnsent = 8;

    // With nothing due it looks round all the same.
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(1);

    private readonly MediaPlane _plane;
    private readonly ServerClock _clock;
    private readonly FlowIds _flowIds;
    private readonly MediaPortAllocator _ports;
    private readonly TurnConnections _connections;
    private readonly Action<MediaEvent> _onEvent;
    private readonly Action<RecordingWrite> _onWrite;
    private readonly Action<CapturedAudio>? _onCapture;
    private readonly ConcurrentQueue<Action<Instant, MediaPlane>> _inputs = new();
    private readonly IMediaSockets _sockets;
    private readonly Dictionary<FlowId, MediaSocket> _byFlow = [];
    private readonly Dictionary<FlowId, List<byte[]>> _unsent = [];
    private readonly Thread _thread;
    private int _queued;
    private long _latest;
    private long _slowest;
    private long _cpuTicks;
    private bool _hasCpuTime;
    private long _cpuReadAt;
    private volatile bool _stopping;

    /// <param name="kind">How its sockets are looked after.</param>
    /// <param name="connections">To TURN servers; this thread is the one that they are for, and ends them.</param>
    /// <param name="onEvent">Called on the engine's thread; must not block.</param>
    /// <param name="onWrite">Called on the engine's thread; must not block. It owns the buffer from then on.</param>
    /// <param name="onCapture">The same for the audio of calls that are captured; it releases what it is given.</param>
    public MediaThread(
        MediaEngineKind kind,
        MediaPlane plane,
        ServerClock clock,
        FlowIds flowIds,
        MediaPortAllocator ports,
        TurnConnections connections,
        Action<MediaEvent> onEvent,
        Action<RecordingWrite> onWrite,
        Action<CapturedAudio>? onCapture = null)
    {
        (_plane, _clock, _flowIds, _ports) = (plane, clock, flowIds, ports);
        _connections = connections;
        (_onEvent, _onWrite, _onCapture) = (onEvent, onWrite, onCapture);
        _sockets = kind is MediaEngineKind.Auto && EpollSockets.IsSupported ? new EpollSockets(this, clock) : new PolledSockets(this, clock);
        connections.Arrived = _sockets.Wake;
        _thread = new Thread(Run) { Name = "media", IsBackground = true, Priority = ThreadPriority.AboveNormal };
    }

    /// <summary>Shows every datagram of the media sockets; null where nobody looks. Connections to TURN servers are not in it.</summary>
    internal PacketTrace? Trace { get; init; }

    /// <summary>Sockets that are open.</summary>
    public int Sockets => _sockets.Count;

    /// <summary>Those of them that are visited in turn, as they carry a steady recording.</summary>
    public int Swept => _sockets.Swept;

    /// <summary>Inputs that wait for the thread.</summary>
    public int Queued => Volatile.Read(ref _queued);

    /// <summary>Datagrams that came while their socket's queue was full, as far as the system tells.</summary>
    public long Overflowed => _sockets.Overflowed;

    /// <summary>What the thread has run on a core; null where the system does not tell.</summary>
    public TimeSpan? CpuTime => _hasCpuTime ? TimeSpan.FromTicks(Volatile.Read(ref _cpuTicks)) : null;

    /// <summary>Datagrams received since the start.</summary>
    public long Received { get; private set; }

    /// <summary>Datagrams sent since the start.</summary>
    public long Sent { get; private set; }

    /// <summary>Datagrams that the kernel refused to send.</summary>
    public long SendsFailed { get; private set; }

    /// <summary>Datagrams that belonged to no session.</summary>
    public long Unowned => _plane.Unowned;

    /// <summary>Mappings that the NAT let end between two packets that were to keep them.</summary>
    public long MappingsEnded => _plane.MappingsEnded;

    /// <summary>Sessions that are open.</summary>
    public int Sessions => _plane.Sessions;

    /// <summary>The longest time from one look at the sockets to the next, beyond what was meant to be waited, since this was last asked.</summary>
    public TimeSpan TakeLateness() => TimeSpan.FromTicks(Interlocked.Exchange(ref _latest, 0));

    /// <summary>The same for whoever decides on new sessions, and asks in intervals of its own.</summary>
    internal TimeSpan TakeDelay() => TimeSpan.FromTicks(Interlocked.Exchange(ref _slowest, 0));

    /// <summary>Whether a session is open; for the thread itself.</summary>
    internal bool Has(SessionId session) => _plane.Has(session);

    public void Start() => _thread.Start();

    /// <summary>Runs an input on the engine's thread. False when the queue is full.</summary>
    public bool TryPost(Action<Instant, MediaPlane> input)
    {
        if (Interlocked.Increment(ref _queued) > MaxQueuedInputs)
        {
            Interlocked.Decrement(ref _queued);
            return false;
        }

        _inputs.Enqueue(input);
        _sockets.Wake();
        return true;
    }

    public bool TryPost(MediaCommand command) => TryPost((now, plane) =>
    {
        // What came before the end of a session is still in its sockets: it belongs to the recording.
        if (command is MediaCommand.Close) DrainSockets(command.Session);
        plane.HandleCommand(now, command);
    });

    bool IMediaReceiver.Handle(MediaSocket socket, ReadOnlySpan<ReceivedDatagram> received, ReadOnlySpan<byte> bytes)
    {
        Received += received.Length;
        if (Trace is { } trace)
        {
            foreach (ref readonly var datagram in received) trace.TakeMedia(datagram.Arrival, datagram.From, socket.Local, bytes.Slice(datagram.Offset, datagram.Length));
        }

        _plane.HandleBatch(_clock.Now, socket.Flow, received, bytes, isVisited: socket.Slice >= 0);
        Drain();
        return _plane.CanWait(socket.Flow);
    }

    void IMediaReceiver.HandleIcmp(MediaSocket socket, in IcmpError error, ReadOnlySpan<byte> quoted)
    {
        _plane.HandleIcmp(_clock.Now, socket.Flow, error, quoted);
        Drain();
    }

    private void Run()
    {
        while (!_stopping)
        {
            RunInputs();
            TakeFromConnections();
            var now = _clock.Now;
            if (_plane.Deadline <= now)
            {
                _plane.HandleTimeout(now);
                Drain();
            }

            var wait = _queued > 0 ? TimeSpan.Zero : _plane.Deadline - now is { } due && due < LongestWait ? due : LongestWait;
            var began = Stopwatch.GetTimestamp();
            _sockets.Receive(wait);
            NoteLateness(Stopwatch.GetElapsedTime(began) - wait);
            NoteCpuTime(began);
        }

        _sockets.Dispose();
    }

    private void NoteLateness(TimeSpan late)
    {
        if (late.Ticks > Volatile.Read(ref _latest)) Volatile.Write(ref _latest, late.Ticks);
        if (late.Ticks > Volatile.Read(ref _slowest)) Volatile.Write(ref _slowest, late.Ticks);
    }

    // The clock of a thread can be read by itself alone: once a second it says what it has run.
    private unsafe void NoteCpuTime(long now)
    {
        if (!OperatingSystem.IsLinux() || Stopwatch.GetElapsedTime(_cpuReadAt, now) < LongestWait) return;

        LinuxSockets.TimeSpec time;
        _cpuReadAt = now;
        _hasCpuTime = LinuxSockets.ClockGetTime(LinuxSockets.ThreadClock, &time) == 0;
        Volatile.Write(ref _cpuTicks, (time.Seconds * TimeSpan.TicksPerSecond) + (time.Nanoseconds / TimeSpan.NanosecondsPerTick));
    }

    private void DrainSockets(SessionId session)
    {
        foreach (var flow in _plane.FlowsOf(session))
        {
            if (_byFlow.TryGetValue(flow, out var socket)) _sockets.Drain(socket);
        }
    }

    private void RunInputs()
    {
        while (_inputs.TryDequeue(out var input))
        {
            Interlocked.Decrement(ref _queued);
            input(_clock.Now, _plane);
            Drain();
        }
    }

    private void TakeFromConnections()
    {
        while (_connections.TryTake(out var happened))
        {
            var now = _clock.Now;
            if (happened.Kind is TurnConnectionEventKind.Received)
            {
                Received++;
                _plane.HandleDatagram(now, now, happened.Flow, default, happened.Message);
            }
            else
            {
                if (_unsent.Remove(happened.Flow, out var waiting) && happened.Kind is TurnConnectionEventKind.Opened)
                {
                    foreach (var message in waiting) _connections.TrySend(happened.Flow, message);
                }

                _plane.HandleFlow(now, happened.Flow, happened.Change);
            }

            _connections.Release(happened);
            Drain();
        }
    }

    // Every input is followed by a full drain, so that nothing waits in the plane for the next input.
    private void Drain()
    {
        while (true)
        {
            while (_plane.TryTakeConnectionRequest(out var connection)) Serve(connection);
            while (_plane.Outbox.TryTake(out var transmit)) Send(transmit);
            while (_plane.TryTakeWrite(out var write)) _onWrite(write);
            while (_plane.TryTakeEvent(out var happened)) _onEvent(happened);
            while (_plane.TryTakeCapture(out var captured)) Hand(captured);
            if (!_plane.TryTakePortRequest(out var request)) return;

            Serve(request);
        }
    }

    private void Hand(CapturedAudio captured)
    {
        if (_onCapture is null) captured.Release();
        else _onCapture(captured);
    }

    private void Send(Transmit transmit)
    {
        if (transmit.Flow.Value < 0)
        {
            SendToConnection(transmit);
            _plane.Outbox.Release(transmit);
            return;
        }

        if (_byFlow.TryGetValue(transmit.Flow, out var socket) && socket.TrySend(transmit.Destination, transmit.Payload))
        {
            Sent++;
            Trace?.TakeMedia(_clock.Now, socket.Local, transmit.Destination, transmit.Payload);
        }
        else
        {
            SendsFailed++;
            _plane.HandleFlow(_clock.Now, transmit.Flow, new(FlowChangeKind.SendFailed, TransportProtocol.Udp, default, transmit.Destination));
        }

        _plane.Outbox.Release(transmit);
    }

    // A request that is made while its connection is: it would not be made again.
    private void SendToConnection(Transmit transmit)
    {
        if (!_unsent.TryGetValue(transmit.Flow, out var waiting)) _connections.TrySend(transmit.Flow, transmit.Payload);
        else if (waiting.Count < MaxUnsent) waiting.Add(transmit.Payload.ToArray());
    }

    private void Serve(MediaConnectionRequest request)
    {
        switch (request)
        {
            case MediaConnectionRequest.Connect(var flow, var transport, var local, var server, var name):
                if (_connections.Open(flow, transport, local, server, name)) _unsent.Add(flow, []);
                else _plane.HandleFlow(_clock.Now, flow, new(FlowChangeKind.Refused, transport, default, server));
                break;
            case MediaConnectionRequest.Disconnect(var flow):
                // The end of an allocation may be in the outbox still: it has to leave first.
                while (_plane.Outbox.TryTake(out var transmit)) Send(transmit);
                _unsent.Remove(flow);
                _connections.Close(flow);
                break;
            default:
                throw new UnreachableException();
        }
    }

    private void Serve(MediaPortRequest request)
    {
        switch (request)
        {
            case MediaPortRequest.Bind(var local):
                if (_ports.TryBind(local, out var reason) is { } pair)
                {
                    var rtp = Add(pair.Rtp);
                    var rtcp = Add(pair.Rtcp);
                    _plane.HandlePortBound(_clock.Now, new(rtp.Flow, rtp.Local, rtcp.Flow, rtcp.Local));
                }
                else
                {
                    _plane.HandlePortRefused(_clock.Now, local, reason);
                }

                break;
            case MediaPortRequest.Close(var flows):
                Remove(flows.Rtp);
                Remove(flows.Rtcp);
                _ports.Release(flows.LocalRtp);
                break;
            default:
                throw new UnreachableException();
        }
    }

    private MediaSocket Add(System.Net.Sockets.Socket socket)
    {
        var added = _sockets.Add(_flowIds.Next(), socket);
        _byFlow.Add(added.Flow, added);
        return added;
    }

    private void Remove(FlowId flow)
    {
        if (_byFlow.Remove(flow, out var socket)) _sockets.Remove(socket);
    }

    /// <summary>Ends the thread, and closes every socket and connection.</summary>
    public async ValueTask DisposeAsync()
    {
        _stopping = true;
        if (_thread.ThreadState.HasFlag(System.Threading.ThreadState.Unstarted))
        {
            _sockets.Dispose();
        }
        else
        {
            _sockets.Wake();
            _thread.Join();
        }

        await _connections.DisposeAsync();
    }
}
