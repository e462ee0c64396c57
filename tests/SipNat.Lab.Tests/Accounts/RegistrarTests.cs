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
