using System.Net;
using System.Net.Sockets;
using System.Text;
using SipNat.Wire;

namespace SipNat.Server.Tests.Transport;

public sealed class TcpFlowTests
{
    private const string Message = "OPTIONS sip:a@b SIP/2.0\r\nContent-Length: 4\r\n\r\nbody";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Messages_are_framed_whatever_the_pieces_they_come_in()
    {
        await using var running = RunningHost.Start(RunningHost.AnyTcp);
        using var client = running.Client(SocketType.Stream);
        Assert.Equal($"Opened Tcp {client.LocalEndPoint}", await running.Core.NextAsync());

        await SendAsync(client, Message + Message[..30]);
        Assert.Equal(Message, await running.Core.NextAsync());
        await SendAsync(client, Message[30..]);
        Assert.Equal(Message, await running.Core.NextAsync());

        Assert.Equal(Message + Message, await ReadAsync(client, Message.Length * 2));
    }

    [Fact]
    public async Task A_ping_is_answered_with_a_pong_and_reaches_no_core() // RFC 5626 §4.4.1
    {
        await using var running = RunningHost.Start(RunningHost.AnyTcp);
        using var client = running.Client(SocketType.Stream);
        await running.Core.NextAsync();

        await SendAsync(client, "\r\n\r\n");

        Assert.Equal("\r\n", await ReadAsync(client, 2));
        Assert.True(running.Core.IsQuiet);
    }

    [Fact]
    public async Task What_was_queued_is_sent_before_the_core_s_close_ends_the_connection()
    {
        await using var running = RunningHost.Start(RunningHost.AnyTcp);
        using var client = running.Client(SocketType.Stream);
        var opened = await running.Core.NextAsync();
        running.Core.OnDatagram = (_, flow, from) =>
        {
            running.Core.Outbox.Add(flow, from, "good"u8);
            running.Core.Outbox.Add(flow, from, "bye"u8);
            running.Core.Request(new(FlowRequestKind.Close, flow, TransportProtocol.Tcp, from));
        };

        await SendAsync(client, Message);

        Assert.Equal("goodbye", await ReadToEndAsync(client));
        Assert.Equal(Message, await running.Core.NextAsync());
        Assert.Equal(opened.Replace("Opened", "Closed", StringComparison.Ordinal), await running.Core.NextAsync());
    }

