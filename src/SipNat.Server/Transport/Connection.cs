using System.Net.Security;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Authentication;
using SipNat.Wire;

namespace SipNat.Server.Transport;

/// <summary>A TCP connection, with or without TLS and a WebSocket on it.</summary>
/// <param name="IsAccepted">Whether the peer made it.</param>
internal sealed record Connection(Socket Socket, Stream Stream, TransportProtocol Transport, bool IsAccepted) : IDisposable
{
    // A peer that has vanished without a word is noticed after 60 + 3 * 10 s.
    private const int KeepAliveSeconds = 60;
    private const int KeepAliveIntervalSeconds = 10;
    private const int KeepAliveRetries = 3;

    /// <summary>What its messages go by where that is a WebSocket; null for the stream itself.</summary>
    public WebSocket? WebSocket { get; init; }

    /// <summary>What the server's certificate was seen to name; null where nothing of the kind was asked.</summary>
    public string? TlsName { get; init; }

    /// <summary>Takes over a socket that is connected.</summary>
    /// <exception cref="SocketException">The peer is gone already.</exception>
    public static Connection Of(Socket socket, bool isAccepted)
    {
        Prepare(socket);
        return new(socket, new NetworkStream(socket), TransportProtocol.Tcp, isAccepted);
    }

    /// <summary>Brings an accepted connection to where it carries messages.</summary>
    /// <exception cref="AuthenticationException">The client does not speak TLS as it is spoken here, or has no certificate that will do.</exception>
    /// <exception cref="IOException">The peer ended it, or asks for no WebSocket for SIP.</exception>
    public static async Task<Connection> AcceptAsync(Connection plain, TransportProtocol transport, ConnectionOptions options, CancellationToken stop)
    {
        var stream = plain.Stream;
        if (transport.IsEncrypted)
        {
            var server = options.Server ?? throw new InvalidOperationException("No certificate is configured, and the settings saw to that.");
            var secured = new SslStream(stream);
            await secured.AuthenticateAsServerAsync(server.Options, stop);
            stream = secured;
        }

        var webSocket = transport is TransportProtocol.Tls ? null : await WebSocketAcceptor.AcceptAsync(stream, options.WebSocketOrigins, stop);
        return plain with { Stream = stream, Transport = transport, WebSocket = webSocket };
    }

    /// <summary>Makes a connection.</summary>
    /// <param name="local">What to bind; none leaves it to the kernel.</param>
    /// <exception cref="SocketException">It was refused, or nobody can be reached there.</exception>
    public static async Task<Connection> MakeAsync(TransportAddress local, TransportAddress remote, CancellationToken stop)
    {
        var socket = new Socket(remote.Family, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (!local.IsNone) socket.Bind(local.WithPort(0).ToIPEndPoint());
            await socket.ConnectAsync(remote.ToIPEndPoint(), stop);
            return Of(socket, isAccepted: false);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Makes a connection and begins TLS on it.</summary>
    /// <param name="local">What to bind; none leaves it to the kernel.</param>
    /// <param name="check">Who the server has to be.</param>
    /// <exception cref="SocketException">It was refused, or nobody can be reached there.</exception>
    /// <exception cref="AuthenticationException">The certificate is not the name's, or nobody trusted vouches for it; the message says which.</exception>
    /// <exception cref="IOException">The peer ended it, or does not speak TLS.</exception>
    public static async Task<Connection> MakeAsync(TransportAddress local, TransportAddress remote, ServerCheck check, CancellationToken stop)
    {
        var plain = await MakeAsync(local, remote, stop);
        var secured = new SslStream(plain.Stream);
        try
        {
            await secured.AuthenticateAsClientAsync(check.Options, stop);
            return plain with { Stream = secured, Transport = TransportProtocol.Tls, TlsName = check.Name };
        }
        catch (AuthenticationException error) when (check.Problem is { } problem)
        {
            await secured.DisposeAsync();
            plain.Dispose();
            throw new AuthenticationException(problem, error);
        }
        catch
        {
            await secured.DisposeAsync();
            plain.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Says that nothing more follows. A socket that is closed while something of the peer's is unread throws away what it has
    /// not sent yet, and resets the connection (RFC 1122 §4.2.2.13); TLS servers send tickets that nobody waits for.
    /// </summary>
    /// <exception cref="IOException">The connection is gone.</exception>
    public async Task EndOutputAsync(CancellationToken stop)
    {
        try
        {
            if (Stream is SslStream secured) await secured.ShutdownAsync().WaitAsync(stop);
            Socket.Shutdown(SocketShutdown.Send);
        }
        catch (Exception error) when (error is not IOException)
        {
            // Errors of OpenSSL have a type that is not public.
            throw new IOException("The connection cannot be ended in an orderly way.", error);
        }
    }

    public void Dispose()
    {
        WebSocket?.Dispose();
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
