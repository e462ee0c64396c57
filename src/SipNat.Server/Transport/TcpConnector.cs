using System.Net.Sockets;
using System.Security.Authentication;
using Microsoft.Extensions.Logging;
using SipNat.Wire;

namespace SipNat.Server.Transport;

/// <summary>Makes the connections that the core asks for, within a time and a number.</summary>
internal sealed partial class TcpConnector(
    CoreHost host, TcpConnections connections, FlowIds flows, TransportLimits limits, ConnectionOptions options, ILogger log) : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<FlowId, Task> _connecting = [];
    private readonly CancellationTokenSource _stop = new();

    /// <summary>
    /// Begins a connection. It ends in <see cref="CoreHost.Opened"/> or <see cref="CoreHost.Refused"/> with the same
    /// flow; false where it was not begun: too many at once, a transport that has no connections, or TLS without a name.
    /// </summary>
    public bool TryConnect(FlowRequest request, out FlowId flow)
    {
        flow = flows.Next();
        lock (_gate)
        {
            var isPossible = request.Transport is TransportProtocol.Tcp || (request.Transport is TransportProtocol.Tls && request.TlsName is not null);
            if (!isPossible || request.Remote.IsNone || _stop.IsCancellationRequested) return false;
            if (_connecting.Count >= limits.MaxConnecting) return false;

            _connecting.Add(flow, ConnectAsync(flow, request));
            return true;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        Task[] running;
        lock (_gate) running = [.. _connecting.Values];
        await Task.WhenAll(running);
        _stop.Dispose();
    }

    private async Task ConnectAsync(FlowId flow, FlowRequest request)
    {
        // The attempt does not begin under the locks of the caller.
        await Task.Yield();
        if (!await TryOpenAsync(flow, request)) host.Refused(flow, request.Transport, request.Remote);
        lock (_gate) _connecting.Remove(flow);
    }

    private async Task<bool> TryOpenAsync(FlowId flow, FlowRequest request)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        deadline.CancelAfter(limits.ConnectTimeout);
        var tlsName = request.Transport is TransportProtocol.Tls ? request.TlsName : null;
        Connection? connection = null;
        var isTaken = false;
        try
        {
            connection = await Connection.MakeAsync(default, request.Remote, tlsName, options.Trust, deadline.Token);
            isTaken = connections.TryAdd(flow, connection);
        }
        catch (AuthenticationException error)
        {
            LogCertificate(log, request.Remote, tlsName!, error.Message);
        }
        catch (Exception error) when (error is SocketException or IOException or OperationCanceledException)
        {
            // Refused, unreachable, too slow or stopped: the core hears the same of all of them.
        }
        finally
        {
            if (!isTaken) connection?.Dispose();
        }

        return isTaken;
    }

    [LoggerMessage(LogLevel.Warning, "The server at {Remote} cannot be trusted to be {Name}: {Reason}")]
    private static partial void LogCertificate(ILogger logger, TransportAddress remote, string name, string reason);
}
