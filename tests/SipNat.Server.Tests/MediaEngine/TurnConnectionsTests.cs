using Microsoft.Extensions.Logging.Abstractions;
using SipNat.Server.MediaEngine;
using SipNat.Server.Tests.Transport;
using SipNat.Server.Transport;
using SipNat.Wire;

namespace SipNat.Server.Tests.MediaEngine;

public sealed class TurnConnectionsTests : IAsyncDisposable
{
    private static readonly FlowId Flow = new(7);

    // A Binding success with no attributes, ChannelData of 5 bytes with its padding, and ChannelData without any.
    private static readonly byte[] Stun = [0x01, 0x01, 0, 0, 0x21, 0x12, 0xA4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
    private static readonly byte[] Data = [0x40, 0, 0, 5, 1, 2, 3, 4, 5, 0, 0, 0];
    private static readonly byte[] Empty = [0x40, 1, 0, 0];

    private readonly TestAuthority _authority = new();
    private TurnConnections _connections = Create(TlsTrust.System);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await _connections.DisposeAsync();
        _authority.Dispose();
    }

    [Theory]
    [InlineData(false, 1)]
    [InlineData(false, 7)]
    [InlineData(false, 1000)]
    [InlineData(true, 7)]
    public async Task Messages_are_cut_whatever_the_pieces_they_come_in(bool isSecure, int pieceLength)
    {
        using var listener = new ScriptedTurnListener(isSecure ? _authority.Issue("turn.example") : null);
        await UseAsync(_authority.TrustFor("turn.example"));
        await using var server = await ConnectAsync(listener, isSecure ? "turn.example" : null);

        foreach (var piece in (byte[][])[.. ((byte[])[.. Stun, .. Data, .. Empty, .. Stun]).Chunk(pieceLength)])
        {
            await server.WriteAsync(piece, Cancel);
            await server.FlushAsync(Cancel);
        }

        foreach (var message in (byte[][])[Stun, Data, Empty, Stun]) Assert.Equal(Convert.ToHexString(message), await NextAsync());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_is_sent_arrives_in_order_also_when_a_close_follows(bool isSecure)
    {
        using var listener = new ScriptedTurnListener(isSecure ? _authority.Issue("turn.example") : null);
        await UseAsync(_authority.TrustFor("turn.example"));
        await using var server = await ConnectAsync(listener, isSecure ? "turn.example" : null);

        Assert.True(_connections.TrySend(Flow, Stun));
        Assert.True(_connections.TrySend(Flow, Data));
        _connections.Close(Flow);

        var received = new byte[Stun.Length + Data.Length];
        await server.ReadExactlyAsync(received, Cancel);
        Assert.Equal([.. Stun, .. Data], received);
        Assert.Equal(0, await server.ReadAsync(received, Cancel));
        await server.DisposeAsync();
        Assert.Equal($"Closed ByUs Closed {listener.Address}", await NextAsync());
        Assert.Equal((0, false), (_connections.Count, _connections.TrySend(Flow, Stun)));
        Assert.Equal(1, _connections.SendsDropped);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_is_sent_arrives_also_where_the_server_has_not_ended_its_own(bool isSecure)
    {
        using var listener = new ScriptedTurnListener(isSecure ? _authority.Issue("turn.example") : null);
        await UseAsync(_authority.TrustFor("turn.example"));
        await using var server = await ConnectAsync(listener, isSecure ? "turn.example" : null);
        byte[] many = [.. Enumerable.Repeat(Stun, 4_000).SelectMany(static message => message)];

        var sending = server.WriteAsync(many, Cancel).AsTask();
        Assert.True(_connections.TrySend(Flow, Data));
        _connections.Close(Flow);
        await sending;

        var received = new byte[Data.Length];
        await server.ReadExactlyAsync(received, Cancel);
        Assert.Equal(Data, received);
        Assert.Equal(0, await server.ReadAsync(received, Cancel));
    }

    [Fact]
    public async Task What_is_sent_before_it_opens_waits_for_it_up_to_a_number()
    {
        using var listener = new ScriptedTurnListener(_authority.Issue("turn.example"));
        await UseAsync(_authority.TrustFor("turn.example"));
        Assert.True(_connections.Open(Flow, TransportProtocol.Tls, default, listener.Address, "turn.example"));

        for (var i = 0; i < 16; i++) Assert.True(_connections.TrySend(Flow, Data));
        Assert.False(_connections.TrySend(Flow, Data));

        await using var server = (await listener.AcceptAsync(Cancel))!;
        var received = new byte[16 * Data.Length];
        await server.ReadExactlyAsync(received, Cancel);
        Assert.All(received.Chunk(Data.Length), static message => Assert.Equal(Data, message));
        Assert.Equal(1, _connections.SendsDropped);
    }

    [Fact]
    public async Task The_server_s_end_of_it_is_told_once()
    {
        using var listener = new ScriptedTurnListener();
        var server = await ConnectAsync(listener, null);

        await server.DisposeAsync();

        Assert.Equal($"Closed ByServer Closed {listener.Address}", await NextAsync());
        _connections.Close(Flow);
        Assert.False(_connections.TryTake(out _));
    }

    [Theory]
    [InlineData(new byte[] { 0x80 })]
    [InlineData(new byte[] { 0x50, 0, 0, 0 })]
    [InlineData(new byte[] { 0, 1, 0, 3 })]
    public async Task What_begins_no_message_ends_it(byte[] bytes)
    {
        using var listener = new ScriptedTurnListener();
        await using var server = await ConnectAsync(listener, null);

        await server.WriteAsync(bytes, Cancel);

        Assert.Equal($"Closed NotTurn Closed {listener.Address}", await NextAsync());
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_told()
    {
        using var listener = new ScriptedTurnListener();
        listener.Dispose();

        Assert.True(_connections.Open(Flow, TransportProtocol.Tcp, default, listener.Address, null));

        Assert.Equal($"Closed NotReached Refused {listener.Address}", await NextAsync());
    }

    [Theory]
    [InlineData("turn.example", "other.example", true)]
    [InlineData("turn.example", "127.0.0.1", true)]
    [InlineData("turn.example", "turn.example", false)]
    public async Task A_certificate_of_another_name_or_authority_is_refused(string expected, string actual, bool isTrusted)
    {
        using var listener = new ScriptedTurnListener(_authority.Issue(actual));
        if (isTrusted) await UseAsync(_authority.TrustFor(expected));

        Assert.True(_connections.Open(Flow, TransportProtocol.Tls, default, listener.Address, expected));
        await using var server = await listener.AcceptAsync(Cancel);

        Assert.Equal($"Closed CertificateRefused Refused {listener.Address}", await NextAsync());
    }

    [Fact]
    public async Task A_certificate_may_be_made_out_to_an_address()
    {
        using var listener = new ScriptedTurnListener(_authority.Issue("127.0.0.1"));
        await UseAsync(_authority.TrustFor("127.0.0.1"));

        await using var server = await ConnectAsync(listener, "127.0.0.1");
    }

    [Fact]
    public async Task A_server_that_does_not_speak_tls_is_not_reached()
    {
        using var listener = new ScriptedTurnListener();

        Assert.True(_connections.Open(Flow, TransportProtocol.Tls, default, listener.Address, "turn.example"));
        await using var server = (await listener.AcceptAsync(Cancel))!;
        await server.WriteAsync(Stun, Cancel);

        Assert.StartsWith("Closed ", await NextAsync(), StringComparison.Ordinal);
        Assert.Equal(0, _connections.Count);
    }

    [Fact]
    public async Task A_connection_that_is_being_made_can_be_closed()
    {
        using var listener = new ScriptedTurnListener(_authority.Issue("turn.example"));

        Assert.True(_connections.Open(Flow, TransportProtocol.Tls, default, listener.Address, "turn.example"));
        _connections.Close(Flow);

        Assert.Equal($"Closed ByUs Refused {listener.Address}", await NextAsync());
    }

    [Fact]
    public async Task What_a_server_does_not_read_is_dropped_message_by_message_and_the_rest_arrives()
    {
        using var listener = new ScriptedTurnListener();
        await using var server = await ConnectAsync(listener, null);
        var message = new byte[1204];
        (message[0], message[2], message[3]) = (0x40, 1200 >> 8, 1200 & 255);
        var sent = 0;

        for (var i = 0; i < 20_000; i++)
        {
            if (_connections.TrySend(Flow, message)) sent++;
        }

        _connections.Close(Flow);
        var (buffer, read) = (new byte[65536], 0);
        while (await server.ReadAsync(buffer, Cancel) is > 0 and var length) read += length;

        Assert.Equal(sent * message.Length, read);
        Assert.Equal(20_000 - sent, _connections.SendsDropped);
        Assert.NotEqual(0, _connections.SendsDropped);
    }

    [Fact]
    public void Tls_without_a_name_and_transports_without_connections_are_not_begun()
    {
        var server = TransportAddress.Parse("192.0.2.1:5349");

        Assert.False(_connections.Open(Flow, TransportProtocol.Tls, default, server, null));
        Assert.False(_connections.Open(Flow, TransportProtocol.Udp, default, server, null));
        Assert.Equal((0, false), (_connections.Count, _connections.TryTake(out _)));
    }

    private static TurnConnections Create(TlsTrust trust) => new(trust, TimeSpan.FromSeconds(5), NullLogger<TurnConnections>.Instance);

    private async Task UseAsync(TlsTrust trust)
    {
        await _connections.DisposeAsync();
        _connections = Create(trust);
    }

    private async Task<Stream> ConnectAsync(ScriptedTurnListener listener, string? tlsName)
    {
        var transport = tlsName is null ? TransportProtocol.Tcp : TransportProtocol.Tls;
        Assert.True(_connections.Open(Flow, transport, TransportAddress.Parse("127.0.0.1:0"), listener.Address, tlsName));
        var server = await listener.AcceptAsync(Cancel);
        Assert.Equal($"Opened {listener.Address}", await NextAsync());
        return server!;
    }

    // The next event as text; a message in hexadecimal. The engine's thread polls in the same way.
    private async Task<string> NextAsync()
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        limit.CancelAfter(TimeSpan.FromSeconds(10));
        while (true)
        {
            if (_connections.TryTake(out var happened))
            {
                Assert.Equal(Flow, happened.Flow);
                var text = happened.Kind switch
                {
                    TurnConnectionEventKind.Received => Convert.ToHexString(happened.Message),
                    TurnConnectionEventKind.Opened => $"Opened {happened.Change.Remote}",
                    _ => $"Closed {happened.End} {happened.Change.Kind} {happened.Change.Remote}",
                };
                _connections.Release(happened);
                return text;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(1), limit.Token);
        }
    }
}
