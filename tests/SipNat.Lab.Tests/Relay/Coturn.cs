using System.Net;
using System.Net.Sockets;
using SipNat.Lab.Tests.Scene;
using SipNat.NatLab;
using SipNat.NatLab.Processes;
using SipNat.Wire;

namespace SipNat.Lab.Tests.Relay;

/// <summary>coturn on loopback, IPv4 and IPv6, on ports of its own; and coturn's program that sends back what it hears.</summary>
internal sealed class Coturn : IAsyncDisposable
{
    public const string Name = "turn.example";

    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(10);

    private readonly string[] _arguments;
    private LabProcess _process = null!;

    private Coturn(OpenSslAuthority? authority, string[] arguments)
    {
        (Address, TlsAddress) = (Loopback(FreePort()), Loopback(FreePort()));
        _arguments =
        [
            "-n", "--log-file", "stdout", "--pidfile", Path.Combine(Path.GetTempPath(), $"sipnat-coturn-{Address.Port}.pid"),
            "--no-cli", "--no-dtls", "--verbose", "--allow-loopback-peers", "--realm", "example.org",
            "-L", "127.0.0.1", "-L", "::1", "-E", "127.0.0.1", "-E", "::1",
            "--listening-port", $"{Address.Port}", "--tls-listening-port", $"{TlsAddress.Port}",
            .. authority is null ? ["--no-tls"] : (string[])["--cert", authority.Certificate, "--pkey", authority.Key],
            .. arguments,
        ];
    }

    /// <summary>UDP and TCP.</summary>
    public TransportAddress Address { get; }

    public TransportAddress TlsAddress { get; }

    /// <summary>Everything that it logged since it was started last.</summary>
    public string Log => _process.Output;

    /// <summary>Starts a server with the user alice, password secret.</summary>
    public static Task<Coturn> StartAsync(OpenSslAuthority? authority = null, params string[] arguments) =>
        StartWithAsync(authority, ["--lt-cred-mech", "--user", "alice:secret", .. arguments]);

    public static async Task<Coturn> StartWithAsync(OpenSslAuthority? authority, string[] arguments)
    {
        await Laboratory.RequireAsync("turnserver", "turnutils_peer", "openssl");
        var server = new Coturn(authority, arguments);
        await server.StartAsync();
        return server;
    }

    /// <summary>Begins anew on the same ports.</summary>
    public async Task StartAsync()
    {
        _process = LabProcess.Start(LabRequirements.Find("turnserver")!, _arguments);
        await _process.WaitForTextAsync("Total General servers", StartLimit, TestContext.Current.CancellationToken);
    }

    /// <summary>Ends it without a word to anybody.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.DisposeAsync();
    }

    /// <summary>Starts coturn's echo on an address of loopback.</summary>
    public static (LabProcess Process, TransportAddress Address) StartPeer(string address)
    {
        var port = FreePort();
        var peer = LabProcess.Start(LabRequirements.Find("turnutils_peer")!, ["-L", address, "-p", $"{port}"]);
        return (peer, new(IPAddress.Parse(address), port));
    }

    public ValueTask DisposeAsync() => _process.DisposeAsync();

    private static TransportAddress Loopback(int port) => new(IPAddress.Loopback, port);

    // Free for both transports a moment ago.
    private static int FreePort()
    {
        using var udp = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        udp.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)udp.LocalEndPoint!).Port;
    }
}
