using System.Buffers;
using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Security.Authentication;
using Microsoft.Extensions.Logging;
using SipNat.Server.Transport;
using SipNat.Wire;

namespace SipNat.Server.MediaEngine;

/// <summary>
/// The connections by which one media thread reaches TURN servers over TCP and TLS. The thread never waits for one: it
/// opens, sends and closes by queues, and asks <see cref="TryTake"/> for what happened.
/// </summary>
/// <remarks>
/// All methods but <see cref="DisposeAsync"/> are for one thread. What finds no room in a queue is dropped and counted,
/// as a network would drop it, but never a part of a message.
/// </remarks>
public sealed partial class TurnConnections : IFlowSink, IAsyncDisposable
{
    /// <summary>Connections at one time; one more is refused.</summary>
    public const int MaxConnections = 8192;

    /// <summary>Messages that wait for the thread, of all connections together: what comes in half a second and more.</summary>
    public const int MaxQueuedMessages = 16_384;

    // What an allocation asks for at once: more than one Allocate is a mistake of the caller.
    private const int MaxWaiting = 16;

    // Two seconds of G.711 both ways for one connection: what is older is of no use to anybody.
    private const int MaxQueuedBytes = 64 * 1024;

    private readonly TransportLimits _limits;
    private readonly ConnectionOptions _options;
    private readonly ILogger _log;
    private readonly ConcurrentQueue<TurnConnectionEvent> _events = new();
    private readonly Dictionary<FlowId, Running> _running = [];
    private readonly CancellationTokenSource _stop = new();
    private int _queued;
    private long _sendsDropped;
    private long _receivesDropped;

    /// <param name="trust">Who may vouch for the servers.</param>
    /// <param name="connectTimeout">How long a connection may take to be made, TLS included.</param>
    public TurnConnections(TlsTrust trust, TimeSpan connectTimeout, ILogger<TurnConnections> log)
    {
        _limits = new() { ConnectTimeout = connectTimeout, MaxQueuedBytes = MaxQueuedBytes };
        _options = new() { Framing = StreamFraming.Turn, DropsWhenFull = true, Trust = trust };
        _log = log;
    }

    /// <summary>Told that there is something to take, from any thread.</summary>
    public Action? Arrived { get; set; }

    /// <summary>Connections that are open or being made.</summary>
    public int Count => _running.Count;

    /// <summary>Messages that found no room in the queue of their connection, or no connection.</summary>
    public long SendsDropped => Interlocked.Read(ref _sendsDropped);

    /// <summary>Messages of servers that found no room in the queue to the thread.</summary>
    public long ReceivesDropped => Interlocked.Read(ref _receivesDropped);

    /// <summary>
    /// Begins a connection; <see cref="TryTake"/> tells of its opening, or of its end. False past
    /// <see cref="MaxConnections"/>, and where the transport is TLS and no name is given: then nothing happens.
    /// </summary>
    /// <param name="flow">Its number, never used before.</param>
    /// <param name="transport">TCP or TLS.</param>
    /// <param name="local">The address to go out from, any port; none leaves it to the kernel.</param>
    /// <param name="server">Where to.</param>
    /// <param name="tlsName">What the server's certificate has to be made out to.</param>
    public bool Open(FlowId flow, TransportProtocol transport, TransportAddress local, TransportAddress server, string? tlsName)
    {
        if (_running.Count >= MaxConnections || transport is not (TransportProtocol.Tcp or TransportProtocol.Tls)) return false;
        if (transport is TransportProtocol.Tls && tlsName is null) return false;

        var running = new Running(flow, transport, local, server, transport is TransportProtocol.Tls ? tlsName : null, _stop.Token);
        _running.Add(flow, running);
        running.Task = RunAsync(running);
        return true;
    }

    /// <summary>
    /// Queues one whole message; the first ones may come before the connection has opened. False where its queue is full,
    /// or there is none.
    /// </summary>
    public bool TrySend(FlowId flow, ReadOnlySpan<byte> message)
    {
        if (_running.TryGetValue(flow, out var running) && running.TrySend(message)) return true;

        Interlocked.Increment(ref _sendsDropped);
        return false;
    }

    /// <summary>Ends a connection; what is queued is still sent. Its <see cref="TurnConnectionEventKind.Closed"/> follows.</summary>
    public void Close(FlowId flow)
    {
        if (_running.TryGetValue(flow, out var running)) running.Close();
    }

    /// <summary>Takes what happened next, in order for each connection. What is taken is owed a <see cref="Release"/>.</summary>
    public bool TryTake(out TurnConnectionEvent happened)
    {
        if (!_events.TryDequeue(out happened)) return false;

        if (happened.Kind is TurnConnectionEventKind.Received) Interlocked.Decrement(ref _queued);
        else if (happened.Kind is TurnConnectionEventKind.Closed && _running.Remove(happened.Flow, out var running)) running.Dispose();
        return true;
    }

    /// <summary>Gives a message's bytes back, once.</summary>
    public void Release(in TurnConnectionEvent happened)
    {
        if (happened.Buffer is { } buffer) ArrayPool<byte>.Shared.Return(buffer);
    }

