using Microsoft.Extensions.Logging;
using SipNat.Server.Hosting;
using SipNat.Server.Tracing;
using SipNat.Wire;

namespace SipNat.Server.Transport;

/// <summary>
/// Gives one signalling core its sockets, its clock, its timer and its lock. Every input is followed by a full drain:
/// what the core wants sent is sent, what it asks for is begun, and the one timer is armed to its deadline.
/// </summary>
/// <remarks>
/// Everything that touches the core runs under the lock: datagrams, connections, the timer and <see cref="Post"/>.
/// A send never blocks, so that the lock is never held for a peer.
/// </remarks>
public sealed partial class CoreHost : IAsyncDisposable, IFlowSink
{
    // A core that answers each failed send with another one would keep the drain going for ever.
    private const int MaxDrainRounds = 16;

    // .NET refuses timers of 50 days and more; an early wake-up does no harm.
    private static readonly TimeSpan LongestWait = TimeSpan.FromDays(1);
    private static readonly TimeSpan WaitAfterFault = TimeSpan.FromSeconds(1);

    private readonly IProtocolCore _core;
    private readonly ServerClock _clock;
    private readonly ILogger _log;
    private readonly Lock _gate = new();
    private readonly ITimer _timer;
    private readonly Dictionary<FlowId, IFlow> _flows = [];
    private readonly Queue<(FlowId Flow, FlowChange Change)> _changes = new();
    private readonly TransportMetrics _metrics;
    private readonly TcpConnections _connections;
    private readonly TcpConnector _connector;
    private readonly SipListeners _listeners;
    private bool _isDraining;
    private bool _isStopped;

