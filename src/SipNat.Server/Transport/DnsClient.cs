using System.Net.Sockets;
using SipNat.Endpoint.Dns;
using SipNat.Server.Hosting;
using SipNat.Wire;

namespace SipNat.Server.Transport;

/// <summary>
/// Gives a <see cref="DnsResolver"/> its sockets, its clock and its lock: each query a socket of its own on a port that
/// the system draws. Thread safe.
/// </summary>
public sealed class DnsClient : IFlowSink, IAsyncDisposable
{
    private const int MaxDatagram = 4096;
    private static readonly TimeSpan LongestWait = TimeSpan.FromDays(1);
    private static readonly TransportLimits Limits = new();
    private static readonly ConnectionOptions Framing = new() { Framing = StreamFraming.Dns };

    private readonly ServerClock _clock = new(TimeProvider.System);
    private readonly FlowIds _ids = new();
    private readonly SecureRandom _random = new();
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Dictionary<FlowId, Flow> _flows = [];
    private readonly List<Task> _running = [];
    private readonly Dictionary<int, TaskCompletionSource<DnsResult>> _waiting = [];
    private readonly DnsResolver _resolver;
    private readonly ITimer _timer;

    public DnsClient(DnsResolverOptions options)
    {
        _resolver = new(options, _random);
        _timer = TimeProvider.System.CreateTimer(_ => Do(_resolver.HandleTimeout), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Asks other servers from now on; what was learned from the ones before is forgotten.</summary>
    public void Configure(DnsResolverOptions options) => Do(_ => _resolver.Configure(options));

    /// <summary>For how long the answers hold that a lookup of this client was given; null where nothing was asked.</summary>
    public TimeSpan? LifetimeOf(ServerLookup lookup) => lookup.ExpiresAt is not { } until ? null : until > _clock.Now ? until - _clock.Now : TimeSpan.Zero;

    /// <summary>Asks for the records of a name; <see cref="DnsResolver"/> says how long that may take.</summary>
    public async Task<DnsResult> AskAsync(string name, DnsType type, CancellationToken stop)
    {
        var done = new TaskCompletionSource<DnsResult>(TaskCreationOptions.RunContinuationsAsynchronously);
        Do(now => _waiting.Add(_resolver.Resolve(now, name, type), done));
        return await done.Task.WaitAsync(stop);
    }

    /// <summary>Asks what a lookup wants to know until it is done.</summary>
    public async Task<IReadOnlyList<LocatedServer>> LocateAsync(ServerLookup lookup, CancellationToken stop)
    {
        while (!lookup.IsDone)
        {
            var asked = new List<(DnsQuestion Question, Task<DnsResult> Answer)>();
            // Absolute, unless it is a single word: what is a service's name is not to be looked for in search domains.
            while (lookup.TryTakeQuestion(out var question)) asked.Add((question, AskAsync(question.Name.Contains('.') ? $"{question.Name}." : question.Name, question.Type, stop)));
            foreach (var (question, answer) in asked) lookup.Handle(question, await answer);
        }

        return lookup.Servers;
    }

    public async ValueTask DisposeAsync()
    {
        await _timer.DisposeAsync();
        await _stop.CancelAsync();
        Task[] running;
        lock (_gate) running = [.. _running];
        await Task.WhenAll(running);
        foreach (var waiting in _waiting.Values) waiting.TrySetCanceled();
        _stop.Dispose();
    }

    void IFlowSink.Receive(FlowId flow, TransportAddress from, ReadOnlySpan<byte> message) => Receive(flow, from, message);

    private void Receive(FlowId flow, TransportAddress from, ReadOnlySpan<byte> message)
    {
        lock (_gate)
        {
            _resolver.HandleDatagram(_clock.Now, flow, from, message);
            Drain();
        }
    }

    private void Do(Action<Instant> input)
    {
        lock (_gate)
        {
            input(_clock.Now);
            Drain();
        }
    }

    private void Drain()
    {
        while (_resolver.Outbox.TryTake(out var transmit))
        {
            if (_flows.TryGetValue(transmit.Flow, out var flow)) flow.Send(transmit.Payload);
            _resolver.Outbox.Release(transmit);
        }

        while (_resolver.TryTakeRequest(out var request))
        {
            if (request.Kind is FlowRequestKind.Connect) Connect(request);
            else if (_flows.Remove(request.Flow, out var flow)) flow.Close();
        }

        while (_resolver.TryTakeResult(out var result))
        {
            if (_waiting.Remove(result.Query, out var waiting)) waiting.SetResult(result);
        }

        Arm();
    }

    // Whole milliseconds, rounded up: a timer that fires just before its deadline would fire again and again.
    private void Arm()
    {
        if (_resolver.Deadline is not { } deadline || _stop.IsCancellationRequested)
        {
            _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            return;
        }

        var wait = deadline - _clock.Now;
        if (wait > LongestWait) wait = LongestWait;
        _timer.Change(TimeSpan.FromMilliseconds(wait <= TimeSpan.Zero ? 0 : Math.Ceiling(wait.TotalMilliseconds)), Timeout.InfiniteTimeSpan);
    }

    private void Connect(FlowRequest request)
    {
        _running.RemoveAll(static task => task.IsCompleted);
        if (!_stop.IsCancellationRequested) _running.Add(CarryAsync(_ids.Next(), request));
    }

    private async Task CarryAsync(FlowId id, FlowRequest request)
    {
        // The attempt does not begin under the lock of the caller.
        await Task.Yield();
        var end = FlowChangeKind.Refused;
        try
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
            if (request.Transport is TransportProtocol.Udp)
            {
                using var socket = new Socket(request.Remote.Family, SocketType.Dgram, ProtocolType.Udp);
                // Connected: the system draws a port, and drops what others send to it.
                await socket.ConnectAsync(request.Remote.ToIPEndPoint(), stop.Token);
                end = FlowChangeKind.Closed;
                await CarryUdpAsync(id, request.Remote, socket, stop);
            }
            else
            {
                using var connection = await Connection.MakeAsync(default, request.Remote, stop.Token);
                end = FlowChangeKind.Closed;
                await CarryTcpAsync(id, request.Remote, connection, stop);
            }
        }
        catch (Exception error) when (error is SocketException or OperationCanceledException)
        {
            // Nobody there, no route, or closed by the resolver, which is told in any case.
        }

        Do(now =>
        {
            _flows.Remove(id);
            _resolver.HandleFlow(now, id, new(end, request.Transport, default, request.Remote));
        });
    }

    private async Task CarryUdpAsync(FlowId id, TransportAddress server, Socket socket, CancellationTokenSource stop)
    {
        Open(id, new(message => socket.Send(message, SocketFlags.None, out _), stop), TransportProtocol.Udp, server);
        var buffer = new byte[MaxDatagram];
        while (true)
        {
            var length = await socket.ReceiveAsync(buffer.AsMemory(), SocketFlags.None, stop.Token);
            Receive(id, server, buffer.AsSpan(0, length));
        }
    }

    private async Task CarryTcpAsync(FlowId id, TransportAddress server, Connection connection, CancellationTokenSource stop)
    {
        using var flow = new TcpFlow(id, connection, Limits, Framing);
        Open(id, new(message => flow.Send(server, message), stop), TransportProtocol.Tcp, server);
        await flow.RunAsync(this, stop.Token);
    }

    private void Open(FlowId id, Flow flow, TransportProtocol transport, TransportAddress server) => Do(now =>
    {
        _flows.Add(id, flow);
        _resolver.HandleFlow(now, id, new(FlowChangeKind.Opened, transport, default, server));
    });

    private delegate void Send(ReadOnlySpan<byte> message);

    private sealed record Flow(Send Send, CancellationTokenSource Stop)
    {
        // Not Cancel: its callbacks would run under the lock.
        public void Close() => Stop.CancelAfter(TimeSpan.Zero);
    }
}
