using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using SipNat.Endpoint.Dns;
using SipNat.Server.Hosting;
using SipNat.Server.Options;
using SipNat.Server.Tests.Archive;
using SipNat.Traversal.Turn;
using SipNat.Wire;

namespace SipNat.Server.Tests.Hosting;

/// <summary>From the keys of <c>Nat:TurnServers</c> to what is asked of the servers.</summary>
public sealed class TurnServersTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly ManualTime _time = new();
    private readonly Dictionary<string, string[]> _names = new(StringComparer.Ordinal);
    private readonly Dictionary<string, IReadOnlyList<LocatedServer>> _services = new(StringComparer.Ordinal);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Servers_are_given_with_their_addresses_credentials_and_the_name_that_tls_expects()
    {
        File.WriteAllText(_folder["password"], "pass word\n");
        _names["turn.example"] = ["192.0.2.1", "2001:db8::1", "192.0.2.2"];
        _names["relay.example"] = ["198.51.100.1"];
        var servers = Create(
            "Nat:Keepalive=00:00:15",
            "Nat:TurnServers:0:Uri=turn:turn.example",
            "Nat:TurnServers:0:Username=alice",
            "Nat:TurnServers:0:PasswordFile=password",
            "Nat:TurnServers:1:Uri=turns:relay.example:443",
            "Nat:TurnServers:2:Uri=turn:203.0.113.1?transport=tcp");
        Assert.Equal(["203.0.113.1:3478 Tcp   by "], servers.Current.Select(Text));

        Assert.True(await servers.ResolveAsync(Cancel));

        Assert.Equal(
            [
                "192.0.2.1:3478 Udp alice pass word by ",
                "[2001:db8::1]:3478 Udp alice pass word by ",
                "198.51.100.1:443 Tls   by relay.example",
                "203.0.113.1:3478 Tcp   by ",
                "192.0.2.2:3478 Udp alice pass word by ",
            ],
            servers.Current.Select(Text));
        Assert.All(servers.Current, static server => Assert.Equal(TimeSpan.FromSeconds(15), server.Options.KeepaliveBound));
        Assert.False(await servers.ResolveAsync(Cancel));
    }

    [Fact]
    public async Task Servers_that_the_dns_names_come_with_their_ports_and_transports()
    {
        _services["turn.example"] = [new(TransportProtocol.Tcp, TransportAddress.Parse("192.0.2.1:443")), new(TransportProtocol.Udp, TransportAddress.Parse("192.0.2.1:4000"))];
        _services["ported.example"] = [new(TransportProtocol.Udp, TransportAddress.Parse("192.0.2.66:1"))];
        _names["ported.example"] = ["192.0.2.2"];
        var servers = Create("Nat:TurnServers:0:Uri=turn:turn.example", "Nat:TurnServers:1:Uri=turn:ported.example:3478");

        await servers.ResolveAsync(Cancel);

        Assert.Equal(["192.0.2.1:443 Tcp   by ", "192.0.2.2:3478 Udp   by ", "192.0.2.1:4000 Udp   by "], servers.Current.Select(Text));
    }

    [Theory]
    [InlineData("turn:a.example", ServiceKind.Turn)]
    [InlineData("turn:a.example?transport=udp", ServiceKind.TurnUdp)]
    [InlineData("turn:a.example?transport=tcp", ServiceKind.TurnTcp)]
    [InlineData("turns:a.example", ServiceKind.Turns)]
    [InlineData("turn:a.example:3478", ServiceKind.None)]
    [InlineData("turn:192.0.2.1", ServiceKind.None)]
    public void The_dns_is_asked_for_what_a_uri_leaves_open(string text, ServiceKind expected)
    {
        Assert.True(TurnUri.TryParse(text, out var uri, out _));
        Assert.Equal(expected, ServiceLocator.NameOf(uri).Service);
    }

    [Fact]
    public void Time_limited_credentials_are_made_anew_when_half_their_life_is_over()
    {
        var servers = Create("Nat:TurnServers:0:Uri=turn:192.0.2.1", "Nat:TurnServers:0:Secret=north", "Nat:TurnServers:0:Username=recorder");
        var first = Assert.Single(servers.Current).Options.Credentials!;
        var expiry = (_time.GetUtcNow() + TimeSpan.FromHours(24)).ToUnixTimeSeconds();
        Assert.Equal((Name(expiry), Password(expiry)), (first.Username, first.Password));

        _time.Advance(TimeSpan.FromHours(11.9));
        Assert.False(servers.RenewIfDue());
        Assert.Same(first, servers.Current[0].Options.Credentials);

        _time.Advance(TimeSpan.FromHours(0.1));
        Assert.True(servers.RenewIfDue());
        Assert.Equal((Name(expiry + 43200), Password(expiry + 43200)), (servers.Current[0].Options.Credentials!.Username, servers.Current[0].Options.Credentials!.Password));

        // A clock that was ahead and is put right: the server would take the old ones for ones of the far future.
        _time.Wall = TimeSpan.Zero;
        Assert.True(servers.RenewIfDue());
        Assert.Equal(Name(expiry), servers.Current[0].Options.Credentials!.Username);

        static string Name(long at) => $"{at}:recorder";
        static string Password(long at) => Convert.ToBase64String(HMACSHA1.HashData(Encoding.ASCII.GetBytes("north"), Encoding.ASCII.GetBytes(Name(at))));
    }

    [Theory]
    [InlineData("Uri=turn://turn.example", "Nat:TurnServers:0:Uri = turn://turn.example (--set): must be turn:HOST[:PORT], turn:HOST[:PORT]?transport=tcp or turns:HOST[:PORT], with [ADDRESS] for IPv6; no // comes before the host (RFC 7065).")]
    [InlineData("Uri=turn:alice@turn.example", "; the user goes into a key of its own, Username.")]
    [InlineData("Uri=turn:turn.example:99999", "; the port is a number from 1 to 65535.")]
    [InlineData("Uri=turns:turn.example?transport=udp", "; DTLS (turns with transport=udp) is not available.")]
    [InlineData("Uri=stun:turn.example", "with [ADDRESS] for IPv6.")]
    [InlineData("Username=alice", "Nat:TurnServers:0:Uri: must be set: where the server is, such as turn:turn.example.com.|Nat:TurnServers:0:Username = alice (--set): needs a Password, or a Secret that both sides know.")]
    [InlineData("Uri=turn:turn.example Password=word", "Nat:TurnServers:0:Username: must be set beside a Password.")]
    [InlineData("Uri=turn:turn.example Username=alice", "Nat:TurnServers:0:Username = alice (--set): needs a Password, or a Secret that both sides know.")]
    [InlineData("Uri=turn:turn.example Username=alice Password=word Secret=north", "Nat:TurnServers:0:Username = alice (--set): has both a Password and a Secret: one of them has to go.")]
    [InlineData("Uri=turn:turn.example Username=alice Password=word PasswordFile=password", "Nat:TurnServers:0:Password (--set): is set, and so is Nat:TurnServers:0:PasswordFile: one of them has to go.")]
    [InlineData("Uri=turn:turn.example Username=e\u0301", "must have no control or invisible characters, and letters with accents as one character each (RFC 8265 §4.2).")]
    [InlineData("Uri=turn:turn.example Ca=ca.pem", "Nat:TurnServers:0:Ca = ca.pem (--set): has a meaning only for turns: servers.")]
    [InlineData("Uri=turns:turn.example Ca=empty.pem", "Nat:TurnServers:0:Ca = empty.pem (--set): must be a PEM file that holds a certificate.")]
    [InlineData("Uri=turns:turn.example Ca=missing.pem", "Nat:TurnServers:0:Ca = missing.pem (--set): must be a PEM file that holds a certificate: ")]
    [InlineData("Uri=turn:turn.example Name=alice", "Nat:TurnServers:0:Name (--set): is not a known key; the nearest known one is Nat:TurnServers:N:")]
    public void A_wrong_setting_is_told(string settings, string errors)
    {
        WriteCa();
        File.WriteAllText(_folder["empty.pem"], "");

        var result = Load([.. settings.Split(' ').Select(static setting => $"Nat:TurnServers:0:{setting}")]);

        foreach (var (error, told) in errors.Split('|').Zip(result.Errors)) Assert.Contains(error, told.ToString(), StringComparison.Ordinal);
        Assert.Equal(errors.Split('|').Length, result.Errors.Count);
    }

    [Fact]
    public void More_servers_than_are_asked_at_once_are_refused()
    {
        var error = Assert.Single(Load([.. Enumerable.Range(0, 9).Select(static i => $"Nat:TurnServers:{i}:Uri=turn:192.0.2.{i + 1}")]).Errors);

        Assert.Equal("Nat:TurnServers:8:Uri = turn:192.0.2.9 (--set): is one too many: at most 8 servers are asked at once.", error.ToString());
    }

    [Fact]
    public void An_authority_is_read_and_no_text_of_the_options_shows_a_password()
    {
        WriteCa();

        var options = Load("Nat:TurnServers:0:Uri=turns:turn.example", "Nat:TurnServers:0:Username=alice", "Nat:TurnServers:0:Password=word", "Nat:TurnServers:0:Ca=ca.pem").Options!;

        var server = Assert.Single(options.Nat.TurnServers);
        Assert.Equal((_folder["ca.pem"], "turns:turn.example"), (server.Ca, server.ToString()));
        Assert.DoesNotContain("word", options.ToString(), StringComparison.Ordinal);
    }

    private TurnServers Create(params string[] settings)
    {
        var nat = Load(settings).OptionsOrThrow().Nat;
        var names = new HostNames(nat.TurnServers.Select(static server => ServiceLocator.NameOf(server.Uri)), _time, NullLogger<HostNames>.Instance)
        {
            Locate = (name, _) => Task.FromResult(_services.GetValueOrDefault(name.Host, [])),
            Lookup = (host, _) => Task.FromResult(_names[host].Select(IPAddress.Parse).ToArray()),
        };
        return new(nat, _time, names);
    }

    private static string Text(TurnServer server) =>
        $"{server.Options.Server} {server.Options.Transport} {server.Options.Credentials?.Username} {server.Options.Credentials?.Password} by {server.TlsName}";

    private void WriteCa()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Test authority", key, HashAlgorithmName.SHA256);
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UnixEpoch, new(2100, 1, 1, 0, 0, 0, TimeSpan.Zero));
        File.WriteAllText(_folder["ca.pem"], certificate.ExportCertificatePem());
    }

    private ConfigurationResult Load(params string[] settings) => ConfigurationLoader.Load(new ConfigurationInputs
    {
        Settings = settings,
        CurrentDirectory = _folder.Path,
        ProgramDirectory = _folder.Path,
    });
}
