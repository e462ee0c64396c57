using System.Net;
using System.Text.Json;
using SipNat.Lab.Tests.Scene;
using SipNat.NatLab;
using SipNat.NatLab.Processes;
using SipNat.NatLab.Topology;

namespace SipNat.Lab.Tests.Accounts;

/// <summary>Accounts with Kamailio, which nobody here wrote, through the kernel's NAT.</summary>
public sealed class RegistrarTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    // A strict registrar believes the Contact; behind a symmetric NAT and over a connection that is all the same right, as
    // the Contact is where the registrar itself saw us.
    public static TheoryData<NatBehaviour, bool, string> Ways => new()
    {
        { NatBehaviour.Open, false, "Udp" },
        { NatBehaviour.FullCone, false, "Udp" },
        { NatBehaviour.AddressRestricted, false, "Udp" },
        { NatBehaviour.PortRestricted, false, "Udp" },
        { NatBehaviour.Symmetric, false, "Udp" },
        { NatBehaviour.Symmetric, true, "Udp" },
        { NatBehaviour.Symmetric, true, "Tcp" },
    };

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task A_line_is_registered_and_reached_after_silence(NatBehaviour nat, bool fixesNat, string transport)
    {
        await using var lab = await Laboratory.CreateAsync(new() { Left = nat }, "kamailio", "python3");
        await using var registrar = await KamailioRegistrar.StartAsync(lab, fixesNat);
        if (nat is not NatBehaviour.Open) await lab.Router("natA").SetUdpTimeoutAsync(TimeSpan.FromSeconds(4), Cancel);
        await using var line = Start(lab, "--duration", "12", "--set", $"Accounts:0:Transport={transport}", "--set", "Nat:Keepalive=00:00:02");

        var report = await ReportAsync(line);
        await Task.Delay(TimeSpan.FromSeconds(6), Cancel);
        var answer = await registrar.CallAsync("100");

        Assert.True(report.GetProperty("registered").GetBoolean());
        Assert.Equal(200, report.GetProperty("status").GetInt32());
        Assert.Equal("none", report.GetProperty("alg").GetString());
        Assert.Equal("SIP/2.0 200 OK", answer);
        Assert.Equal(0, await line.WaitForExitAsync(Limit, Cancel));
        Assert.StartsWith("SIP/2.0 404", await registrar.CallAsync("100"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Over_tls_the_certificate_has_to_name_the_registrar()
    {
        await using var lab = await Laboratory.CreateAsync(new() { Left = NatBehaviour.PortRestricted }, "kamailio", "python3", "openssl");
        using var folder = new TemporaryFolder();
        var tls = ServerCertificate.Write(folder.Info, KamailioRegistrar.Address);
        await using var registrar = await KamailioRegistrar.StartAsync(lab, fixesNat: true, tls: tls);

        await using var trusted = Start(lab, "--set", "Accounts:0:Transport=Tls", "--set", $"Accounts:0:Ca={tls.Certificate}");
        var report = await ReportAsync(trusted);
        Assert.True(report.GetProperty("registered").GetBoolean());
        Assert.Equal("tls", report.GetProperty("transport").GetString());
        Assert.Equal(0, await trusted.WaitForExitAsync(Limit, Cancel));

        await using var untrusted = Start(lab, "--set", "Accounts:0:Transport=Tls");
        Assert.Equal(3, await untrusted.WaitForExitAsync(Limit, Cancel));
        Assert.Contains("cannot be trusted", untrusted.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_registrar_that_asks_is_shown_the_certificate_of_the_account()
    {
        await using var lab = await Laboratory.CreateAsync(new() { Left = NatBehaviour.PortRestricted }, "kamailio", "python3");
        using var folder = new TemporaryFolder();
        using var other = new TemporaryFolder();
        var tls = ServerCertificate.Write(folder.Info, KamailioRegistrar.Address);
        var ours = ServerCertificate.Write(other.Info, "10.0.1.2");
        await using var registrar = await KamailioRegistrar.StartAsync(lab, fixesNat: true, tls: tls, clientCa: ours.Certificate);
        string[] arguments = ["--set", "Accounts:0:Transport=Tls", "--set", $"Accounts:0:Ca={tls.Certificate}"];

        await using var known = Start(lab, [.. arguments, "--set", $"Accounts:0:Certificate={ours.Certificate}", "--set", $"Accounts:0:Key={ours.Key}"]);
        Assert.True((await ReportAsync(known)).GetProperty("registered").GetBoolean());
        Assert.Equal(0, await known.WaitForExitAsync(Limit, Cancel));

        await using var unknown = Start(lab, arguments);
        Assert.Equal(3, await unknown.WaitForExitAsync(Limit, Cancel));
    }

    [Theory]
    [InlineData("Ws")]
    [InlineData("Wss")]
    public async Task A_line_is_registered_and_reached_by_websocket_on_the_ports_of_the_web(string transport)
    {
        await using var lab = await Laboratory.CreateAsync(new() { Left = NatBehaviour.Symmetric }, "kamailio", "python3");
        using var folder = new TemporaryFolder();
        var tls = ServerCertificate.Write(folder.Info, KamailioRegistrar.Address);
        await using var registrar = await KamailioRegistrar.StartAsync(lab, fixesNat: true, tls: tls, webSocketPath: "/sip");
        string[] arguments = ["--set", $"Accounts:0:Transport={transport}", "--set", $"Accounts:0:Ca={tls.Certificate}"];

        await using var line = Start(lab, ["--duration", "6", "--set", "Accounts:0:WebSocketPath=/sip", .. arguments]);
        var report = await ReportAsync(line);
        Assert.Equal((true, transport.ToLowerInvariant()), (report.GetProperty("registered").GetBoolean(), report.GetProperty("transport").GetString()));
        Assert.Equal("SIP/2.0 200 OK", await registrar.CallAsync("100"));
        Assert.Equal(0, await line.WaitForExitAsync(Limit, Cancel));

        await using var astray = Start(lab, arguments);
        Assert.Equal(3, await astray.WaitForExitAsync(Limit, Cancel));
        Assert.Contains("404", astray.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Openssl_is_served_by_a_listener_on_tls_that_asks_for_its_certificate()
    {
        await using var lab = await Laboratory.CreateAsync(new(), "openssl");
        using var folder = new TemporaryFolder();
        using var other = new TemporaryFolder();
        var tls = ServerCertificate.Write(folder.Info, KamailioRegistrar.Address);
        var client = ServerCertificate.Write(other.Info, "203.0.113.2");
        await using var server = lab.Host("srv").Start(
            ServerProcess.DotnetPath,
            [
                BuiltPrograms.Server, "serve", "--set", $"Sip:Listen:0=tls://{KamailioRegistrar.Address}", "--set", $"Sip:Tls:Certificate={tls.Certificate}", "--set", $"Sip:Tls:Key={tls.Key}",
                "--set", $"Sip:Tls:ClientCa={client.Certificate}", "--set", "Sip:AllowedNetworks:0=203.0.113.0/24", "--set", "Http:Listen=http://127.0.0.1:0",
                "--set", $"Recording:Directory={folder.Info.FullName}/recordings", "--set", $"Recording:Database=Data Source={folder.Info.FullName}/catalogue.db",
            ]);
        await server.WaitForTextAsync("ready", Limit, Cancel);

        const string Ask = "printf 'OPTIONS sip:recorder@203.0.113.1 SIP/2.0\\r\\nVia: SIP/2.0/TLS 203.0.113.1:9;branch=z9hG4bK1\\r\\nMax-Forwards: 70\\r\\nFrom: <sip:a@203.0.113.1>;tag=1\\r\\nTo: <sip:b@203.0.113.1>\\r\\nCall-ID: 1@lab\\r\\nCSeq: 1 OPTIONS\\r\\nContent-Length: 0\\r\\n\\r\\n'; sleep 1";
        async Task<string> AskAsync(string more) => await lab.Host("srv").RunAsync(
            "sh", ["-c", $"({Ask}) | openssl s_client -quiet -no_ign_eof -verify_return_error -verify_ip {KamailioRegistrar.Address} -CAfile {tls.Certificate} -connect {KamailioRegistrar.Address}:5061 {more} 2>&1 || true"], stop: Cancel);

        Assert.Contains("SIP/2.0 200 OK", await AskAsync($"-cert {client.Certificate} -key {client.Key}"), StringComparison.Ordinal);
        Assert.DoesNotContain("SIP/2.0", await AskAsync(""), StringComparison.Ordinal);
        server.Terminate();
        Assert.Equal(0, await server.WaitForExitAsync(Limit, Cancel));
    }

    [Fact]
    public async Task A_wrong_password_is_told_with_exit_code_1()
    {
        await using var lab = await Laboratory.CreateAsync(new(), "kamailio", "python3");
        await using var registrar = await KamailioRegistrar.StartAsync(lab);
        await using var line = Start(lab, "--set", "Accounts:0:Password=guess");

        Assert.Equal(1, await line.WaitForExitAsync(Limit, Cancel));

        using var report = JsonDocument.Parse(line.Output);
        Assert.False(report.RootElement.GetProperty("registered").GetBoolean());
        Assert.Contains("Username or password are wrong", report.RootElement.GetProperty("text").GetString(), StringComparison.Ordinal);
        Assert.DoesNotContain("guess", line.Output + line.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_renumbered_router_is_followed_within_35_seconds()
    {
        await using var lab = await Laboratory.CreateAsync(new() { Left = NatBehaviour.PortRestricted }, "kamailio", "python3");
        await using var registrar = await KamailioRegistrar.StartAsync(lab, nonceSeconds: 5);
        await using var line = Start(lab, "--duration", "60");
        await ReportAsync(line);

        await lab.Router("natA").RenumberAsync(IPAddress.Parse("203.0.113.11"), Cancel);
        var began = TimeProvider.System.GetTimestamp();
        var answer = "";
        while (answer != "SIP/2.0 200 OK" && TimeProvider.System.GetElapsedTime(began) < TimeSpan.FromSeconds(40)) answer = await registrar.CallAsync("100");

        Assert.Equal("SIP/2.0 200 OK", answer);
        Assert.InRange(TimeProvider.System.GetElapsedTime(began).TotalSeconds, 0, 35);
        line.Interrupt();
        Assert.Equal(130, await line.WaitForExitAsync(Limit, Cancel));
    }

    [Fact]
    public async Task The_server_refreshes_short_leases_with_nonces_that_run_out_and_leaves_no_binding_behind()
    {
        await using var lab = await Laboratory.CreateAsync(new() { Left = NatBehaviour.PortRestricted }, "kamailio", "python3");
        await using var registrar = await KamailioRegistrar.StartAsync(lab, nonceSeconds: 5, leaseSeconds: 15);
        using var folder = new TemporaryFolder();
        await using var server = lab.Host("hostA").Start(
            ServerProcess.DotnetPath,
            [
                BuiltPrograms.Server, "serve", "--set", $"Accounts:0:Uri=sip:100@{KamailioRegistrar.Address}", "--set", "Accounts:0:Password=secret",
                "--set", $"Recording:Directory={folder.Info.FullName}/recordings", "--set", $"Recording:Database=Data Source={folder.Info.FullName}/catalogue.db",
            ]);
        await server.WaitForTextAsync("Account 100@203.0.113.1: registered at", Limit, Cancel);

        await Task.Delay(TimeSpan.FromSeconds(32), Cancel);
        Assert.Equal("SIP/2.0 200 OK", await registrar.CallAsync("100"));

        server.Terminate();
        Assert.Equal(0, await server.WaitForExitAsync(Limit, Cancel));
        Assert.StartsWith("SIP/2.0 404", await registrar.CallAsync("100"), StringComparison.Ordinal);
        Assert.DoesNotContain("secret", server.Error, StringComparison.Ordinal);
    }

    private static LabProcess Start(NatLaboratory lab, params string[] arguments) => lab.Host("hostA").Start(
        ServerProcess.DotnetPath,
        [
            BuiltPrograms.Server, "register", "--json", "--set", $"Accounts:0:Uri=sip:100@{KamailioRegistrar.Address}", "--set", "Accounts:0:Password=secret", .. arguments,
        ]);

    private static async Task<JsonElement> ReportAsync(LabProcess line)
    {
        await line.WaitForTextAsync("\"schema\"", Limit, Cancel);
        using var document = JsonDocument.Parse(line.Output);
        return document.RootElement.Clone();
    }

    private sealed class TemporaryFolder : IDisposable
    {
        public DirectoryInfo Info { get; } = Directory.CreateTempSubdirectory("sipnat-tls");

        public void Dispose() => Info.Delete(recursive: true);
    }
}
