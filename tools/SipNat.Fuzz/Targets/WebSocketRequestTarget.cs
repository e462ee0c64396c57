using System.Text;
using SipNat.Fuzz.Engine;
using SipNat.Sip.WebSockets;

namespace SipNat.Fuzz.Targets;

/// <summary>The request that opens a WebSocket.</summary>
internal sealed class WebSocketRequestTarget : IFuzzTarget
{
    private const string Request =
        "GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: http://www.example.com\r\nSec-WebSocket-Protocol: sip, superchat\r\nSec-WebSocket-Version: 13\r\n\r\n";

    public string Name => "websocket-request";

    public string Promise => "what is taken has a host, a path and a key of 24 characters, without line ends in them; nothing is allocated";

    public int MaxLength => WebSocketRequest.MaxLength + 64;

    public IReadOnlyList<byte[]> Tokens { get; } =
    [
        .. ((string[])["\r\n", "\r\n\r\n", "\r", "\n", ": ", "GET /", " HTTP/1.1", "Host: a\r\n", "Origin: ", "Connection: keep-alive, Upgrade\r\n", "Sec-WebSocket-Version: 8\r\n", "sip", ",", "\0"]).Select(Encoding.ASCII.GetBytes),
    ];

    public IEnumerable<byte[]> Seeds(Corpus corpus)
    {
        yield return Encoding.ASCII.GetBytes(Request);
        yield return Encoding.ASCII.GetBytes(Request.Replace("GET /chat", "GET /ws?x=1", StringComparison.Ordinal).Replace("Upgrade: websocket", "upgrade:WebSocket", StringComparison.Ordinal));
    }

    public long AllowedBytes(int inputLength) => 0;

    public int Run(ReadOnlySpan<byte> input)
    {
        if (!WebSocketRequest.TryRead(input, out var request, out var defect)) return (int)defect;

        Invariant.Holds(input.Length <= WebSocketRequest.MaxLength && input.EndsWith("\r\n\r\n"u8), "A request is whole and of bounded length.");
        Invariant.Holds(request.Target is [(byte)'/', ..] && request.Host.Length > 0 && request.Key.Length == 24, "A request has a path, a host and a key.");
        Invariant.Holds(!request.Host.ContainsAny((byte)'\r', (byte)'\n') && !request.Origin.ContainsAny((byte)'\r', (byte)'\n'), "No line end is in a field.");
        return HashCode.Combine(defect, request.Origin.IsEmpty);
    }
}
