using SipNat.NatLab.Calls;
using SipNat.NatLab.Processes;

namespace SipNat.Lab.Tests.Calls;

/// <summary>Real kernels say by ICMP that the audio of a call is refused: it is known long before a report of the telephone is due.</summary>
public sealed class IcmpTests
{
    private const string Ours = "iifname lan udp dport 30000-30199";
    private static readonly TimeSpan Talk = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan AtOnce = TimeSpan.FromSeconds(1);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("port-unreachable", "the port is closed")]
    [InlineData("admin-prohibited", "a rule forbids it")]
    public async Task A_router_that_begins_to_refuse_our_audio_is_named_at_once(string says, string why)
    {
        await using var scene = await CallScene.CreateAsync(new(), new(ProviderKind.Strict));
        await using var call = await scene.CallAsync(Talk);
        await Task.Delay(Settled, Cancel);

        var begun = DateTimeOffset.UtcNow;
        await scene.Lab.Router("natA").RefuseAsync(Ours, says, Cancel);

        // Its address on the inside.
        await AssertNamedAsync(scene, call, begun, $": 192.168.1.1, a router or firewall on the way, says by ICMP that {why}.");
    }

    [Fact]
    public async Task A_telephone_that_is_gone_is_named_by_its_closed_port()
    {
        await using var scene = await CallScene.CreateAsync(new(), new(ProviderKind.Strict));
        await using var call = await scene.CallAsync(Talk);
        await Task.Delay(Settled, Cancel);

        var begun = DateTimeOffset.UtcNow;
        scene.Telephone.Kill();

        await AssertNamedAsync(scene, call, begun, $": {Provider.TelephoneAddress} itself says by ICMP that the port is closed: ");
    }

    private static async Task AssertNamedAsync(CallScene scene, LabProcess call, DateTimeOffset begun, string text)
    {
        var (report, _) = await scene.FinishAsync(call);

        var told = $"{report}\n{call.Error}";
        var found = report.GetProperty("findings").EnumerateArray().Where(finding => finding.GetProperty("code").GetString() == "peer-hears-nothing").ToList();
        Assert.True(found.Count == 1, told);
        Assert.Contains(text, found[0].GetProperty("text").GetString(), StringComparison.Ordinal);
        Assert.InRange(found[0].GetProperty("at").GetDateTimeOffset() - begun, TimeSpan.Zero, AtOnce);
    }
}
