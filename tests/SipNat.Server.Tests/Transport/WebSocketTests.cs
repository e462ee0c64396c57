using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using SipNat.Server.Hosting;
using SipNat.Server.Options;
using SipNat.Server.Transport;
using SipNat.Sip.Messages;
using SipNat.Wire;

namespace SipNat.Server.Tests.Transport;

/// <summary>SIP over WebSocket (RFC 7118): the client is the framework's, or bytes of RFC 6455.</summary>
public sealed class WebSocketTests : IDisposable
{
    private const string Options = "OPTIONS sip:a@127.0.0.1 SIP/2.0\r\nTo: <sip:é@example.com>\r\n\r\n";

    // RFC 6455 §1.3.
    private const string Handshake =
        "GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: http://example.com\r\nSec-WebSocket-Protocol: sip, superchat\r\nSec-WebSocket-Version: 13\r\n\r\n";

    private readonly TestAuthority _authority = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _authority.Dispose();

    [Theory]
    [InlineData("ws")]
    [InlineData("wss")]
    public async Task Each_message_is_one_of_sip_in_however_many_fragments(string scheme)
    {
        await using var host = Start(scheme);
        using var client = await ConnectAsync(host, scheme);
        Assert.StartsWith($"Opened {(scheme == "ws" ? "Ws" : "Wss")} 127.0.0.1:", await host.Core.NextAsync(), StringComparison.Ordinal);

        var bytes = Encoding.UTF8.GetBytes(Options);
        await client.SendAsync(bytes.AsMemory(0, 10), WebSocketMessageType.Binary, endOfMessage: false, Cancel);
        await client.SendAsync(bytes.AsMemory(10), WebSocketMessageType.Binary, endOfMessage: false, Cancel);
        await client.SendAsync(default(Memory<byte>), WebSocketMessageType.Binary, endOfMessage: true, Cancel);

        await host.Core.NextAsync();
        Assert.Equal((WebSocketMessageType.Text, Options), await ReceiveAsync(client));
        await client.SendAsync("\r\n\r\n"u8.ToArray(), WebSocketMessageType.Text, endOfMessage: true, Cancel);
        Assert.Equal((WebSocketMessageType.Text, "\r\n"), await ReceiveAsync(client));

        await client.CloseAsync(WebSocketCloseStatus.NormalClosure, null, Cancel);
        Assert.StartsWith("Closed", await host.Core.NextAsync(), StringComparison.Ordinal);
        Assert.Equal(WebSocketCloseStatus.NormalClosure, client.CloseStatus);
    }

    [Fact]
    public async Task A_message_that_is_no_text_goes_as_bytes()
    {
        await using var host = Start("ws");
        using var client = await ConnectAsync(host, "ws");

        await client.SendAsync(new byte[] { (byte)'a', 0xFF }, WebSocketMessageType.Binary, endOfMessage: true, Cancel);

        Assert.Equal(WebSocketMessageType.Binary, (await ReceiveAsync(client)).Type);
    }

    [Fact]
    public async Task A_message_that_is_too_long_ends_the_connection()
    {
        await using var host = Start("ws");
        using var client = await ConnectAsync(host, "ws");

        await client.SendAsync(new byte[SipMessage.MaxLength + 1], WebSocketMessageType.Binary, endOfMessage: true, Cancel);

        var end = await client.ReceiveAsync(new byte[1], Cancel);
        Assert.Equal((WebSocketMessageType.Close, WebSocketCloseStatus.MessageTooBig), (end.MessageType, client.CloseStatus));
    }

    [Fact]
    public async Task The_handshake_of_the_rfc_gets_its_answer()
    {
        Assert.Equal(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: sip\r\n\r\n",
            await AskAsync(Handshake, "http://example.com"));
    }

    [Theory]
    [InlineData("Origin: http://example.com", "Origin: http://evil.example", "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")]
    [InlineData("sip, superchat", "superchat", "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")]
    [InlineData("Version: 13", "Version: 8", "HTTP/1.1 426 Upgrade Required\r\nSec-WebSocket-Version: 13\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")]
    [InlineData("Upgrade: websocket\r\n", "", "HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")]
    [InlineData("GET", "POST", "HTTP/1.1 405 Method Not Allowed\r\nAllow: GET\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")]
    [InlineData("\r\n\r\n", "\r\n\r\nmore", "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")]
    public async Task Another_one_is_told_what_would_be_right_and_closed(string part, string other, string answer) =>
        Assert.Equal(answer, await AskAsync(Handshake.Replace(part, other, StringComparison.Ordinal), "http://example.com"));