    /// <summary>Ends every connection and waits for them; the thread is gone by then.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_running.Values.Select(static running => running.Task));
        foreach (var running in _running.Values) running.Dispose();
        _stop.Dispose();
    }

    void IFlowSink.Receive(FlowId flow, TransportAddress from, ReadOnlySpan<byte> message)
    {
        if (Interlocked.Increment(ref _queued) > MaxQueuedMessages)
        {
            Interlocked.Decrement(ref _queued);
            Interlocked.Increment(ref _receivesDropped);
            return;
        }

        var buffer = ArrayPool<byte>.Shared.Rent(message.Length);
        message.CopyTo(buffer);
        Tell(new(flow, buffer, message.Length));
    }

    private void Tell(in TurnConnectionEvent happened)
    {
        _events.Enqueue(happened);
        Arrived?.Invoke();
    }

    private async Task RunAsync(Running running)
    {
        // Nothing of it happens on the caller's thread.
        await Task.Yield();
        var change = new FlowChange(FlowChangeKind.Refused, running.Transport, default, running.Server);
        var end = TurnConnectionEnd.NotReached;
        try
        {
            using var connection = await ConnectAsync(running);
            using var flow = new TcpFlow(running.Id, connection, _limits, _options);
            change = new(FlowChangeKind.Closed, running.Transport, flow.Local, flow.Remote);
            end = await CarryAsync(running, flow);
        }
        catch (AuthenticationException error)
        {
            end = TurnConnectionEnd.CertificateRefused;
            LogCertificate(_log, running.Server, running.TlsName!, error.Message);
        }
        catch (OperationCanceledException) when (running.Stopping.IsCancellationRequested)
        {
            end = TurnConnectionEnd.ByUs;
        }
        catch (Exception error) when (error is SocketException or IOException or OperationCanceledException)
        {
            LogNotReached(_log, running.Server, running.Transport, error.Message);
        }

        Tell(new(running.Id, change, end));
    }

    private async Task<TurnConnectionEnd> CarryAsync(Running running, TcpFlow flow)
    {
        Tell(new(running.Id, new(FlowChangeKind.Opened, running.Transport, flow.Local, flow.Remote), TurnConnectionEnd.None));
        running.HandleOpened(flow);
        try
        {
            return EndOf(await flow.RunAsync(this, running.Stopping));
        }
        finally
        {
            running.HandleEnded();
        }
    }

    private async Task<Connection> ConnectAsync(Running running)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(running.Stopping);
        deadline.CancelAfter(_limits.ConnectTimeout);
        return running.TlsName is { } name
            ? await Connection.MakeAsync(running.Local, running.Server, ServerCheck.Of(_options, name), deadline.Token)
            : await Connection.MakeAsync(running.Local, running.Server, deadline.Token);
    }

    private static TurnConnectionEnd EndOf(TcpFlowEnd end) => end switch
    {
        TcpFlowEnd.ByUs => TurnConnectionEnd.ByUs,
        TcpFlowEnd.ByPeer => TurnConnectionEnd.ByServer,
        TcpFlowEnd.NotFramed => TurnConnectionEnd.NotTurn,
        TcpFlowEnd.TooSlow => TurnConnectionEnd.TooSlow,
        _ => TurnConnectionEnd.Broken,
    };

    [LoggerMessage(LogLevel.Warning, "TURN server {Server} cannot be trusted to be {Name}: {Reason}")]
    private static partial void LogCertificate(ILogger logger, TransportAddress server, string name, string reason);

    [LoggerMessage(LogLevel.Debug, "TURN server {Server} cannot be reached over {Transport}: {Reason}")]
    private static partial void LogNotReached(ILogger logger, TransportAddress server, TransportProtocol transport, string reason);

    private sealed class Running : IDisposable
    {
        private readonly CancellationTokenSource _stop;
        private readonly Lock _gate = new();
        private readonly Queue<byte[]> _waiting = new();

        // Null before it opens and after it has ended. The lock keeps it from being disposed while it is used.
        private TcpFlow? _flow;
        private bool _hasEnded;

        public Running(FlowId id, TransportProtocol transport, TransportAddress local, TransportAddress server, string? tlsName, CancellationToken stop)
        {
            (Id, Transport, Local, Server, TlsName) = (id, transport, local, server, tlsName);
            _stop = CancellationTokenSource.CreateLinkedTokenSource(stop);
            Stopping = _stop.Token;
        }

        public FlowId Id { get; }

        public TransportProtocol Transport { get; }

        public TransportAddress Local { get; }

        public TransportAddress Server { get; }

        public string? TlsName { get; }

        public CancellationToken Stopping { get; }

        public Task Task { get; set; } = Task.CompletedTask;

        public bool TrySend(ReadOnlySpan<byte> message)
        {
            lock (_gate)
            {
                if (_flow is { } open) return open.Send(Server, message) is SendOutcome.Sent;
                if (_hasEnded || _waiting.Count == MaxWaiting) return false;

                _waiting.Enqueue(message.ToArray());
                return true;
            }
        }

        public void HandleOpened(TcpFlow flow)
        {
            lock (_gate)
            {
                _flow = flow;
                while (_waiting.TryDequeue(out var message)) flow.Send(Server, message);
            }
        }

        public void HandleEnded()
        {
            lock (_gate) (_flow, _hasEnded) = (null, true);
        }

        // Not Cancel: its callbacks would run on the caller's thread.
        public void Close()
        {
            lock (_gate)
            {
                if (_flow is { } open) open.Close();
                else _stop.CancelAfter(TimeSpan.Zero);
            }
        }

        public void Dispose() => _stop.Dispose();
    }
}