    [Fact]
    public async Task A_stream_that_cannot_be_framed_is_closed()
    {
        await using var running = RunningHost.Start(RunningHost.AnyTcp);
        using var client = running.Client(SocketType.Stream);
        await running.Core.NextAsync();

        await SendAsync(client, "GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n");

        await ReadToEndAsync(client);
        Assert.StartsWith("GET", await running.Core.NextAsync(), StringComparison.Ordinal);
        Assert.StartsWith("Closed", await running.Core.NextAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("OPTIONS sip:a@b SIP/2.0\r\n")]
    [InlineData("\r\n\r\n")]
    public async Task A_peer_that_never_finishes_a_message_is_closed(string beginning)
    {
        await using var running = RunningHost.Start(RunningHost.AnyTcp, new() { MessageTimeout = TimeSpan.FromMilliseconds(100) });
        using var client = running.Client(SocketType.Stream);
        await running.Core.NextAsync();

        await SendAsync(client, beginning);

        await ReadToEndAsync(client);
        Assert.StartsWith("Closed", await running.Core.NextAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_peer_that_has_spoken_may_be_silent()
    {
        await using var running = RunningHost.Start(RunningHost.AnyTcp, new() { MessageTimeout = TimeSpan.FromMilliseconds(100) });
        using var client = running.Client(SocketType.Stream);
        await running.Core.NextAsync();
        await SendAsync(client, Message + "\r\n");
        await running.Core.NextAsync();

        await Task.Delay(300, Cancel);
        await SendAsync(client, Message);

        Assert.Equal(Message, await running.Core.NextAsync());
    }

    [Fact]
    public async Task Connections_past_the_cap_of_one_source_are_closed_at_once()
    {
        await using var running = RunningHost.Start(RunningHost.AnyTcp, new() { MaxConnectionsPerSource = 2 });
        using var first = running.Client(SocketType.Stream);
        using var second = running.Client(SocketType.Stream);
        await running.Core.NextAsync();
        await running.Core.NextAsync();

        using var third = running.Client(SocketType.Stream);

        Assert.Equal("", await ReadToEndAsync(third));
        first.Dispose();
        Assert.StartsWith("Closed", await running.Core.NextAsync(), StringComparison.Ordinal);
        using var fourth = running.Client(SocketType.Stream);
        Assert.Equal($"Opened Tcp {fourth.LocalEndPoint}", await running.Core.NextAsync());
    }

    [Fact]
    public async Task Strangers_have_few_connections_each_and_together_and_leave_room_for_the_others()
    {
        NetworkPrefix[] allowed = [NetworkPrefix.Parse("127.0.0.1")];
        await using var running = RunningHost.Start(RunningHost.AnyTcp, new() { AllowedNetworks = allowed, MaxConnectionsPerStranger = 2, MaxConnectionsOfStrangers = 3 });
        var open = new List<Socket>();
        foreach (var (address, isServed) in new[] { ("127.0.0.2", true), ("127.0.0.2", true), ("127.0.0.2", false), ("127.0.0.3", true), ("127.0.0.4", false), ("127.0.0.1", true) })
        {
            var socket = running.Client(SocketType.Stream, address);
            open.Add(socket);
            if (isServed) Assert.Equal($"Opened Tcp {socket.LocalEndPoint}", await running.Core.NextAsync());
            else Assert.Equal("", await ReadToEndAsync(socket));
        }

        open[0].Dispose();
        Assert.StartsWith("Closed", await running.Core.NextAsync(), StringComparison.Ordinal);
        open.Add(running.Client(SocketType.Stream, "127.0.0.4"));
        Assert.Equal($"Opened Tcp {open[^1].LocalEndPoint}", await running.Core.NextAsync());
        open.ForEach(socket => socket.Dispose());
    }

    [Fact]
    public async Task A_peer_that_does_not_read_loses_the_connection_and_not_our_memory()
    {
        await using var running = RunningHost.Start(RunningHost.AnyTcp, new() { MaxQueuedBytes = 100_000 });
        using var client = running.Client(SocketType.Stream);
        await running.Core.NextAsync();
        running.Core.OnDatagram = (_, flow, from) =>
        {
            for (var i = 0; i < 1000; i++) running.Core.Outbox.Add(flow, from, new byte[60_000]);
        };

        await SendAsync(client, Message);

        Assert.Equal(Message, await running.Core.NextAsync());
        while (!(await running.Core.NextAsync()).StartsWith("Closed", StringComparison.Ordinal))
        {
        }
    }

    [Fact]
    public async Task The_core_s_connection_is_made_and_carries_both_ways()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        var remote = TransportAddress.From((IPEndPoint)listener.LocalEndPoint!);
        await using var running = RunningHost.Start(RunningHost.AnyTcp);

        running.Host.Post(_ => running.Core.Request(new(FlowRequestKind.Connect, default, TransportProtocol.Tcp, remote)));
        using var peer = await listener.AcceptAsync(Cancel);

        Assert.Equal($"Opened Tcp {remote}", await running.Core.NextAsync());
        await SendAsync(peer, Message);
        Assert.Equal(Message, await ReadAsync(peer, Message.Length));
    }

    [Theory]
    [InlineData(TransportProtocol.Tcp, "127.0.0.1:1")]
    [InlineData(TransportProtocol.Tls, "127.0.0.1:5061")]
    [InlineData(TransportProtocol.Udp, "127.0.0.1:5060")]
    public async Task A_connection_that_cannot_be_made_is_refused(TransportProtocol transport, string remote)
    {
        await using var running = RunningHost.Start(RunningHost.AnyTcp);

        running.Host.Post(_ => running.Core.Request(new(FlowRequestKind.Connect, default, transport, TransportAddress.Parse(remote))));

        Assert.Equal($"Refused {transport} {remote}", await running.Core.NextAsync());
    }

    [Fact]
    public async Task Connections_past_the_cap_of_those_being_made_are_refused_in_the_same_turn()
    {
        await using var running = RunningHost.Start(RunningHost.AnyTcp, new() { MaxConnecting = 0 });
        running.Host.Post(_ => running.Core.Request(new(FlowRequestKind.Connect, default, TransportProtocol.Tcp, TransportAddress.Parse("127.0.0.1:9"))));

        Assert.Equal("Refused Tcp 127.0.0.1:9", await running.Core.NextAsync());
    }

    private static async Task SendAsync(Socket socket, string text)
    {
        if (text.Length > 0) await socket.SendAsync(Encoding.ASCII.GetBytes(text), Cancel);
    }

    private static async Task<string> ReadAsync(Socket socket, int length)
    {
        var buffer = new byte[length];
        var read = 0;
        while (read < length) read += await ReadSomeAsync(socket, buffer.AsMemory(read)) is > 0 and var count ? count : throw new EndOfStreamException();
        return Encoding.ASCII.GetString(buffer);
    }

    private static async Task<string> ReadToEndAsync(Socket socket)
    {
        var text = new StringBuilder();
        var buffer = new byte[4096];
        try
        {
            while (await ReadSomeAsync(socket, buffer) is > 0 and var count) text.Append(Encoding.ASCII.GetString(buffer.AsSpan(0, count)));
        }
        catch (SocketException reset) when (reset.SocketErrorCode is SocketError.ConnectionReset)
        {
            text.Append("");
        }

        return text.ToString();
    }

    private static async Task<int> ReadSomeAsync(Socket socket, Memory<byte> buffer)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        deadline.CancelAfter(TimeSpan.FromSeconds(5));
        return await socket.ReceiveAsync(buffer, deadline.Token);
    }
}
