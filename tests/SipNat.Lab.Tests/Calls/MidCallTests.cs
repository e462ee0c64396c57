using System.Net;
using SipNat.Lab.Tests.Scene;
using SipNat.NatLab.Calls;
using SipNat.NatLab.Processes;
using SipNat.NatLab.Servers;
using SipNat.NatLab.Topology;

namespace SipNat.Lab.Tests.Calls;

/// <summary>The network changes while two people talk; what is heard at both ends says how long it took to find each other again.</summary>
[Collection(nameof(Alone))]
public sealed class MidCallTests
{
    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Afterwards = TimeSpan.FromSeconds(2);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(ProviderKind.Latching, "", 6)]
    [InlineData(ProviderKind.Strict, "", 6)]
    [InlineData(ProviderKind.Strict, ";medianat=ice;stunserver=stun:203.0.113.1:3478", 3)]
    public async Task A_router_that_is_renumbered_in_mid_call_is_made_up_for(ProviderKind kind, string telephone, int seconds)
    {
        await using var scene = await CallScene.CreateAsync(new(), new(kind), telephone);
        await using var call = await scene.CallAsync(TimeSpan.FromSeconds(seconds + 8));
        await Task.Delay(Settled, Cancel);

        var begun = MediaWatch.Now;
        await scene.Lab.Router("natA").RenumberAsync(IPAddress.Parse("203.0.113.11"), Cancel);

        await AssertBackAsync(scene, call, begun, TimeSpan.FromSeconds(seconds));
    }

    [Theory]
    [InlineData(ProviderKind.Latching)]
    [InlineData(ProviderKind.Strict)]
    public async Task A_router_that_lost_its_power_and_gives_other_ports_is_made_up_for(ProviderKind kind)
    {
        var down = TimeSpan.FromSeconds(8);
        await using var scene = await CallScene.CreateAsync(new(), new(kind));
        await using var call = await scene.CallAsync(TimeSpan.FromSeconds(20));
        await Task.Delay(Settled, Cancel);

        var begun = MediaWatch.Now;
        await scene.Lab.Router("natA").RebootAsync(down, Cancel);

        await AssertBackAsync(scene, call, begun, down + TimeSpan.FromSeconds(6));
    }

    // Behind a NAT with another port for each destination only a relay is heard by who sends to the address it was told.
    [Theory]
    [InlineData("", 6)]
    [InlineData(";medianat=ice;stunserver=stun:203.0.113.1:3478", 3)]
    public async Task A_turn_server_that_dies_in_mid_call_is_made_up_for_by_another(string telephone, int seconds)
    {
        (string, string)[] settings =
        [
            ("Nat:RelayOnly", "true"),
            ("Nat:TurnServers:1:Uri", $"turn:{CoturnServer.OtherAddress}?transport=udp"),
        ];
        await using var scene = await CallScene.CreateAsync(new() { Left = NatBehaviour.Symmetric }, new(ProviderKind.Strict), telephone, settings);
        await using var call = await scene.CallAsync(TimeSpan.FromSeconds(seconds + 10));
        await Task.Delay(Settled, Cancel);

        var begun = MediaWatch.Now;
        scene.KillTurn();

        await AssertBackAsync(scene, call, begun, TimeSpan.FromSeconds(seconds));
    }

    private static async Task AssertBackAsync(CallScene scene, LabProcess call, TimeSpan begun, TimeSpan limit)
    {
        var wait = begun + limit + Afterwards - MediaWatch.Now;
        if (wait > TimeSpan.Zero) await Task.Delay(wait, Cancel);
        var end = begun + limit + Afterwards;
        var (near, far) = (scene.Near.LongestSilence(MediaWay.In, begun, end), scene.Far.LongestSilence(MediaWay.In, begun, end));
        var (report, _) = await scene.FinishAsync(call);

        var told = $"the client heard nothing for {near.TotalSeconds:F1} s, the telephone for {far.TotalSeconds:F1} s\n{report}\n{call.Error}";
        Assert.True(near <= limit && far <= limit, told);
        Assert.Equal("answered", report.GetProperty("result").GetString());
        Assert.Equal("audio", report.GetProperty("verdict").GetProperty("inbound").GetString());
    }
}
