using System.Net.Sockets;
using SipNat.Wire;

namespace SipNat.Server.Transport;

/// <summary>Makes the connections that the core asks for, within a time and a number.</summary>
internal sealed class TcpConnector(CoreHost host, TcpConnections connections, FlowIds flows, TransportLimits limits) : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<FlowId, Task> _connecting = [];
    private readonly CancellationTokenSource _stop = new();

    /// <summary>
    /// Begins a connection. It ends in <see cref="CoreHost.Opened"/> or <see cref="CoreHost.Refused"/> with the same
    /// flow; false where it was not begun: too many at once, or a transport that has no connections.
    /// </summary>
    public bool TryConnect(TransportProtocol transport, TransportAddress remote, out FlowId flow)
    {
        flow = flows.Next();
        lock (_gate)
        {
            if (transport is not TransportProtocol.Tcp || remote.IsNone || _stop.IsCancellationRequested) return false;
            if (_connecting.Count >= limits.MaxConnecting) return false;

            _connecting.Add(flow, ConnectAsync(flow, remote));
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

    private async Task ConnectAsync(FlowId flow, TransportAddress remote)
    {
        // The attempt does not begin under the locks of the caller.
        await Task.Yield();
        if (!await TryOpenAsync(flow, remote)) host.Refused(flow, TransportProtocol.Tcp, remote);
        lock (_gate) _connecting.Remove(flow);
    }

    private async Task<bool> TryOpenAsync(FlowId flow, TransportAddress remote)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        deadline.CancelAfter(limits.ConnectTimeout);
        var socket = new Socket(remote.Family, SocketType.Stream, ProtocolType.Tcp);
        var isTaken = false;
        try
        {
            await socket.ConnectAsync(remote.ToIPEndPoint(), deadline.Token);
            isTaken = connections.TryAdd(flow, socket);
        }
        catch (Exception error) when (error is SocketException or OperationCanceledException)
        {
            // Refused, unreachable, too slow or stopped: the core hears the same of all of them.
        }
        finally
        {
            if (!isTaken) socket.Dispose();
        }

        return isTaken;
    }
}
