using SipNat.NatLab.Calls;
using SipNat.NatLab.Topology;

namespace SipNat.Lab.Tests.Calls;

/// <summary>Faults that leave one direction without audio: those that can be repaired are, and the others are named.</summary>
public sealed class OneWayTests
{
    private const double LeastSeconds = 4;
    private static readonly TimeSpan Talk = TimeSpan.FromSeconds(6);

    // The telephone reports each five seconds.
    private static readonly TimeSpan TwoReports = TimeSpan.FromSeconds(13);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(ProviderKind.Latching)]
    [InlineData(ProviderKind.Strict)]
    public async Task A_gateway_that_changes_SIP_does_not_keep_the_two_apart(ProviderKind kind)
    {
        await using var scene = await CallScene.CreateAsync(new() { Alg = true }, new(kind));
        await AssertBothHearAsync(scene);
    }

    [Theory]
    [InlineData(NatBehaviour.PortRestricted)]
    [InlineData(NatBehaviour.Symmetric)]
    public async Task A_provider_that_takes_media_from_the_described_address_alone_hears_the_client(NatBehaviour nat)
    {
        await using var scene = await CallScene.CreateAsync(new() { Left = nat }, new(ProviderKind.Latching) { PolicesMedia = true });
        await AssertBothHearAsync(scene);
    }

    [Fact]
    public async Task A_telephone_that_is_not_where_its_description_says_is_answered_where_its_media_come_from()
    {
        await using var scene = await CallScene.CreateAsync(
            new() { Left = NatBehaviour.FullCone }, new(ProviderKind.Strict) { Rewrites = RewrittenMedia.OfTelephone }, settings: [("Media:Latch", "Any")]);
        await AssertBothHearAsync(scene);
    }

    // The router lets in only who was sent to, and nobody knows where that would be.
    [Fact]
    public async Task A_telephone_that_is_nowhere_is_named_where_the_router_keeps_its_media_out()
    {
        await using var scene = await CallScene.CreateAsync(new(), new(ProviderKind.Strict) { Rewrites = RewrittenMedia.OfTelephone });
        await using var call = await scene.CallAsync(Talk);

        var (report, _) = await scene.FinishAsync(call);

        Assert.Equal("nothing", report.GetProperty("verdict").GetProperty("inbound").GetString());
        Assert.Contains("address-not-sent-to", report.GetProperty("findings").EnumerateArray().Select(finding => finding.GetProperty("code").GetString()));
    }

    [Fact]
    public async Task Audio_that_a_proxy_sends_elsewhere_is_missing_and_said_to_be()
    {
        await using var scene = await CallScene.CreateAsync(new(), new(ProviderKind.Strict) { Rewrites = RewrittenMedia.OfClient });
        await AssertInboundAsync(scene, "nothing");
    }

    // Of the other direction nothing is said here: that its audio did not come takes two reports of the telephone.
    [Theory]
    [InlineData("iifname wan udp sport 30000-30199", "nothing")]
    [InlineData("iifname lan udp dport 30000-30199", "audio")]
    public async Task A_router_that_lets_one_direction_through_is_told_by_the_verdict(string dropped, string inbound)
    {
        await using var scene = await CallScene.CreateAsync(new() { Left = NatBehaviour.FullCone }, new(ProviderKind.Strict));
        await scene.Lab.Router("natA").DropAsync(dropped, Cancel);
        await AssertInboundAsync(scene, inbound);
    }

    [Fact]
    public async Task Audio_that_a_router_keeps_in_is_not_delivered_by_the_reports_of_the_telephone()
    {
        await using var scene = await CallScene.CreateAsync(new() { Left = NatBehaviour.FullCone }, new(ProviderKind.Strict));
        await scene.Lab.Router("natA").DropAsync("iifname lan udp dport 30000-30199", Cancel);
        await using var call = await scene.CallAsync(TwoReports);

        var (report, _) = await scene.FinishAsync(call);

        var verdict = report.GetProperty("verdict");
        Assert.Equal(("audio", "not-delivered"), (verdict.GetProperty("inbound").GetString(), verdict.GetProperty("outbound").GetString()));
        Assert.Equal(1, await call.WaitForExitAsync(Talk, Cancel));
    }

    [Fact]
    public async Task Audio_that_the_telephone_counts_is_delivered()
    {
        await using var scene = await CallScene.CreateAsync(new(), new(ProviderKind.Strict));
        await using var call = await scene.CallAsync(TwoReports);

        var (report, _) = await scene.FinishAsync(call);

        var verdict = report.GetProperty("verdict");
        Assert.Equal(("audio", "delivered"), (verdict.GetProperty("inbound").GetString(), verdict.GetProperty("outbound").GetString()));
        Assert.Empty(report.GetProperty("recovered").EnumerateArray());
        Assert.DoesNotContain("peer-hears-nothing", report.GetProperty("findings").EnumerateArray().Select(finding => finding.GetProperty("code").GetString()));
    }

    private static async Task AssertInboundAsync(CallScene scene, string inbound)
    {
        await using var call = await scene.CallAsync(Talk);

        var (report, _) = await scene.FinishAsync(call);

        Assert.Equal(inbound, report.GetProperty("verdict").GetProperty("inbound").GetString());
        Assert.NotEqual("delivered", inbound == "nothing" ? null : report.GetProperty("verdict").GetProperty("outbound").GetString());
        Assert.Equal(inbound == "nothing" ? 1 : 0, await call.WaitForExitAsync(Talk, Cancel));
    }

    private static async Task AssertBothHearAsync(CallScene scene)
    {
        await using var process = await scene.CallAsync(Talk);
        var (_, call) = await scene.FinishAsync(process);
        var heard = await scene.Telephone.TakeHeardAsync(Cancel);

        CallScene.AssertHeard(CallScene.Compare(heard, 0, ICallClient.Signal), LeastSeconds, process);
        CallScene.AssertHeard(CallScene.Compare(call.Heard, call.Channel, CallScene.TelephoneSignal), LeastSeconds, process);
    }
}
