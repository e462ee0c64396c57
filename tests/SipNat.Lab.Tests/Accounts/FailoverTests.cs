using System.Text.Json;
using SipNat.Lab.Tests.Scene;
using SipNat.NatLab;
using SipNat.NatLab.Processes;
using SipNat.NatLab.Topology;

namespace SipNat.Lab.Tests.Accounts;

/// <summary>What goes wrong between an account and Kamailio, and how soon calls arrive again: within 35 s, always.</summary>
public sealed class FailoverTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Promise = TimeSpan.FromSeconds(35);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Where_one_of_two_registrars_dies_calls_arrive_by_the_other()
    {
        await using var lab = await Laboratory.CreateAsync(new() { Left = NatBehaviour.PortRestricted }, "kamailio", "python3", LabDns.Program);
        await using var dns = await LabDns.StartAsync(lab);
        await using var first = await KamailioRegistrar.StartAsync(lab);
        await using var second = await KamailioRegistrar.StartAsync(lab, address: KamailioRegistrar.OtherAddress);
        await using var line = Start(lab, LabDns.Domain);
        Assert.Equal($"{KamailioRegistrar.Address}:5060", (await ReportAsync(line)).GetProperty("registrar").GetString());

        await first.CutOffAsync();

        await AssertReachedAsync(second);
    }

    // RFC 5626 §4.2 by Kamailio's outbound_mode: it is not first noticed that one is gone.
    [Fact]
    public async Task Where_an_account_has_two_flows_and_one_of_two_registrars_dies_calls_arrive_by_the_other_all_the_while()
    {
        await using var lab = await Laboratory.CreateAsync(new() { Left = NatBehaviour.PortRestricted }, "kamailio", KamailioRegistrar.OutboundModule, "python3", LabDns.Program);
        await using var dns = await LabDns.StartAsync(lab);
        await using var first = await KamailioRegistrar.StartAsync(lab, isOutbound: true);
        await using var second = await KamailioRegistrar.StartAsync(lab, address: KamailioRegistrar.OtherAddress, isOutbound: true);
        await using var line = Start(lab, LabDns.Domain, "--set", "Accounts:0:Flows=2");
        var report = await ReportAsync(line);
        Assert.Equal(
            [$"{KamailioRegistrar.Address}:5060 True", $"{KamailioRegistrar.OtherAddress}:5060 True"],
            report.GetProperty("flows").EnumerateArray().Select(flow => $"{flow.GetProperty("registrar").GetString()} {flow.GetProperty("registered").GetBoolean()}"));
        Assert.Equal(20, report.GetProperty("keepaliveSeconds").GetDouble());

        await first.CutOffAsync();

        Assert.Equal("SIP/2.0 200 OK", await second.CallAsync("100"));
    }

    [Fact]
    public async Task A_registrar_that_knows_nothing_of_flows_is_registered_with_once()
    {
        await using var lab = await Laboratory.CreateAsync(new() { Left = NatBehaviour.PortRestricted }, "kamailio", "python3", LabDns.Program);
        await using var dns = await LabDns.StartAsync(lab);
        await using var first = await KamailioRegistrar.StartAsync(lab);
        await using var second = await KamailioRegistrar.StartAsync(lab, address: KamailioRegistrar.OtherAddress);
        await using var line = Start(lab, LabDns.Domain, "--set", "Accounts:0:Flows=2");

        var report = await ReportAsync(line);

        Assert.Equal([true, false], report.GetProperty("flows").EnumerateArray().Select(flow => flow.GetProperty("registered").GetBoolean()));
        Assert.Equal("SIP/2.0 200 OK", await first.CallAsync("100"));
        Assert.StartsWith("SIP/2.0 404", await second.CallAsync("100"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_registrar_that_was_restarted_and_has_forgotten_its_bindings_is_registered_with_anew()
    {
        await using var lab = await Laboratory.CreateAsync(new() { Left = NatBehaviour.Symmetric }, "kamailio", "python3");
        await using var registrar = await KamailioRegistrar.StartAsync(lab);
        await using var line = Start(lab, KamailioRegistrar.Address);
        await ReportAsync(line);

        await registrar.RestartAsync();
        Assert.StartsWith("SIP/2.0 404", await registrar.CallAsync("100"), StringComparison.Ordinal);

        await AssertReachedAsync(registrar);
    }

    [Fact]
    public async Task A_router_that_was_without_power_for_twenty_seconds_is_no_longer_in_the_way_of_calls()
    {
        await using var lab = await Laboratory.CreateAsync(new() { Left = NatBehaviour.PortRestricted }, "kamailio", "python3");
        await using var registrar = await KamailioRegistrar.StartAsync(lab);
        await using var line = Start(lab, KamailioRegistrar.Address);
        await ReportAsync(line);

        await lab.Router("natA").RebootAsync(TimeSpan.FromSeconds(20), Cancel);

        await AssertReachedAsync(registrar);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Through_the_sip_gateway_of_the_kernel_calls_arrive(bool fixesNat)
    {
        await using var lab = await Laboratory.CreateAsync(new() { Left = NatBehaviour.PortRestricted, Alg = true }, "kamailio", "python3");
        await using var registrar = await KamailioRegistrar.StartAsync(lab, fixesNat);
        await using var line = Start(lab, KamailioRegistrar.Address);
        await ReportAsync(line);

        await AssertReachedAsync(registrar);
    }

    [Fact]
    public async Task A_busy_registrar_is_passed_over_for_the_next_one()
    {
        await using var lab = await Laboratory.CreateAsync(new() { Left = NatBehaviour.PortRestricted }, "kamailio", "python3", LabDns.Program);
        await using var dns = await LabDns.StartAsync(lab);
        await using var first = await KamailioRegistrar.StartAsync(lab, script: """append_to_reply("Retry-After: 300\r\n"); sl_send_reply("503", "Maintenance"); exit;""");
        await using var second = await KamailioRegistrar.StartAsync(lab, address: KamailioRegistrar.OtherAddress);
        await using var line = Start(lab, LabDns.Domain);

        var report = await ReportAsync(line);

        Assert.Equal($"{KamailioRegistrar.OtherAddress}:5060", report.GetProperty("registrar").GetString());
        await AssertReachedAsync(second);
    }

    [Fact]
    public async Task A_lease_that_is_too_brief_is_asked_for_again_as_the_registrar_wants_it()
    {
        await using var lab = await Laboratory.CreateAsync(new(), "kamailio", "python3");
        await using var registrar = await KamailioRegistrar.StartAsync(
            lab, script: """if ($(hdr(Expires){s.int}) < 1800) { append_to_reply("Min-Expires: 1800\r\n"); sl_send_reply("423", "Interval Too Brief"); exit; }""");
        await using var line = Start(lab, KamailioRegistrar.Address, "--set", "Accounts:0:Expires=00:10:00");

        var report = await ReportAsync(line);

        Assert.True(report.GetProperty("registered").GetBoolean());
        Assert.InRange(report.GetProperty("expiresSeconds").GetDouble(), 1795, 1800);
    }

    private static LabProcess Start(NatLaboratory lab, string domain, params string[] arguments) => lab.Host("hostA").Start(
        ServerProcess.DotnetPath,
        [
            BuiltPrograms.Server, "register", "--json", "--duration", "120", "--set", $"Accounts:0:Uri=sip:100@{domain}", "--set", "Accounts:0:Password=secret", .. arguments,
        ]);

    private static async Task<JsonElement> ReportAsync(LabProcess line)
    {
        await line.WaitForTextAsync("\"schema\"", Limit, Cancel);
        using var document = JsonDocument.Parse(line.Output);
        return document.RootElement.Clone();
    }

    private static async Task AssertReachedAsync(KamailioRegistrar registrar)
    {
        var began = TimeProvider.System.GetTimestamp();
        var answer = "";
        while (answer != "SIP/2.0 200 OK" && TimeProvider.System.GetElapsedTime(began) < Promise + TimeSpan.FromSeconds(5)) answer = await registrar.CallAsync("100");

        Assert.Equal("SIP/2.0 200 OK", answer);
        Assert.InRange(TimeProvider.System.GetElapsedTime(began), TimeSpan.Zero, Promise);
    }
}
