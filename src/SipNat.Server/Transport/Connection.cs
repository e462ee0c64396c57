using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using SipNat.Wire;

namespace SipNat.Server.Transport;

/// <summary>A TCP connection, with or without TLS on it.</summary>
internal sealed record Connection(Socket Socket, Stream Stream, TransportProtocol Transport) : IDisposable
{
    // A peer that has vanished without a word is noticed after 60 + 3 * 10 s.
    private const int KeepAliveSeconds = 60;
    private const int KeepAliveIntervalSeconds = 10;
    private const int KeepAliveRetries = 3;

    /// <summary>Takes over a socket that is connected.</summary>
    /// <exception cref="SocketException">The peer is gone already.</exception>
    public static Connection Of(Socket socket)
    {
        Prepare(socket);
        return new(socket, new NetworkStream(socket), TransportProtocol.Tcp);
    }

    /// <summary>Makes a connection, and with a name begins TLS on it.</summary>
    /// <param name="local">What to bind; none leaves it to the kernel.</param>
    /// <param name="tlsName">What the server's certificate has to be made out to; null for no TLS.</param>
    /// <exception cref="SocketException">It was refused, or nobody can be reached there.</exception>
    /// <exception cref="AuthenticationException">The certificate is not the name's, or nobody trusted vouches for it.</exception>
    /// <exception cref="IOException">The peer ended it, or does not speak TLS.</exception>
    public static async Task<Connection> MakeAsync(TransportAddress local, TransportAddress remote, string? tlsName, TlsTrust trust, CancellationToken stop)
    {
        var socket = new Socket(remote.Family, SocketType.Stream, ProtocolType.Tcp);
        SslStream? secured = null;
        try
        {
            if (!local.IsNone) socket.Bind(local.WithPort(0).ToIPEndPoint());
            await socket.ConnectAsync(remote.ToIPEndPoint(), stop);
            var plain = Of(socket);
            if (tlsName is null) return plain;

            secured = new SslStream(plain.Stream);
            await secured.AuthenticateAsClientAsync(trust.For(tlsName), stop);
            return new(socket, secured, TransportProtocol.Tls);
        }
        catch
        {
            if (secured is not null) await secured.DisposeAsync();
            socket.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        Stream.Dispose();
        Socket.Dispose();
    }

    private static void Prepare(Socket socket)
    {
        socket.NoDelay = true;
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, KeepAliveSeconds);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, KeepAliveIntervalSeconds);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, KeepAliveRetries);
    }
}
