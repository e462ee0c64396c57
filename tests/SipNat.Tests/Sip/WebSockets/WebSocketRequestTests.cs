using System.Text;
using SipNat.Sip.WebSockets;

namespace SipNat.Tests.Sip.WebSockets;

public sealed class WebSocketRequestTests
{
    // RFC 7118 §4.1, the handshake of a client of SIP.
    private const string Example =
        "GET / HTTP/1.1\r\nHost: sip-ws.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: http://www.example.com\r\nSec-WebSocket-Protocol: sip\r\nSec-WebSocket-Version: 13\r\n\r\n";

    [Fact]
    public void The_handshake_of_the_rfc_opens_a_websocket()
    {
        Assert.True(WebSocketRequest.TryRead(Encoding.ASCII.GetBytes(Example), out var request, out var defect));

        Assert.Equal(
            ("/", "sip-ws.example.com", "http://www.example.com", "dGhlIHNhbXBsZSBub25jZQ==", WebSocketDefect.None),
            (Text(request.Target), Text(request.Host), Text(request.Origin), Text(request.Key), defect));
    }

    [Theory]
    [InlineData("GET / HTTP/1.1", "GET /ws?room=1 HTTP/1.1", WebSocketDefect.None)]
    [InlineData("Connection: Upgrade", "connection:keep-alive, UPGRADE", WebSocketDefect.None)]
    [InlineData("Protocol: sip", "Protocol: xmpp\r\nSec-WebSocket-Protocol: superchat, sip", WebSocketDefect.None)]
    [InlineData("Origin: http://www.example.com\r\n", "", WebSocketDefect.None)]
    [InlineData("GET / HTTP/1.1", "GET / HTTP/1.0", WebSocketDefect.BadRequest)]
    [InlineData("GET / HTTP/1.1", "GET http://sip-ws.example.com/ HTTP/1.1", WebSocketDefect.BadRequest)]
    [InlineData("GET / HTTP/1.1", "GET /a b HTTP/1.1", WebSocketDefect.BadRequest)]
    [InlineData("GET / HTTP/1.1", " HTTP/1.1", WebSocketDefect.Method)]
    [InlineData("GET / HTTP/1.1", "POST / HTTP/1.1", WebSocketDefect.Method)]
    [InlineData("GET / HTTP/1.1", "INVITE sip:a@b SIP/2.0", WebSocketDefect.BadRequest)]
    [InlineData("Host: sip-ws.example.com\r\n", "", WebSocketDefect.Host)]
    [InlineData("Host: sip-ws.example.com", "Host: ", WebSocketDefect.Host)]
    [InlineData("Host: sip-ws.example.com", "Host: a.example\r\nHost: b.example", WebSocketDefect.Host)]
    [InlineData("Host: sip-ws.example.com", "Host: a.example\r\n folded", WebSocketDefect.BadRequest)]
    [InlineData("Host: sip-ws.example.com", "Host : a.example", WebSocketDefect.BadRequest)]
    [InlineData("Host: sip-ws.example.com", "Host: a.example\nX: y", WebSocketDefect.BadRequest)]
    [InlineData("Upgrade: websocket", "Upgrade: h2c", WebSocketDefect.NoUpgrade)]
    [InlineData("Connection: Upgrade", "Connection: close", WebSocketDefect.NoUpgrade)]
    [InlineData("Version: 13", "Version: 8", WebSocketDefect.Version)]
    [InlineData("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZQ==", WebSocketDefect.Key)]
    [InlineData("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", WebSocketDefect.Key)]
    [InlineData("Protocol: sip", "Protocol: xmpp", WebSocketDefect.Protocol)]
    public void What_differs_from_it_is_told_apart(string part, string other, WebSocketDefect expected)
    {
        WebSocketRequest.TryRead(Encoding.ASCII.GetBytes(Example.Replace(part, other, StringComparison.Ordinal)), out _, out var defect);

        Assert.Equal(expected, defect);
    }

    [Fact]
    public void Whatever_is_cut_off_opens_none()
    {
        for (var length = 0; length < Example.Length; length++) Assert.False(WebSocketRequest.TryRead(Encoding.ASCII.GetBytes(Example[..length]), out _, out _));
    }

    [Fact]
    public void Lines_and_bytes_have_a_limit()
    {
        Assert.Equal(WebSocketDefect.None, Defect(With(WebSocketRequest.MaxHeaders - 7, 1)));
        Assert.Equal(WebSocketDefect.BadRequest, Defect(With(WebSocketRequest.MaxHeaders - 6, 1)));
        Assert.Equal(WebSocketDefect.BadRequest, Defect(With(1, WebSocketRequest.MaxLength)));
    }

    [Fact]
    public void Reading_allocates_nothing()
    {
        var bytes = Encoding.ASCII.GetBytes(Example);

        Assert.Equal(0, Allocation.Of(() => WebSocketRequest.TryRead(bytes, out _, out _)));
    }

    private static string With(int headers, int length) =>
        Example.Replace("\r\n\r\n", $"\r\n{string.Concat(Enumerable.Repeat($"X: {new string('x', length)}\r\n", headers))}\r\n", StringComparison.Ordinal);

    private static WebSocketDefect Defect(string request)
    {
        WebSocketRequest.TryRead(Encoding.ASCII.GetBytes(request), out _, out var defect);
        return defect;
    }

    private static string Text(ReadOnlySpan<byte> bytes) => Encoding.ASCII.GetString(bytes);
}
