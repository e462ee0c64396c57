using System.Net;
using System.Net.Sockets;
using SipNat.Endpoint.Dns;
using SipNat.Lab.Tests.Scene;
using SipNat.NatLab;
using SipNat.NatLab.Processes;
using SipNat.Server.Transport;
using SipNat.Traversal.Turn;
using SipNat.Wire;

namespace SipNat.Lab.Tests.Relay;

/// <summary>The resolver on real sockets, against dnsmasq on loopback, IPv4 and IPv6.</summary>
public sealed class DnsServerTests : IAsyncLifetime
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(10);

    private readonly int _port = FreePort();
    private LabProcess _server = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await Laboratory.RequireAsync("dnsmasq");
        _server = LabProcess.Start(
            LabRequirements.Find("dnsmasq")!,
            [
                "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--user=root", "--log-facility=-", "--log-queries", "--pid-file",
                $"--port={_port}", "--listen-address=127.0.0.1", "--listen-address=::1", "--bind-interfaces", "--local=/example/", "--local-ttl=300",
                "--host-record=relay.example,192.0.2.1,2001:db8::1", "--host-record=spare.example,192.0.2.2", "--cname=www.example,relay.example",
                "--srv-host=_turn._udp.example,relay.example,3478,10,0", "--srv-host=_turn._udp.example,spare.example,4000,20,0",
                "--srv-host=_stun._udp.example,spare.example,3479,10,0",
                "--naptr-record=example,100,10,s,RELAY:turn.udp,,_turn._udp.example", "--naptr-record=example,100,20,a,RELAY:turn.tcp,,spare.example",
                .. Enumerable.Range(1, 60).Select(static i => $"--host-record=many.example,198.51.100.{i}"),
            ]);
        await _server.WaitForTextAsync("started, version", StartLimit, Cancel);
    }

    public ValueTask DisposeAsync() => _server?.DisposeAsync() ?? ValueTask.CompletedTask;

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public async Task Names_aliases_and_absences_are_told(string server)
    {
        await using var client = new DnsClient(OptionsFor(server));

        Assert.Equal(["192.0.2.1"], await HostsAsync(client, "relay.example", DnsType.A));
        Assert.Equal(["2001:db8::1"], await HostsAsync(client, "relay.example", DnsType.Aaaa));
        Assert.Equal(["192.0.2.1"], await HostsAsync(client, "www.example", DnsType.A));
        Assert.Equal(DnsOutcome.NoSuchName, (await client.AskAsync("none.example", DnsType.A, Cancel)).Outcome);
        Assert.Equal(DnsOutcome.NoData, (await client.AskAsync("spare.example", DnsType.Aaaa, Cancel)).Outcome);
    }

    [Fact]
    public async Task An_answer_that_does_not_fit_comes_over_tcp()
    {
        await using var client = new DnsClient(OptionsFor("127.0.0.1"));

        var hosts = await HostsAsync(client, "many.example", DnsType.A);

        Assert.Equal(Enumerable.Range(1, 60).Select(static i => $"198.51.100.{i}").Order(StringComparer.Ordinal), hosts.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_passed_over()
    {
        var options = OptionsFor("127.0.0.1");
        await using var client = new DnsClient(options with { Servers = [TransportAddress.Parse($"127.0.0.1:{FreePort()}"), .. options.Servers] });

        Assert.Equal(["192.0.2.1"], await HostsAsync(client, "relay.example", DnsType.A));
    }

    [Fact]
    public async Task The_servers_of_a_domain_are_found_for_turn_and_stun()
    {
        await using var client = new DnsClient(OptionsFor("127.0.0.1"));
        Assert.True(TurnUri.TryParse("turn:example", out var uri, out _));

        var turn = await client.LocateAsync(ServerLookup.ForTurn(uri, new Random(1)), Cancel);
        var stun = await client.LocateAsync(ServerLookup.ForStun("example", new Random(1)), Cancel);

        Assert.Equal(["Udp 192.0.2.1:3478", "Udp [2001:db8::1]:3478", "Udp 192.0.2.2:4000", "Tcp 192.0.2.2:3478"], turn.Select(Text));
        Assert.Equal(["Udp 192.0.2.2:3479"], stun.Select(Text));
    }

    private static string Text(LocatedServer server) => $"{server.Transport} {server.Address}";

    private static async Task<string[]> HostsAsync(DnsClient client, string name, DnsType type)
    {
        var result = await client.AskAsync(name, type, Cancel);
        Assert.Equal(DnsOutcome.Answered, result.Outcome);
        return [.. result.Records.Cast<DnsRecord.Host>().Select(static host => host.Address.AddressText)];
    }

    private DnsResolverOptions OptionsFor(string server) => new() { Servers = [new(IPAddress.Parse(server), _port)] };

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
