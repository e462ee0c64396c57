using System.Net.Sockets;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using SipNat.Endpoint.Addressing;
using SipNat.Server.Hosting;
using SipNat.Server.Transport;
using SipNat.Traversal.PortMapping;
using SipNat.Wire;

namespace SipNat.Server.Addressing;

/// <summary>
/// Keeps the ports of this process open at the default gateway (<c>Nat:PortMapping</c> <c>Auto</c>), follows it when the
/// default route changes, and gives the ports back at the end. Only ports on the address that routes to the gateway are
/// asked for: a router opens ports for whoever asks, and nobody asks from another address than his own.
/// </summary>
internal sealed partial class PortMappings : IAsyncDisposable
{
    private const int MaxQueued = 16_384;

    private readonly ServerClock _clock;
    private readonly FlowIds _flows;
    private readonly ILoggerFactory _logs;
    private readonly ILogger _log;
    private Action<IReadOnlyDictionary<InternalPort, RouterMapping>> _changed = static _ => { };

    // Of the one loop that runs.
    private readonly HashSet<InternalPort> _wanted = [];
    private readonly HashSet<InternalPort> _listeners = [];
    private readonly Dictionary<InternalPort, RouterMapping> _mapped = [];
    private readonly Channel<Action> _inputs = Channel.CreateBounded<Action>(
        new BoundedChannelOptions(MaxQueued) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });

    private bool _hasLooked;
    private bool _isMoveDue;
    private PortMappingOutcome _refusal;

    // Of the mapper's lock.
    private bool _hasToldLimit;

    private PortMapperHost? _host;
    private DefaultGateway? _gateway;

    /// <param name="clock">The process's clock.</param>
    /// <param name="flows">The process's flow numbers.</param>
    /// <param name="logs">Where the loggers come from.</param>
    public PortMappings(ServerClock clock, FlowIds flows, ILoggerFactory logs)
    {
        (_clock, _flows, _logs, _log) = (clock, flows, logs, logs.CreateLogger<PortMappings>());
        clock.OnStep((_, _) => Post(() => _host?.Post(static (mapper, now) => mapper.Refresh(now))));
    }

    /// <summary>Keeps the ports of a pair of media sockets open from here on. Never blocks; any thread.</summary>
    /// <param name="rtp">The address of the RTP socket; RTCP has the next port.</param>
    public void Add(TransportAddress rtp) => Post(() =>
    {
        foreach (var port in PortsOf(rtp)) Want(port);
    });

    /// <summary>Gives the ports of a pair of media sockets back. Never blocks; any thread.</summary>
    public void Remove(TransportAddress rtp) => Post(() =>
    {
        foreach (var port in PortsOf(rtp)) Forget(port);
    });

    /// <summary>What SIP listens on at the moment, with real ports; a wildcard counts for every address. Any thread.</summary>
    public void SetListeners(IReadOnlyList<SipListener> listeners) => Post(() =>
    {
        if (_gateway is not { } gateway) return;

        var now = listeners
            .Where(listener => listener.Address.IsUnspecified ? listener.Address.IsIPv4 : listener.Address.HasSameAddress(gateway.Local))
            .Select(listener => InternalPort.Of(listener.Transport, gateway.Local.WithPort(listener.Address.Port)))
            .ToHashSet();
        foreach (var gone in _listeners.Except(now).ToList()) Forget(gone);
        foreach (var port in now) Want(port);
        _listeners.Clear();
        _listeners.UnionWith(now);
    });

    /// <summary>Looks at the default route; where it is another one than before, everything begins anew there. Any thread.</summary>
    public void FollowGateway() => Post(() => _isMoveDue = true);

    /// <summary>Runs until it is stopped, and gives every port back then.</summary>
    /// <param name="changed">Told what is mapped, all of it, after every change.</param>
    public async Task RunAsync(Action<IReadOnlyDictionary<InternalPort, RouterMapping>> changed, CancellationToken stop)
    {
        _changed = changed;
        try
        {
            await MoveAsync();
            await foreach (var input in _inputs.Reader.ReadAllAsync(stop))
            {
                input();
                if (_isMoveDue) await MoveAsync();
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            if (_host is not null) await _host.ReleaseAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_host is not null) await _host.DisposeAsync();
    }

    private static IEnumerable<InternalPort> PortsOf(TransportAddress rtp) =>
        [new(TransportProtocol.Udp, rtp), new(TransportProtocol.Udp, rtp.WithPort(rtp.Port + 1))];

    private void Post(Action input)
    {
        if (!_inputs.Writer.TryWrite(input)) LogOverload(_log);
    }

    private void Want(InternalPort port)
    {
        if (_wanted.Add(port)) Map(port);
    }

    private void Forget(InternalPort port)
    {
        if (!_wanted.Remove(port)) return;

        _host?.Post((mapper, now) => mapper.Unmap(now, port));
        if (_mapped.Remove(port)) Publish();
    }

    private void Map(InternalPort port)
    {
        if (_gateway is not { } gateway || !port.Local.HasSameAddress(gateway.Local)) return;

        _host?.Post((mapper, now) =>
        {
            if (mapper.TryMap(now, port, port.Local.Port) || _hasToldLimit) return;

            _hasToldLimit = true;
            LogTooMany(_log, port, PortMapper.MaxPorts);
        });
    }

    // The old router forgets by itself, or is not there to be told.
    private async Task MoveAsync()
    {
        _isMoveDue = false;
        var gateway = DefaultGateway.Find();
        if (_hasLooked && gateway == _gateway) return;

        _hasLooked = true;
        if (_host is not null) await _host.DisposeAsync();
        (_gateway, _host, _refusal) = (gateway, null, PortMappingOutcome.Mapped);
        if (_mapped.Count > 0)
        {
            _mapped.Clear();
            Publish();
        }

        if (gateway is null)
        {
            LogNoGateway(_log);
            return;
        }

        await StartAsync(gateway);
    }

    private async Task StartAsync(DefaultGateway gateway)
    {
        LogAsking(_log, gateway.Router.AddressText, gateway.Local.AddressText);
        var host = new PortMapperHost(gateway, _clock, _flows, happened => Post(() => Handle(gateway, happened)), _logs);
        try
        {
            host.Start(gateway.Local);
            _host = host;
        }
        catch (SocketException error)
        {
            // The address has gone since it was looked up; the next look, seconds later, finds another one.
            LogNoSocket(_log, gateway.Local.AddressText, error.SocketErrorCode);
            await host.DisposeAsync();
            (_gateway, _hasLooked, _isMoveDue) = (null, false, true);
        }

        foreach (var port in _wanted) Map(port);
    }

    // What a router said that is not asked any more does not count.
    private void Handle(DefaultGateway gateway, PortMappingEvent happened)
    {
        if (gateway != _gateway) return;

        switch (happened)
        {
            case PortMappingEvent.Mapped(var port, var external, _, var method) when _wanted.Contains(port):
                _mapped[port] = new(external, method);
                Publish();
                Tell(port, happened);
                break;
            case PortMappingEvent.Lost(var port, _):
                if (_mapped.Remove(port)) Publish();
                Tell(port, happened);
                break;
            case PortMappingEvent.Refused(_, _, var outcome):
                // One reason is told once: a router refuses all ports or none.
                if (outcome == _refusal) break;
                _refusal = outcome;
                LogProblem(_log, happened.Explain());
                break;
            case PortMappingEvent.RouterAddress { External.IsPrivate: false }:
                LogMapping(_log, happened.Explain());
                break;
            case PortMappingEvent.Mapped:
                break;
            default:
                LogProblem(_log, happened.Explain());
                break;
        }
    }

    // Media ports come and go with the calls.
    private void Tell(InternalPort port, PortMappingEvent happened)
    {
        if (_listeners.Contains(port)) LogMapping(_log, happened.Explain());
        else LogMediaMapping(_log, happened.Explain());
    }

    private void Publish() => _changed(new Dictionary<InternalPort, RouterMapping>(_mapped));

    [LoggerMessage(LogLevel.Information, "Asking the router {Router} to open ports for {Local}")]
    private static partial void LogAsking(ILogger logger, string router, string local);

    [LoggerMessage(LogLevel.Warning, "Nat:PortMapping is Auto, and this machine has no default route by IPv4: no router to ask")]
    private static partial void LogNoGateway(ILogger logger);

    [LoggerMessage(LogLevel.Warning, "Cannot ask the router from {Local} ({Reason}); trying again")]
    private static partial void LogNoSocket(ILogger logger, string local, SocketError reason);

    [LoggerMessage(LogLevel.Information, "{Mapping}")]
    private static partial void LogMapping(ILogger logger, string mapping);

    [LoggerMessage(LogLevel.Debug, "{Mapping}")]
    private static partial void LogMediaMapping(ILogger logger, string mapping);

    [LoggerMessage(LogLevel.Warning, "{Problem}")]
    private static partial void LogProblem(ILogger logger, string problem);

    [LoggerMessage(LogLevel.Warning, "{Port} is not opened at the router, nor is any other while {Limit} ports are")]
    private static partial void LogTooMany(ILogger logger, InternalPort port, int limit);

    [LoggerMessage(LogLevel.Error, "Changes of ports come faster than they can be told to the router; one is left out")]
    private static partial void LogOverload(ILogger logger);
}