    [Fact]
    public async Task A_script_of_any_page_is_kept_out_where_none_was_named() =>
        Assert.StartsWith("HTTP/1.1 403", await AskAsync(Handshake), StringComparison.Ordinal);

    [Fact]
    public async Task Our_own_client_speaks_to_a_path_of_its_account()
    {
        await using var host = Start("wss");
        var account = SipTlsTests.Account() with { Ca = _authority.File, WebSocketPath = "/ws?x=1" };
        var core = new EchoCore();
        await using var client = Connect(core, host, account, TransportProtocol.Wss);

        Assert.Equal($"Opened Wss {host.Host.Bound.Single().Address}", await core.NextAsync());
        client.Post(_ => core.Outbox.Add(new(1), host.Host.Bound.Single().Address, Encoding.UTF8.GetBytes(Options)));
        await host.Core.NextAsync();
        Assert.Equal(Encoding.ASCII.GetString(Encoding.UTF8.GetBytes(Options)), await host.Core.NextAsync());
    }

    [Fact]
    public async Task Who_opens_no_websocket_is_refused_with_his_own_word()
    {
        await using var host = Start("tcp");
        host.Core.Echoes = false;
        host.Core.OnDatagram = (_, flow, from) => host.Core.Outbox.Add(flow, from, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"u8);
        var core = new EchoCore();
        await using var client = Connect(core, host, SipTlsTests.Account(), TransportProtocol.Ws);

        Assert.StartsWith("Refused Ws", await core.NextAsync(), StringComparison.Ordinal);
        Assert.Equal("The server returned status code '404' when status code '101' was expected.", core.Reason);
    }

    private static CoreHost Connect(EchoCore core, RunningHost server, AccountSettings account, TransportProtocol transport)
    {
        var trust = TlsTrust.From(new SipNatOptions { Accounts = [account] }, TimeProvider.System, NullLoggerFactory.Instance);
        var host = new CoreHost(core, new ServerClock(TimeProvider.System), new FlowIds(), new(), NullLoggerFactory.Instance, new() { Trust = trust });
        host.Post(_ => core.Request(new(FlowRequestKind.Connect, default, transport, server.Host.Bound.Single().Address) { TlsName = "sip.example" }));
        return host;
    }

    private static async Task<ClientWebSocket> ConnectAsync(RunningHost host, string scheme)
    {
        var client = new ClientWebSocket();
        client.Options.AddSubProtocol("sip");
        client.Options.RemoteCertificateValidationCallback = static (_, _, _, _) => true;
        await client.ConnectAsync(new($"{scheme}://{host.EndPoint}/"), Cancel);
        Assert.Equal("sip", client.SubProtocol);
        return client;
    }

    private static async Task<(WebSocketMessageType Type, string Text)> ReceiveAsync(WebSocket client)
    {
        var buffer = new byte[4096];
        var received = await client.ReceiveAsync(buffer, Cancel);
        Assert.True(received.EndOfMessage);
        return (received.MessageType, Encoding.UTF8.GetString(buffer, 0, received.Count));
    }

    private async Task<string> AskAsync(string request, params string[] origins)
    {
        await using var host = Start("ws", origins);
        using var client = host.Client(SocketType.Stream);
        await client.SendAsync(Encoding.ASCII.GetBytes(request), Cancel);
        var buffer = new byte[1024];
        var length = await client.ReceiveAsync(buffer, Cancel);
        return Encoding.ASCII.GetString(buffer, 0, length);
    }

    private RunningHost Start(string scheme, params string[] origins)
    {
        var files = _authority.Write(_authority.Issue("sip.example"));
        var transport = Enum.Parse<TransportProtocol>(scheme, ignoreCase: true);
        return RunningHost.Start(
            new(transport, TransportAddress.Parse("127.0.0.1:0")),
            connections: new() { Server = TlsServer.From(files, TimeProvider.System, NullLoggerFactory.Instance), WebSocketOrigins = origins });
    }
}
