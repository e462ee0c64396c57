using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using Microsoft.Extensions.Logging;
using SipNat.Wire;

namespace SipNat.Server.Transport;

/// <summary>
/// Accepted connections on which TLS is being begun, within a time and a number: whoever takes neither part in it nor an
/// end costs a socket for that time, and no other peer its turn. Thread safe.
/// </summary>
internal sealed partial class Handshakes(TcpConnections connections, TransportLimits limits, ConnectionOptions options, TransportMetrics metrics, ILogger log) : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<Socket, Task> _running = [];
    private readonly Dictionary<TransportAddress, int> _from = [];
    private readonly CancellationTokenSource _stop = new();

    /// <summary>Takes over an accepted socket; false past a cap, with the socket left to the caller.</summary>
    /// <exception cref="SocketException">The peer is gone already.</exception>
    public bool TryBegin(Socket socket, TransportProtocol transport)
    {
        var remote = TransportAddress.From((IPEndPoint)socket.RemoteEndPoint!);
        var source = remote.WithPort(0);
        lock (_gate)
        {
            if (_stop.IsCancellationRequested) return false;

            if (CapMetBy(source) is { } cap)
            {
                metrics.CountRefused(cap);
                return false;
            }

            var plain = Connection.Of(socket, isAccepted: true);
            _from[source] = _from.GetValueOrDefault(source) + 1;
            _running.Add(socket, RunAsync(plain, transport, remote));
            return true;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        Task[] running;
        lock (_gate) running = [.. _running.Values];
        await Task.WhenAll(running);
        _stop.Dispose();
    }

    private string? CapMetBy(TransportAddress source)
    {
        if (_running.Count >= limits.MaxHandshakes) return "handshakes";

        var most = connections.IsStranger(source) ? limits.MaxHandshakesPerStranger : limits.MaxHandshakesPerSource;
        return _from.GetValueOrDefault(source) >= most ? "source-handshakes" : null;
    }

    private async Task RunAsync(Connection plain, TransportProtocol transport, TransportAddress remote)
    {
        // Nothing of it happens under the lock of the caller.
        await Task.Yield();
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        deadline.CancelAfter(limits.HandshakeTimeout);
        var connection = plain;
        var isTaken = false;
        try
        {
            connection = await Connection.AcceptAsync(plain, transport, options, deadline.Token);
            isTaken = connections.TryAdd(connection);
        }
        catch (Exception error) when (error is AuthenticationException or IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            LogFailed(log, remote, transport, error.InnerException?.Message ?? error.Message);
        }
        finally
        {
            if (!isTaken) connection.Dispose();
            Remove(plain.Socket, remote.WithPort(0));
        }
    }

    private void Remove(Socket socket, TransportAddress source)
    {
        lock (_gate)
        {
            _running.Remove(socket);
            var left = _from[source] - 1;
            if (left == 0) _from.Remove(source);
            else _from[source] = left;
        }
    }

    [LoggerMessage(LogLevel.Information, "{Remote} did not bring about a connection over {Transport}: {Reason}")]
    private static partial void LogFailed(ILogger logger, TransportAddress remote, TransportProtocol transport, string reason);
}
