using System.Net;
using System.Net.Sockets;
using SipNat.Wire;

namespace SipNat.Server.Transport;

/// <summary>Accepts connections on one address, which may be a wildcard: a connection has its own local address.</summary>
internal sealed class TcpListener : IListeningSocket
{
    private const int Backlog = 512;

    // Out of descriptors or memory: accepting again at once would spin.
    private static readonly TimeSpan PauseAfterError = TimeSpan.FromMilliseconds(100);

    private readonly Socket _socket;
    private readonly TcpConnections _connections;

    private TcpListener(Socket socket, TransportProtocol transport, TcpConnections connections)
    {
        (_socket, _connections) = (socket, connections);
        Bound = new(transport, TransportAddress.From((IPEndPoint)socket.LocalEndPoint!));
    }

    public SipListener Bound { get; }

    /// <summary>Binds and listens.</summary>
    /// <exception cref="SocketException">The address is not this machine's, or its port is taken.</exception>
    public static TcpListener Open(SipListener listener, TcpConnections connections)
    {
        var local = listener.Address;
        var socket = new Socket(local.Family, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(local.ToIPEndPoint());
            socket.Listen(Backlog);
            return new(socket, listener.Transport, connections);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public async Task RunAsync(CancellationToken stop)
    {
        while (true)
        {
            try
            {
                var accepted = await _socket.AcceptAsync(stop);
                _connections.Accept(accepted, Bound.Transport);
            }
            catch (SocketException error) when (IsAboutOneConnection(error.SocketErrorCode))
            {
                await Task.Delay(PauseAfterError, stop);
            }
        }
    }

    public void Close() => _socket.Dispose();

    private static bool IsAboutOneConnection(SocketError error) => error
        is SocketError.ConnectionAborted
        or SocketError.ConnectionReset
        or SocketError.TooManyOpenSockets
        or SocketError.NoBufferSpaceAvailable;
}
