using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using SipNat.Wire;

namespace SipNat.Server.Transport;

/// <summary>All TCP connections of a <see cref="CoreHost"/>, accepted and made, within their caps. Thread safe.</summary>
internal sealed partial class TcpConnections : IAsyncDisposable
{
    private readonly CoreHost _host;
    private readonly FlowIds _flows;
    private readonly TransportLimits _limits;
    private IReadOnlyList<NetworkPrefix>? _allowedNetworks;
    private readonly ConnectionOptions _options;
    private readonly TransportMetrics _metrics;
    private readonly ILogger _log;
    private readonly Lock _gate = new();
    private readonly Dictionary<TcpFlow, Task> _open = [];
    private readonly Dictionary<TransportAddress, int> _acceptedFrom = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly Handshakes _handshakes;
    private int _strangers;

    public TcpConnections(CoreHost host, FlowIds flows, TransportLimits limits, ConnectionOptions options, TransportMetrics metrics, ILoggerFactory logs)
    {
        (_host, _flows, _limits, _options, _metrics) = (host, flows, limits, options, metrics);
        _allowedNetworks = limits.AllowedNetworks;
        _log = logs.CreateLogger<TcpConnections>();
        _handshakes = new(this, limits, options, metrics, logs.CreateLogger<Handshakes>());
    }

    public int Count
    {
        get
        {
            lock (_gate) return _open.Count;
        }
    }

    /// <summary>Replaces <see cref="TransportLimits.AllowedNetworks"/>; any thread.</summary>
    public void SetAllowedNetworks(IReadOnlyList<NetworkPrefix> allowed)
    {
        lock (_gate) _allowedNetworks = allowed;
    }

    /// <summary>Takes over an accepted connection; past a cap it is closed at once.</summary>
    /// <param name="transport">What is to be spoken on it.</param>
    public void Accept(Socket socket, TransportProtocol transport)
    {
        try
        {
            var isTaken = transport is TransportProtocol.Tcp ? TryAdd(Connection.Of(socket, isAccepted: true)) : _handshakes.TryBegin(socket, transport);
            if (!isTaken) socket.Dispose();
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            // The peer was gone before the connection was looked at.
            socket.Dispose();
        }
    }

    /// <summary>Takes over a connection that was accepted; false past a cap.</summary>
    /// <exception cref="SocketException">The connection is gone already.</exception>
    public bool TryAdd(Connection connection) => TryAdd(_flows.Next(), connection);

    /// <summary>Takes over a connection; false past a cap.</summary>
    /// <exception cref="SocketException">The connection is gone already.</exception>
    public bool TryAdd(FlowId id, Connection connection)
    {
        var isAccepted = connection.IsAccepted;
        var flow = new TcpFlow(id, connection, _limits, _options);
        var source = flow.Remote.WithPort(0);
        lock (_gate)
        {
            if (_stop.IsCancellationRequested) return false;

            if (CapMetBy(source, isAccepted) is { } cap)
            {
                _metrics.CountRefused(cap);
                LogRefused(_log, flow.Remote, cap);
                return false;
            }

            if (isAccepted) CountAccepted(source, 1);
            _metrics.CountConnection(1);
            _open.Add(flow, RunAsync(flow));
            return true;
        }
    }

    /// <summary>Whether a source is outside the allowed networks.</summary>
    public bool IsStranger(TransportAddress source)
    {
        var allowed = _allowedNetworks;
        return allowed is not null && !allowed.Any(network => network.Contains(source));
    }

    public async ValueTask DisposeAsync()
    {
        await _handshakes.DisposeAsync();
        await _stop.CancelAsync();
        Task[] running;
        lock (_gate) running = [.. _open.Values];
        await Task.WhenAll(running);
        _stop.Dispose();
    }

    private string? CapMetBy(TransportAddress source, bool isAccepted)
    {
        if (_open.Count >= _limits.MaxConnections) return "total";
        if (!isAccepted) return null;

        var (perSource, others) = IsStranger(source)
            ? (_limits.MaxConnectionsPerStranger, _strangers)
            : (_limits.MaxConnectionsPerSource, -1);
        return _acceptedFrom.GetValueOrDefault(source) >= perSource ? "source" : others >= _limits.MaxConnectionsOfStrangers ? "strangers" : null;
    }

    private void CountAccepted(TransportAddress source, int change)
    {
        var count = _acceptedFrom.GetValueOrDefault(source) + change;
        if (count == 0) _acceptedFrom.Remove(source);
        else _acceptedFrom[source] = count;
        if (IsStranger(source)) _strangers += change;
    }

    private async Task RunAsync(TcpFlow flow)
    {
        // The loop does not begin under the lock of the caller.
        await Task.Yield();
        _host.Opened(flow);
        LogOpened(_log, flow.Id, flow.Remote);
        var end = await flow.RunAsync(_host, _stop.Token);
        LogClosed(_log, flow.Id, flow.Remote, end);
        _host.Closed(flow);
        Remove(flow);
        flow.Dispose();
    }

    private void Remove(TcpFlow flow)
    {
        lock (_gate)
        {
            _open.Remove(flow);
            _metrics.CountConnection(-1);
            if (flow.IsAccepted) CountAccepted(flow.Remote.WithPort(0), -1);
        }
    }

    [LoggerMessage(LogLevel.Debug, "{Flow}: connection with {Remote}")]
    private static partial void LogOpened(ILogger logger, FlowId flow, TransportAddress remote);

    [LoggerMessage(LogLevel.Debug, "{Flow}: connection with {Remote} ended: {End}")]
    private static partial void LogClosed(ILogger logger, FlowId flow, TransportAddress remote, TcpFlowEnd end);

    [LoggerMessage(LogLevel.Debug, "Connection with {Remote} closed at once: the {Cap} cap is met")]
    private static partial void LogRefused(ILogger logger, TransportAddress remote, string cap);
}
