using System.Collections.Concurrent;
using System.Diagnostics;
using SipNat.Endpoint.Calls;
using SipNat.Server.Hosting;
using SipNat.Server.Transport;
using SipNat.Wire;

namespace SipNat.Server.MediaEngine;

/// <summary>
/// The thread that owns a <see cref="MediaPlane"/> and its sockets. It visits every socket every few milliseconds,
/// hands over what is there, and drains the plane after each input. Others reach it through bounded queues only.
/// </summary>
public sealed class PollingEngine : IDisposable
{
    private const int MaxDatagram = 2048;
    private const int MaxQueuedInputs = 65_536;

    // Messages to a connection that is being made: the request of an allocation, and the end of one.
    private const int MaxUnsent = 8;

    // So many datagrams are taken from one socket before the next has its turn.
    private const int MaxPerVisit = 64;
    private static readonly TimeSpan SweepInterval = TimeSpan.FromMilliseconds(5);

    private readonly MediaPlane _plane;
    private readonly ServerClock _clock;
    private readonly FlowIds _flowIds;
    private readonly MediaPortAllocator _ports;
    private readonly TurnConnections _connections;
    private readonly Action<MediaEvent> _onEvent;
    private readonly Action<RecordingWrite> _onWrite;
    private readonly Action<CapturedAudio>? _onCapture;
    private readonly ConcurrentQueue<Action<Instant>> _inputs = new();
    private readonly AutoResetEvent _wake = new(false);
    private readonly Dictionary<FlowId, MediaSocket> _sockets = [];
    private readonly List<MediaSocket> _sweep = [];
    private readonly Dictionary<FlowId, List<byte[]>> _unsent = [];
    private readonly byte[] _buffer = new byte[MaxDatagram];
    private readonly Thread _thread;
    private int _queued;
    private volatile bool _stopping;

    /// <param name="connections">To TURN servers; this thread is the one that they are for.</param>
    /// <param name="onEvent">Called on the engine's thread; must not block.</param>
    /// <param name="onWrite">Called on the engine's thread; must not block. It owns the buffer from then on.</param>
    /// <param name="onCapture">The same for the audio of calls that are captured; it releases what it is given.</param>
    public PollingEngine(
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
        _thread = new Thread(Run) { Name = "media", IsBackground = true, Priority = ThreadPriority.AboveNormal };
    }

    /// <summary>Sockets that are open.</summary>
    public int Sockets { get; private set; }

    /// <summary>Datagrams received since the start.</summary>
    public long Received { get; private set; }

    /// <summary>Datagrams sent since the start.</summary>
    public long Sent { get; private set; }

    /// <summary>Datagrams that the kernel refused to send.</summary>
    public long SendsFailed { get; private set; }

    /// <summary>The longest time between two visits of the sockets since the start, in milliseconds.</summary>
    public double LongestSweepMilliseconds { get; private set; }

    public void Start() => _thread.Start();

    /// <summary>Runs an input on the engine's thread. False when the queue is full.</summary>
    public bool TryPost(Action<Instant> input)
    {
        if (Interlocked.Increment(ref _queued) > MaxQueuedInputs)
        {
            Interlocked.Decrement(ref _queued);
            return false;
        }

        _inputs.Enqueue(input);
        _wake.Set();
        return true;
    }

    public bool TryPost(MediaCommand command) => TryPost(now =>
    {
        // What came before the end of a session is still in the sockets: it belongs to the recording.
        if (command is MediaCommand.Close) Sweep();
        _plane.HandleCommand(now, command);
    });

    private void Run()
    {
        var last = Stopwatch.GetTimestamp();
        while (!_stopping)
        {
            RunInputs();
            Sweep();
            TakeFromConnections();
            if (_plane.Deadline is { } due && due <= _clock.Now)
            {
                _plane.HandleTimeout(_clock.Now);
                Drain();
            }

            _wake.WaitOne(SweepInterval);
            var passed = Stopwatch.GetElapsedTime(last).TotalMilliseconds;
            if (passed > LongestSweepMilliseconds) LongestSweepMilliseconds = passed;
            last = Stopwatch.GetTimestamp();
        }

        foreach (var socket in _sweep) socket.Dispose();
    }

    private void RunInputs()
    {
        while (_inputs.TryDequeue(out var input))
        {
            Interlocked.Decrement(ref _queued);
            input(_clock.Now);
            Drain();
        }
    }

    private void Sweep()
    {
        for (var i = 0; i < _sweep.Count; i++)
        {
            var socket = _sweep[i];
            for (var taken = 0; taken < MaxPerVisit && socket.TryReceive(_buffer, out var length, out var from); taken++)
            {
                Received++;
                var now = _clock.Now;
                _plane.HandleDatagram(now, now, socket.Flow, from, _buffer.AsSpan(0, length));
                Drain();
            }
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

        if (_sockets.TryGetValue(transmit.Flow, out var socket) && socket.TrySend(transmit.Destination, transmit.Payload))
        {
            Sent++;
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
        var local = TransportAddress.From((System.Net.IPEndPoint)socket.LocalEndPoint!);
        var added = new MediaSocket(_flowIds.Next(), socket, local);
        _sockets.Add(added.Flow, added);
        _sweep.Add(added);
        Sockets = _sweep.Count;
        return added;
    }

    private void Remove(FlowId flow)
    {
        if (!_sockets.Remove(flow, out var socket)) return;

        _sweep.Remove(socket);
        socket.Dispose();
        Sockets = _sweep.Count;
    }

    /// <summary>Ends the thread and closes every socket.</summary>
    public void Dispose()
    {
        _stopping = true;
        _wake.Set();
        if (_thread.IsAlive) _thread.Join();
        _wake.Dispose();
    }
}
