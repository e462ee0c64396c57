using System.Net.Sockets;
using SipNat.NatLab.Processes;
using SipNat.Server.MediaEngine;
using SipNat.Server.Options;
using SipNat.Server.Transport;
using SipNat.Traversal.Stun;
using SipNat.Traversal.Turn;
using SipNat.Wire;

namespace SipNat.Lab.Tests.Relay;

/// <summary>TURN by coturn, with coturn's echo as the peer.</summary>
public sealed class TurnServerTests : IAsyncDisposable
{
    private readonly LabProcess _peerProcess;
    private readonly TransportAddress _peer;

    public TurnServerTests() => (_peerProcess, _peer) = Coturn.StartPeer("127.0.0.1");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _peerProcess.DisposeAsync();

    [Theory]
    [InlineData(TransportProtocol.Udp)]
    [InlineData(TransportProtocol.Tcp)]
    [InlineData(TransportProtocol.Tls)]
    public async Task Packets_pass_by_indications_and_by_a_channel(TransportProtocol transport)
    {
        using var authority = await OpenSslAuthority.CreateAsync(Coturn.Name, Cancel);
        await using var server = await Coturn.StartAsync(authority);
        await using var host = new RelayHost(Trust(authority));
        host.Add(OptionsFor(server, transport), Coturn.Name);
        await host.AllocateAsync();
        Assert.Equal("127.0.0.1", host.Winner.Relayed!.Value.AddressText);

        await host.PermitAsync(_peer);
        foreach (var text in (string[])["a", "ab", "abc", "abcd", new('x', 1200)]) await host.EchoAsync(_peer, text);

        await host.PermitAsync(_peer, withChannel: true);
        foreach (var text in (string[])["b", "bc", "bcd", "bcde", new('y', 1200)]) await host.EchoAsync(_peer, text);
    }

    [Fact]
    public async Task A_relay_of_ipv6_reaches_peers_of_ipv6()
    {
        var (process, peer) = Coturn.StartPeer("::1");
        await using var end = process;
        await using var server = await Coturn.StartAsync();
        await using var host = new RelayHost();
        host.Add(OptionsFor(server) with { RelayedFamily = AddressFamily.InterNetworkV6 });

        await host.AllocateAsync();

        Assert.Equal("::1", host.Winner.Relayed!.Value.AddressText);
        await host.PermitAsync(peer, withChannel: true);
        await host.EchoAsync(peer, "hello");
    }

    [Fact]
    public async Task Time_limited_credentials_are_taken()
    {
        await using var server = await Coturn.StartWithAsync(null, ["--use-auth-secret", "--static-auth-secret", "north"]);
        await using var host = new RelayHost();
        host.Add(OptionsFor(server) with { Credentials = StunCredentials.TimeLimited("north", "recorder", TimeProvider.System.GetUtcNow(), TimeSpan.FromHours(1)) });

        await host.AllocateAsync();

        await host.PermitAsync(_peer);
        await host.EchoAsync(_peer, "hello");
    }

    [Theory]
    [InlineData("secret", -1)]
    [InlineData("south", 1)]
    public async Task A_wrong_secret_and_credentials_that_ran_out_are_told(string secret, int hours)
    {
        await using var server = await Coturn.StartWithAsync(null, ["--use-auth-secret", "--static-auth-secret", "secret"]);
        await using var host = new RelayHost();
        host.Add(OptionsFor(server) with { Credentials = StunCredentials.TimeLimited(secret, "recorder", TimeProvider.System.GetUtcNow(), TimeSpan.FromHours(hours)) });

        host.Start();
        await host.RunAsync(() => host.Events.Count > 0, "a refusal");

        Assert.Equal([$"TURN server {server.Address} gives no relay: the username or password is wrong (401)."], host.Events);
    }

