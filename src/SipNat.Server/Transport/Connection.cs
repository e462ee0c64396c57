using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using SipNat.Wire;

namespace SipNat.Server.Transport;

/// <summary>A TCP connection, with or without TLS on it.</summary>
/// <param name="IsAccepted">Whether the peer made it.</param>
internal sealed record Connection(Socket Socket, Stream Stream, TransportProtocol Transport, bool IsAccepted) : IDisposable
{
    // A peer that has vanished without a word is noticed after 60 + 3 * 10 s.
    private const int KeepAliveSeconds = 60;
    private const int KeepAliveIntervalSeconds = 10;
    private const int KeepAliveRetries = 3;

    /// <summary>Takes over a socket that is connected.</summary>
    /// <exception cref="SocketException">The peer is gone already.</exception>
    public static Connection Of(Socket socket, bool isAccepted)
    {
        Prepare(socket);
        return new(socket, new NetworkStream(socket), TransportProtocol.Tcp, isAccepted);
    }

    /// <summary>Brings an accepted connection to where it carries messages.</summary>
    /// <exception cref="AuthenticationException">The client does not speak TLS as it is spoken here, or has no certificate that will do.</exception>
    /// <exception cref="IOException">The peer ended it.</exception>
    public static async Task<Connection> AcceptAsync(Connection plain, TransportProtocol transport, ConnectionOptions options, CancellationToken stop)
    {
        if (!transport.IsEncrypted) return plain;

        var server = options.Server ?? throw new InvalidOperationException("No certificate is configured, and the settings saw to that.");
        var secured = new SslStream(plain.Stream);
        await secured.AuthenticateAsServerAsync(server.Options, stop);
        return plain with { Stream = secured, Transport = TransportProtocol.Tls };
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
            var plain = Of(socket, isAccepted: false);
            if (tlsName is null) return plain;

            secured = new SslStream(plain.Stream);
            await secured.AuthenticateAsClientAsync(trust.For(tlsName), stop);
            return plain with { Stream = secured, Transport = TransportProtocol.Tls };
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
