using System.Net.Sockets;
using System.Security.Authentication;
using Microsoft.Extensions.Logging;
using SipNat.Server.Hosting;
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
            var isPossible = request.Transport.IsReliable && (request.TlsName is not null || !request.Transport.IsEncrypted);
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
        var (isTaken, reason) = await TryOpenAsync(flow, request);
        if (!isTaken) host.Refused(flow, request, reason);
        lock (_gate) _connecting.Remove(flow);
    }

    private async Task<(bool IsTaken, string? Reason)> TryOpenAsync(FlowId flow, FlowRequest request)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        deadline.CancelAfter(limits.ConnectTimeout);
        Connection? connection = null;
        var isTaken = false;
        string? reason = null;
        try
        {
            connection = request.Transport switch
            {
                TransportProtocol.Tcp => await Connection.MakeAsync(default, request.Remote, deadline.Token),
                TransportProtocol.Tls => await Connection.MakeAsync(default, request.Remote, ServerCheck.Of(options, request.TlsName!), deadline.Token),
                _ => await WebSocketConnector.MakeAsync(request, options, deadline.Token),
            };
            isTaken = connections.TryAdd(flow, connection);
        }
        catch (AuthenticationException error)
        {
            reason = error.Message;
            LogCertificate(log, request.Remote, request.TlsName!, error.Message);
        }
        catch (IOException error)
        {
            reason = SafeText.Escape(error.Message);
        }
        catch (Exception error) when (error is SocketException or OperationCanceledException)
        {
            // Refused, unreachable, too slow or stopped: the core hears the same of all of them.
        }
        finally
        {
            if (!isTaken) connection?.Dispose();
        }

        return (isTaken, reason);
    }

    [LoggerMessage(LogLevel.Warning, "The server at {Remote} cannot be trusted to be {Name}: {Reason}")]
    private static partial void LogCertificate(ILogger logger, TransportAddress remote, string name, string reason);
}
