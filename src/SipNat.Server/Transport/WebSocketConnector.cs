using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Authentication;
using SipNat.Wire;

namespace SipNat.Server.Transport;

/// <summary>Makes WebSockets to servers that speak SIP over them (RFC 7118), by the framework's client.</summary>
internal static class WebSocketConnector
{
    private const int MaxAnswerKilobytes = 8;

    /// <summary>Makes a connection, with TLS for <see cref="TransportProtocol.Wss"/>.</summary>
    /// <exception cref="SocketException">It was refused, or nobody can be reached there.</exception>
    /// <exception cref="AuthenticationException">The certificate is not the name's, or nobody trusted vouches for it; the message says which.</exception>
    /// <exception cref="IOException">The server does not open a WebSocket for SIP; the message says what it said.</exception>
    public static async Task<Connection> MakeAsync(FlowRequest request, ConnectionOptions options, CancellationToken stop)
    {
        var name = request.TlsName ?? request.Remote.AddressText;
        var check = ServerCheck.OfHttps(options, name);
        Connection? plain = null;
        using var handler = new SocketsHttpHandler
        {
            UseProxy = false,
            UseCookies = false,
            MaxResponseHeadersLength = MaxAnswerKilobytes,
            SslOptions = check.Options,
            ConnectCallback = async (_, cancel) => (plain = await Connection.MakeAsync(default, request.Remote, cancel)).Stream,
        };
        using var invoker = new HttpMessageInvoker(handler);
        var client = new ClientWebSocket();
        try
        {
            client.Options.AddSubProtocol("sip");
            (client.Options.KeepAliveInterval, client.Options.KeepAliveTimeout) = (WebSocketAcceptor.PingInterval, WebSocketAcceptor.PongTimeout);
            await client.ConnectAsync(UriOf(request, name, options.Trust.Of(name, options.Framing).WebSocketPath), invoker, stop);
            if (client.SubProtocol != "sip") throw new IOException("the server opens a WebSocket, and not one for SIP");

            return plain! with { Transport = request.Transport, WebSocket = client, TlsName = request.TlsName };
        }
        catch (Exception error)
        {
            client.Dispose();
            plain?.Dispose();
            if (check.Problem is { } problem) throw new AuthenticationException(problem, error);
            if (error is WebSocketException) throw new IOException(error.Message, error);
            throw;
        }
    }

    private static Uri UriOf(FlowRequest request, string name, string path)
    {
        var host = name.Contains(':', StringComparison.Ordinal) ? $"[{name}]" : name;
        return new($"{(request.Transport.IsEncrypted ? "wss" : "ws")}://{host}:{request.Remote.Port}{path}");
    }
}
