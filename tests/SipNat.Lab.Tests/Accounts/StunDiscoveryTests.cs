using System.Diagnostics;
using SipNat.Lab.Tests.Scene;
using SipNat.NatLab.Servers;
using SipNat.NatLab.Topology;

namespace SipNat.Lab.Tests.Accounts;

/// <summary>STUN servers that are not configured: the DNS of the account's domain names them (RFC 8489 §8).</summary>
public sealed class StunDiscoveryTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(15);

    [Theory]
    [InlineData("true", true)]
    [InlineData("false", false)]
    public async Task The_stun_server_of_an_accounts_domain_is_asked_how_sip_is_seen(string discovery, bool isAsked)
    {
        await using var lab = await Laboratory.CreateAsync(new() { Left = NatBehaviour.PortRestricted }, "kamailio", CoturnServer.Program, LabDns.Program);
        await using var dns = await LabDns.StartAsync(lab, $"--srv-host=_stun._udp.{LabDns.Domain},one.{LabDns.Domain},3478");
        await using var stun = await CoturnServer.StartAsync(lab, TestContext.Current.CancellationToken);
        await using var registrar = await KamailioRegistrar.StartAsync(lab);
        await using var server = await ServerProcess.StartAsync(lab.Host("hostA"), new Dictionary<string, string>
        {
            ["Accounts:0:Uri"] = $"sip:100@{LabDns.Domain}",
            ["Accounts:0:Password"] = "secret",
            ["Nat:StunDiscovery"] = discovery,
        });

        await WaitAsync(() => server.Log.Contains("registered at", StringComparison.Ordinal));
        var seen = $"STUN server {CoturnServer.Address} sees {lab.Host("hostA").Address}:{ServerProcess.SipPort} as ";
        if (isAsked) await WaitAsync(() => server.Log.Contains(seen, StringComparison.Ordinal));

        Assert.Equal(isAsked, server.Log.Contains(seen, StringComparison.Ordinal));
    }

    private static async Task WaitAsync(Func<bool> condition)
    {
        var clock = Stopwatch.StartNew();
        while (!condition() && clock.Elapsed < Limit) await Task.Delay(TimeSpan.FromMilliseconds(200), TestContext.Current.CancellationToken);
    }
}
