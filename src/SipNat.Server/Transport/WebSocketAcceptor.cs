using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using SipNat.Sip.WebSockets;

namespace SipNat.Server.Transport;

/// <summary>
/// Opens the WebSockets that clients ask for (RFC 6455 §4.2, RFC 7118 §4). A browser acts for any page that is open in it,
/// and from inside the allowed networks: what names an origin is let in only where that was allowed by name.
/// </summary>
internal static class WebSocketAcceptor
{
    private const string Protocol = "sip";
    private const string Guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

    /// <summary>Between two pings; the mappings of NATs of connections last for minutes.</summary>
    public static readonly TimeSpan PingInterval = TimeSpan.FromSeconds(25);

    /// <summary>How long a ping may go unanswered.</summary>
    public static readonly TimeSpan PongTimeout = TimeSpan.FromSeconds(10);

    /// <exception cref="IOException">The peer ended it, or asks for something else; it was told so.</exception>
    public static async Task<WebSocket> AcceptAsync(Stream stream, IReadOnlyList<string> origins, CancellationToken stop)
    {
        var head = await ReadHeadAsync(stream, stop);
        var (answer, problem) = Answer(head.Span, origins);
        await stream.WriteAsync(Encoding.ASCII.GetBytes(answer), stop);
        return problem is null
            ? WebSocket.CreateFromStream(stream, new() { IsServer = true, SubProtocol = Protocol, KeepAliveInterval = PingInterval, KeepAliveTimeout = PongTimeout })
            : throw new IOException(problem);
    }

    private static async Task<ReadOnlyMemory<byte>> ReadHeadAsync(Stream stream, CancellationToken stop)
    {
        var buffer = new byte[WebSocketRequest.MaxLength];
        var length = 0;
        while (length < buffer.Length)
        {
            var received = await stream.ReadAsync(buffer.AsMemory(length), stop);
            if (received == 0) throw new IOException("it ended before it had asked for anything");

            length += received;
            // A client waits for the answer before it says more (RFC 6455 §4.1): what follows is no part of a request.
            if (buffer.AsSpan(0, length).IndexOf("\r\n\r\n"u8) >= 0) break;
        }

        return buffer.AsMemory(0, length);
    }

    private static (string Answer, string? Problem) Answer(ReadOnlySpan<byte> head, IReadOnlyList<string> origins)
    {
        if (!WebSocketRequest.TryRead(head, out var request, out var defect)) return (Refusal(defect), $"it asks for no WebSocket for SIP ({defect})");

        var origin = Encoding.ASCII.GetString(request.Origin);
        if (origin.Length > 0 && !origins.Contains(origin, StringComparer.OrdinalIgnoreCase)) return (Status("403 Forbidden"), "a page asks for it that Sip:WebSocketOrigins does not name");

        return ($"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {Accept(request.Key)}\r\nSec-WebSocket-Protocol: {Protocol}\r\n\r\n", null);
    }

    private static string Refusal(WebSocketDefect defect) => defect switch
    {
        WebSocketDefect.Method => Status("405 Method Not Allowed", "Allow: GET\r\n"),
        WebSocketDefect.NoUpgrade => Status("426 Upgrade Required", "Upgrade: websocket\r\n"),
        WebSocketDefect.Version => Status("426 Upgrade Required", "Sec-WebSocket-Version: 13\r\n"),
        _ => Status("400 Bad Request"),
    };

    private static string Status(string status, string headers = "") => $"HTTP/1.1 {status}\r\n{headers}Content-Length: 0\r\nConnection: close\r\n\r\n";

#pragma warning disable CA5350 // RFC 6455 §4.2.2 has SHA-1 here; it shows that the key was read, and protects nothing.
    private static string Accept(ReadOnlySpan<byte> key) => Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes($"{Encoding.ASCII.GetString(key)}{Guid}")));
#pragma warning restore CA5350
}
