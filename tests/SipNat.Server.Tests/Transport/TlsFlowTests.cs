using Microsoft.Extensions.Logging.Abstractions;
using SipNat.Server.Hosting;
using SipNat.Server.Tests.MediaEngine;
using SipNat.Server.Transport;
using SipNat.Wire;

namespace SipNat.Server.Tests.Transport;

/// <summary>Connections with TLS that a core asks for, to a TURN server.</summary>
public sealed class TlsFlowTests : IDisposable
{
    private static readonly byte[] Data = [0x40, 0, 0, 4, (byte)'d', (byte)'a', (byte)'t', (byte)'a'];

    private readonly TestAuthority _authority = new();
    private readonly EchoCore _core = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _authority.Dispose();

    [Fact]
    public async Task Messages_go_both_ways_by_a_server_whose_certificate_is_the_name_s()
    {
        using var listener = new ScriptedTurnListener(_authority.Issue("turn.example"));
        await using var host = Connect(listener, "turn.example");
        await using var server = (await listener.AcceptAsync(Cancel))!;
        Assert.Equal($"Opened Tls {listener.Address}", await _core.NextAsync());

        await server.WriteAsync(Data, Cancel);

        Assert.Equal("@\0\0\u0004data", await _core.NextAsync());
        var echo = new byte[Data.Length];
        await server.ReadExactlyAsync(echo, Cancel);
        Assert.Equal(Data, echo);
    }

    [Theory]
    [InlineData("other.example")]
    [InlineData(null)]
    public async Task Without_the_name_there_is_no_connection(string? name)
    {
        using var listener = new ScriptedTurnListener(_authority.Issue("turn.example"));
        await using var host = Connect(listener, name);
        if (name is not null) await listener.AcceptAsync(Cancel);

        Assert.Equal($"Refused Tls {listener.Address}", await _core.NextAsync());
    }

    private CoreHost Connect(ScriptedTurnListener listener, string? name)
    {
        var options = new ConnectionOptions { Framing = StreamFraming.Turn, Trust = _authority.TrustFor("turn.example", "other.example") };
        var host = new CoreHost(_core, new ServerClock(TimeProvider.System), new FlowIds(), new(), NullLoggerFactory.Instance, options);
        host.Post(_ => _core.Request(new(FlowRequestKind.Connect, default, TransportProtocol.Tls, listener.Address) { TlsName = name }));
        return host;
    }
}