    [Fact]
    public async Task Stale_nonces_and_the_refreshes_of_silence_interrupt_nothing() // 438
    {
        await using var server = await Coturn.StartAsync(null, "--stale-nonce=2");
        await using var host = new RelayHost();
        host.Add(OptionsFor(server));
        await host.AllocateAsync();
        await host.PermitAsync(_peer, withChannel: true);

        for (var i = 0; i < 3; i++)
        {
            await host.EchoAsync(_peer, $"packet {i}");
            await host.RunForAsync(2.5);
        }

        Assert.Equal(3, host.Events.Count);
        Assert.Contains("error 438", server.Log, StringComparison.Ordinal);
        Assert.Contains("refreshed", server.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_allocation_that_was_forgotten_is_ended_and_another_one_made() // 437
    {
        await using var server = await Coturn.StartAsync();
        await using var host = new RelayHost();
        var first = host.Add(OptionsFor(server));
        await host.AllocateAsync();

        host.Replace(first);
        await host.AllocateAsync();

        await host.PermitAsync(_peer);
        await host.EchoAsync(_peer, "hello");
        Assert.Contains("error 437", server.Log, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(TransportProtocol.Udp)]
    [InlineData(TransportProtocol.Tcp)]
    public async Task A_server_that_is_killed_and_begins_anew_is_found_again_with_its_peers(TransportProtocol transport)
    {
        await using var server = await Coturn.StartAsync();
        await using var host = new RelayHost();
        host.Add(OptionsFor(server, transport));
        await host.AllocateAsync();
        await host.PermitAsync(_peer, withChannel: true);
        await host.EchoAsync(_peer, "before");
        var relayed = host.Winner.Relayed!.Value;

        await server.KillAsync();
        await server.StartAsync();
        await host.EchoAsync(_peer, "after", seconds: 10);

        Assert.Contains(host.Events, text => text.StartsWith($"The relayed address {relayed} ", StringComparison.Ordinal) && text.Contains("is lost", StringComparison.Ordinal));
    }

    [Fact]
    public async Task When_the_winner_dies_while_packets_flow_another_server_takes_its_place()
    {
        await using var left = await Coturn.StartAsync();
        await using var right = await Coturn.StartAsync();
        await using var host = new RelayHost();
        host.Add(OptionsFor(left));
        host.Add(OptionsFor(right));
        await host.AllocateAsync();
        await host.PermitAsync(_peer);
        await host.EchoAsync(_peer, "before");
        var winner = host.Winner;

        await (winner.Server == left.Address ? left : right).KillAsync();
        await host.RunAsync(() => host.HasOtherWinner(winner), "another winner", seconds: 12);
        await host.PermitAsync(_peer);
        await host.EchoAsync(_peer, "after");
    }

    [Theory]
    [InlineData(TransportProtocol.Udp)]
    [InlineData(TransportProtocol.Tcp)]
    [InlineData(TransportProtocol.Tls)]
    public async Task A_server_that_names_another_one_is_followed(TransportProtocol transport) // RFC 8489 §10
    {
        using var authority = await OpenSslAuthority.CreateAsync(Coturn.Name, Cancel);
        await using var second = await Coturn.StartAsync(authority);
        await using var first = await Coturn.StartAsync(
            authority, "--alternate-server", second.Address.ToString(), "--tls-alternate-server", second.TlsAddress.ToString());
        await using var host = new RelayHost(Trust(authority));
        host.Add(OptionsFor(first, transport), Coturn.Name);

        await host.AllocateAsync();

        Assert.Equal(transport is TransportProtocol.Tls ? second.TlsAddress : second.Address, host.Winner.Server);
        await host.PermitAsync(_peer);
        await host.EchoAsync(_peer, "hello");
    }

    [Fact]
    public async Task A_server_that_names_one_with_another_certificate_is_not_followed()
    {
        using var authority = await OpenSslAuthority.CreateAsync(Coturn.Name, Cancel);
        using var stranger = await OpenSslAuthority.CreateAsync("stranger.example", Cancel);
        await using var second = await Coturn.StartAsync(stranger);
        await using var first = await Coturn.StartAsync(authority, "--tls-alternate-server", second.TlsAddress.ToString());
        await using var host = new RelayHost(Trust(authority));
        host.Add(OptionsFor(first, TransportProtocol.Tls), Coturn.Name);

        host.Start();
        await host.RunAsync(() => host.Ends.Contains(TurnConnectionEnd.CertificateRefused), "the end");

        Assert.Contains($"TURN server {second.TlsAddress} gives no relay: the connection closed.", host.Events);
    }

    private static TurnServerOptions OptionsFor(Coturn server, TransportProtocol transport = TransportProtocol.Udp) => new()
    {
        Server = transport is TransportProtocol.Tls ? server.TlsAddress : server.Address,
        Transport = transport,
        Credentials = new("alice", "secret"),
    };

    private static TlsTrust Trust(OpenSslAuthority authority) => TlsTrust.From(new()
    {
        TurnServers = [new TurnServerSettings { Uri = new TurnUri(true, Coturn.Name, 0, null), Ca = authority.Authority }],
    });
}