    /// <param name="core">The core; nothing else may touch it from here on, except inside <see cref="Post"/>.</param>
    /// <param name="clock">The process's clock.</param>
    /// <param name="flows">The process's flow numbers, shared with the media engine.</param>
    /// <param name="limits">Caps and timeouts of the connections.</param>
    /// <param name="logs">Where the loggers come from.</param>
    /// <param name="connections">What connections carry; SIP unless given.</param>
    /// <param name="meter">Under which name its counters stand.</param>
    public CoreHost(
        IProtocolCore core,
        ServerClock clock,
        FlowIds flows,
        TransportLimits limits,
        ILoggerFactory logs,
        ConnectionOptions? connections = null,
        string meter = TransportMetrics.MeterName)
    {
        (_core, _clock, _log) = (core, clock, logs.CreateLogger<CoreHost>());
        _metrics = new(meter);
        connections ??= new();
        _connections = new(this, flows, limits, connections, _metrics, logs);
        _connector = new(this, _connections, flows, limits, connections, logs.CreateLogger<TcpConnector>());
        _listeners = new(this, flows, _connections, clock.Time, logs);
        _timer = clock.Time.CreateTimer(_ => Tick(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>
    /// Runs under the lock after each drain: the place to take the core's commands and events. It may call the core;
    /// what that brings is drained as well. Set it before <see cref="Start"/>.
    /// </summary>
    public Action<Instant>? AfterDrain { get; set; }

    /// <summary>Shows every message that is sent and received; null where nobody looks.</summary>
    internal PacketTrace? Trace { get; init; }

    /// <summary>What is bound at the moment, with its real port; a wildcard UDP listener appears once per local address.</summary>
    public IReadOnlyList<SipListener> Bound => _listeners.Bound;

    /// <summary>
    /// Binds every listener and begins to receive; from here on wildcard listeners follow the machine's addresses.
    /// </summary>
    /// <exception cref="UnavailableException">A listener could not be bound; the message names it and says why.</exception>
    public void Start(IReadOnlyList<SipListener> listeners)
    {
        _listeners.Start(listeners);
        Tick();
    }

    /// <summary>Replaces <see cref="TransportLimits.AllowedNetworks"/> for connections from here on. Any thread.</summary>
    public void SetAllowedNetworks(IReadOnlyList<NetworkPrefix> allowed) => _connections.SetAllowedNetworks(allowed);

    /// <summary>Binds one more UDP socket, on a free port where it is 0; the core hears of it as of every flow.</summary>
    /// <exception cref="System.Net.Sockets.SocketException">The address is not this machine's, or the port is taken.</exception>
    public void OpenUdp(TransportAddress local) => _listeners.OpenUdp(local);

    /// <summary>Binds a UDP socket that hears a multicast group on a port; false where another program holds the port.</summary>
    public bool TryOpenGroup(TransportAddress group) => _listeners.TryOpenGroup(group);

    /// <summary>
    /// Runs an input on the core under the lock, with the time of that moment, and drains. From inside
    /// <see cref="AfterDrain"/> it runs at once and the drain in progress takes care of what it brings.
    /// </summary>
    public void Post(Action<Instant> input)
    {
        lock (_gate)
        {
            if (_isStopped) return;

            var now = _clock.Now;
            var isNested = _isDraining;
            try
            {
                input(now);
                if (!isNested) Drain(now);
            }
            catch (Exception fault) when (!isNested)
            {
                HandleFault(fault);
            }
        }
    }

    /// <summary>Closes every flow, waits for the loops and runs nothing afterwards.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            if (_isStopped) return;

            _isStopped = true;
        }

        await _timer.DisposeAsync();
        await _listeners.DisposeAsync();
        await _connector.DisposeAsync();
        _metrics.Dispose();
    }

    /// <summary>Where the machine's addresses come from; a test puts its own list here before <see cref="Start"/>.</summary>
    internal Func<IReadOnlyList<InterfaceAddress>> ReadAddresses
    {
        set => _listeners.ReadAddresses = value;
    }

    /// <summary>Looks at the machine's addresses at once instead of at the next interval.</summary>
    internal void FollowAddresses() => _listeners.Reconcile(static (_, _) => { });

    /// <summary>One datagram or framed message.</summary>
    internal void Receive(FlowId flow, TransportAddress from, ReadOnlySpan<byte> message)
    {
        lock (_gate)
        {
            if (_isStopped) return;

            var now = _clock.Now;
            if (Trace is not null && _flows.TryGetValue(flow, out var known)) Trace.TakeSignalling(now, known.Transport, from, known.Local, message);
            try
            {
                _core.HandleDatagram(now, flow, from, message);
                Drain(now);
            }
            catch (Exception fault)
            {
                HandleFault(fault);
            }
        }
    }

    void IFlowSink.Receive(FlowId flow, TransportAddress from, ReadOnlySpan<byte> message) => Receive(flow, from, message);

    internal void Opened(IFlow flow) => Change(flow, FlowChangeKind.Opened);

    internal void Closed(IFlow flow) => Change(flow, FlowChangeKind.Closed);

    internal void Refused(FlowId flow, FlowRequest request, string? reason) => Post(now => _core.HandleFlow(now, flow, RefusalOf(request) with { Reason = reason }));

    private static FlowChange RefusalOf(FlowRequest request) =>
        new(FlowChangeKind.Refused, request.Transport, default, request.Remote) { TlsName = request.TlsName };

    private void Change(IFlow flow, FlowChangeKind kind) => Post(now =>
    {
        if (kind is FlowChangeKind.Opened) _flows.Add(flow.Id, flow);
        else if (!_flows.Remove(flow.Id)) return;

        _core.HandleFlow(now, flow.Id, new(kind, flow.Transport, flow.Local, flow.Remote) { IsAccepted = flow.IsAccepted, TlsName = flow.TlsName });
    });

    private void Tick() => Post(_core.HandleTimeout);

    private void Drain(Instant now)
    {
        _isDraining = true;
        try
        {
            // The hook is followed by one more round, so that what it brought is drained, too.
            for (var round = 0; round < MaxDrainRounds; round++)
            {
                var worked = SendAll() | TakeRequests() | DeliverChanges(now);
                if (!worked && round > 0) break;

                AfterDrain?.Invoke(now);
            }
        }
        finally
        {
            _isDraining = false;
        }

        Arm();
    }

    private bool SendAll()
    {
        var worked = false;
        while (_core.Outbox.TryTake(out var transmit))
        {
            worked = true;
            Send(transmit);
            _core.Outbox.Release(transmit);
        }

        return worked;
    }

    private void Send(in Transmit transmit)
    {
        // A flow that has just closed: the core has heard of it or will hear of it in this drain.
        if (!_flows.TryGetValue(transmit.Flow, out var flow)) return;

        var outcome = flow.Send(transmit.Destination, transmit.Payload);
        _metrics.CountSend(flow.Transport, outcome);
        if (outcome is SendOutcome.Sent) Trace?.TakeSignalling(_clock.Now, flow.Transport, flow.Local, flow.Remote.IsNone ? transmit.Destination : flow.Remote, transmit.Payload);
        if (outcome is not SendOutcome.Failed) return;

        _changes.Enqueue((flow.Id, new(FlowChangeKind.SendFailed, flow.Transport, flow.Local, transmit.Destination)));
    }

    private bool TakeRequests()
    {
        var worked = false;
        while (_core.TryTakeRequest(out var request))
        {
            worked = true;
            if (request.Kind is FlowRequestKind.Connect) Connect(request);
            else if (_flows.TryGetValue(request.Flow, out var flow)) flow.Close();
        }

        return worked;
    }

    private void Connect(FlowRequest request)
    {
        if (_connector.TryConnect(request, out var flow)) return;

        _changes.Enqueue((flow, RefusalOf(request)));
    }

    private bool DeliverChanges(Instant now)
    {
        var worked = _changes.Count > 0;
        while (_changes.TryDequeue(out var entry)) _core.HandleFlow(now, entry.Flow, entry.Change);
        return worked;
    }

    // Whole milliseconds, rounded up: a timer that fires just before its deadline would fire again and again.
    private void Arm()
    {
        if (_core.Deadline is not { } deadline)
        {
            _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            return;
        }

        var wait = deadline - _clock.Now;
        if (wait > LongestWait) wait = LongestWait;
        var milliseconds = wait <= TimeSpan.Zero ? 0 : Math.Ceiling(wait.TotalMilliseconds);
        _timer.Change(TimeSpan.FromMilliseconds(milliseconds), Timeout.InfiniteTimeSpan);
    }

    // A defect of ours that one message brings out must not end every recording that runs.
    private void HandleFault(Exception fault)
    {
        _metrics.CountFault();
        LogFault(_log, fault);
        _timer.Change(WaitAfterFault, Timeout.InfiniteTimeSpan);
    }

    [LoggerMessage(LogLevel.Critical, "The signalling core failed on an input; it goes on with the next one")]
    private static partial void LogFault(ILogger logger, Exception fault);
}
