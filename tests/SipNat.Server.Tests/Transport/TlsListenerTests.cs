using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using SipNat.Server.Options;
using SipNat.Server.Tests.Hosting;
using SipNat.Server.Transport;

namespace SipNat.Server.Tests.Transport;

/// <summary>Connections with TLS that clients make, by the TLS of the framework.</summary>
public sealed class TlsListenerTests : IDisposable
{
    private const string Options = "OPTIONS sip:a@127.0.0.1 SIP/2.0\r\nContent-Length: 0\r\n\r\n";

    private readonly TestAuthority _authority = new();
    private readonly ManualTime _time = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _authority.Dispose();

    [Fact]
    public async Task Messages_go_both_ways_and_a_keepalive_is_answered()
    {
        await using var host = Start();
        await using var client = await ConnectAsync(host);
        Assert.StartsWith("Opened Tls 127.0.0.1:", await host.Core.NextAsync(), StringComparison.Ordinal);

        await client.WriteAsync(Encoding.ASCII.GetBytes(Options), Cancel);
        Assert.Equal(Options, await host.Core.NextAsync());
        Assert.Equal(Options, await ReadAsync(client, Options.Length));

        await client.WriteAsync("\r\n\r\n"u8.ToArray(), Cancel);
        Assert.Equal("\r\n", await ReadAsync(client, 2));
    }

    [Fact]
    public async Task A_certificate_that_was_replaced_is_shown_to_the_next_client_and_the_first_stays_connected()
    {
        await using var host = Start();
        await using var first = await ConnectAsync(host);
        var before = first.RemoteCertificate!.GetCertHashString();

        _authority.Write(_authority.Issue("sip.example"));
        _time.Advance(TimeSpan.FromSeconds(2));
        await using var second = await ConnectAsync(host);

        Assert.NotEqual(before, second.RemoteCertificate!.GetCertHashString());
        await first.WriteAsync(Encoding.ASCII.GetBytes(Options), Cancel);
        Assert.Equal(Options, await ReadAsync(first, Options.Length));
    }

    [Fact]
    public async Task A_certificate_that_does_not_fit_its_key_leaves_the_former_in_place()
    {
        await using var host = Start();
        await using var first = await ConnectAsync(host);

        var files = _authority.Write(_authority.Issue("sip.example"));
        await File.WriteAllTextAsync(files.Certificate, _authority.Issue("sip.example").ExportCertificatePem(), Cancel);
        _time.Advance(TimeSpan.FromSeconds(2));
        await using var second = await ConnectAsync(host);

        Assert.Equal(first.RemoteCertificate!.GetCertHashString(), second.RemoteCertificate!.GetCertHashString());
    }

    [Fact]
    public async Task Where_clients_need_a_certificate_only_one_of_the_authority_opens_a_flow()
    {
        using var stranger = new TestAuthority();
        await using var host = Start(options => options with { ClientCa = _authority.File });

        await AssertEndedAsync(host, null);
        await AssertEndedAsync(host, stranger.Issue("client.example"));
        await using var known = await ConnectAsync(host, _authority.Issue("client.example"));

        Assert.StartsWith("Opened Tls", await host.Core.NextAsync(), StringComparison.Ordinal);
        await known.WriteAsync(Encoding.ASCII.GetBytes(Options), Cancel);
        Assert.Equal(Options, await host.Core.NextAsync());
    }

    [Fact]
    public async Task A_peer_that_begins_no_tls_is_let_go_in_time_and_keeps_others_from_nothing()
    {
        var limits = new TransportLimits { HandshakeTimeout = TimeSpan.FromMilliseconds(300), MaxHandshakesPerSource = 2 };
        await using var host = Start(limits: limits);
        using var silent = host.Client(SocketType.Stream);
        using var another = host.Client(SocketType.Stream);
        using var third = host.Client(SocketType.Stream, "127.0.0.2");

        Assert.Equal(0, await silent.ReceiveAsync(new byte[1], Cancel));
        Assert.Equal(0, await another.ReceiveAsync(new byte[1], Cancel));
        await using var served = await ConnectAsync(host);
        Assert.StartsWith("Opened Tls", await host.Core.NextAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stranger_begins_two_connections_at_a_time_and_the_third_ends_at_once()
    {
        var limits = new TransportLimits { AllowedNetworks = [], HandshakeTimeout = TimeSpan.FromMinutes(1) };
        await using var host = Start(limits: limits);
        using var first = host.Client(SocketType.Stream);
        using var second = host.Client(SocketType.Stream);
        using var third = host.Client(SocketType.Stream);

        Assert.Equal(0, await third.ReceiveAsync(new byte[1], Cancel));
        Assert.Equal(0, first.Available + second.Available);
    }

    private RunningHost Start(Func<SipTlsOptions, SipTlsOptions>? change = null, TransportLimits? limits = null)
    {
        var options = _authority.Write(_authority.Issue("sip.example"));
        var server = TlsServer.From(change?.Invoke(options) ?? options, _time, NullLoggerFactory.Instance);
        return RunningHost.Start(RunningHost.AnyTls, limits, connections: new() { Server = server });
    }

    private static async Task<SslStream> ConnectAsync(RunningHost host, X509Certificate2? certificate = null)
    {
        var stream = new SslStream(new NetworkStream(host.Client(SocketType.Stream), ownsSocket: true));
        await stream.AuthenticateAsClientAsync(
            new()
            {
                TargetHost = "sip.example",
                ClientCertificates = certificate is null ? null : [certificate],
                // Who the server is is none of what is looked at here.
                RemoteCertificateValidationCallback = static (_, _, _, _) => true,
            },
            Cancel);
        return stream;
    }

    // With TLS 1.3 a client takes itself for connected before the server has looked at its certificate.
    private static async Task AssertEndedAsync(RunningHost host, X509Certificate2? certificate)
    {
        try
        {
            await using var client = await ConnectAsync(host, certificate);
            Assert.Equal(0, await client.ReadAsync(new byte[1], Cancel));
        }
        catch (Exception error) when (error is IOException or AuthenticationException)
        {
            Assert.True(host.Core.IsQuiet);
        }

        Assert.True(host.Core.IsQuiet);
    }

    private static async Task<string> ReadAsync(SslStream stream, int length)
    {
        var bytes = new byte[length];
        await stream.ReadExactlyAsync(bytes, Cancel);
        return Encoding.ASCII.GetString(bytes);
    }
}
