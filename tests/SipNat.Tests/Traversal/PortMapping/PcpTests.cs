using SipNat.Traversal.PortMapping;
using SipNat.Wire;

namespace SipNat.Tests.Traversal.PortMapping;

/// <summary>PCP on the wire: the bytes stand here as RFC 6887 draws them.</summary>
public sealed class PcpTests
{
    private const string Client = "00000000000000000000FFFFC0A8010A";

    // Version 2, ANNOUNCE, reserved, lifetime 0, the client's address (RFC 6887 §7.1, §14.1).
    private const string Announce = "0200" + "0000" + "00000000" + Client;

    [Fact]
    public void A_map_request_has_the_layout_of_the_rfc()
    {
        var scene = Mapped(out _);

        // Version 2, MAP, lifetime 7200, client; nonce, UDP, internal and suggested external port, any IPv4 address (§7.1, §11.1).
        var sent = Assert.Single(scene.Sent, line => line.Contains("192.168.1.1:5351 0201", StringComparison.Ordinal)).Split(' ')[2];
        Assert.Equal("0201" + "0000" + "00001C20" + Client, sent[..48]);
        Assert.NotEqual(new string('0', 24), sent[48..72]);
        Assert.Equal("11" + "000000" + "13C4" + "13C4" + "00000000000000000000FFFF00000000", sent[72..]);
    }

    [Fact]
    public void A_removal_has_the_same_nonce_and_nothing_suggested()
    {
        var scene = Mapped(out var map);

        scene.Do((mapper, now) => mapper.Release(now));
        scene.RunUntil(2);

        var removal = Convert.ToHexString(scene.LastPcpMap);
        Assert.Equal("0201" + "0000" + "00000000" + Client + map[48..72] + "11000000" + "13C4" + "0000" + "00000000000000000000FFFF00000000", removal);
        Assert.Empty(scene.Scripted.Table);
        Assert.True(scene.Mapper.IsReleased);
    }

    [Fact]
    public void Silence_is_asked_again_after_three_seconds_doubled_with_a_tenth_of_jitter() // RFC 6887 §8.1.1
    {
        var scene = new RouterScene(new());
        scene.RunUntil(200);

        var at = scene.Sent.Where(line => line.EndsWith(Announce, StringComparison.Ordinal)).Select(line => double.Parse(line.Split(' ')[0])).ToList();
        Assert.Equal(5, at.Count);
        Assert.Equal(0, at[0]);
        for (var i = 1; i < at.Count; i++) Assert.InRange(at[i] - at[i - 1], 2.7 * (1 << (i - 1)), 3.3 * (1 << (i - 1)));
    }

    [Theory]
    [InlineData(24, 9)] // the nonce
    [InlineData(36, 6)] // the protocol
    [InlineData(41, 9)] // the internal port
    [InlineData(0, 3)] // the version
    [InlineData(1, 1)] // no response
    public void An_answer_that_does_not_fit_the_request_is_ignored(int offset, byte value)
    {
        var scene = new RouterScene(new() { SpeaksPcp = true });
        scene.RunUntil(0.1);
        scene.IsSilent = true;
        scene.Map(RouterScene.Sip);
        scene.RunUntil(0.2);

        var forged = scene.Scripted.Answer(0.2, scene.LastPcpMap)!;
        forged[offset] = value;
        scene.Receive(RouterScene.Router.WithPort(5351), forged);
        scene.RunUntil(0.3);
        Assert.Empty(scene.Events);

        scene.Receive(RouterScene.Router.WithPort(5351), scene.Scripted.Answer(0.3, scene.LastPcpMap)!);
        Assert.Equal(["0.3 The router's own address is 198.51.100.7 (told by PCP).", "0.3 The router leads 198.51.100.7:5060 to udp 192.168.1.10:5060 (by PCP, for 7200 s)."], scene.Events);
    }

    [Theory]
    [InlineData("192.168.1.2:5351")]
    [InlineData("192.168.1.1:5352")]
    [InlineData("198.51.100.1:5351")]
    public void Nobody_answers_for_the_router(string from)
    {
        var scene = new RouterScene(new() { SpeaksPcp = true }) { IsSilent = true };
        scene.RunUntil(0.1);

        scene.Receive(TransportAddress.Parse(from), scene.Scripted.Announcement(0.1));
        scene.RunUntil(1);

        Assert.Null(scene.Mapper.Method);
    }

    [Theory]
    [InlineData(2, PortMappingOutcome.NotAuthorized)]
    [InlineData(3, PortMappingOutcome.Unsupported)]
    [InlineData(7, PortMappingOutcome.NetworkFailure)]
    [InlineData(8, PortMappingOutcome.NoResources)]
    [InlineData(9, PortMappingOutcome.Unsupported)]
    [InlineData(10, PortMappingOutcome.NoResources)]
    [InlineData(11, PortMappingOutcome.NoResources)]
    [InlineData(12, PortMappingOutcome.AddressMismatch)]
    public void A_refusal_is_told_once_and_asked_again_after_its_lifetime(byte result, PortMappingOutcome outcome)
    {
        var scene = new RouterScene(new() { SpeaksPcp = true, Result = result, ErrorLifetime = 60 });
        scene.Map(RouterScene.Sip);
        scene.RunUntil(130);

        Assert.Equal([$"0.02 The router does not open udp 192.168.1.10:5060 (asked by PCP): {outcome.Explain()}."], scene.Events);
        Assert.Equal([0.01, 60.02, 120.03], SentMaps(scene));

        scene.Scripted.Result = 0;
        scene.RunUntil(200);
        Assert.Contains("180.05 The router leads 198.51.100.7:5060 to udp 192.168.1.10:5060 (by PCP, for 7200 s).", scene.Events);
    }

    [Fact]
    public void A_mapping_is_renewed_between_a_half_and_five_eighths_of_its_lifetime() // RFC 6887 §11.2.1
    {
        var scene = new RouterScene(new() { SpeaksPcp = true, MaxLifetime = 600 });
        scene.Map(RouterScene.Sip);
        scene.RunUntil(1200);

        var at = SentMaps(scene);
        Assert.InRange(at.Count, 3, 5);
        for (var i = 1; i < at.Count; i++) Assert.InRange(at[i] - at[i - 1], 300, 375.1);
        Assert.Equal(2, scene.Events.Count);
    }

    [Theory]
    [InlineData(0, 1000, 100, 1099, true)] // a second less than our clock
    [InlineData(0, 1000, 100, 1092, true)] // slower by less than a sixteenth and two seconds
    [InlineData(0, 1000, 100, 1091, false)]
    [InlineData(0, 1000, 100, 1108, true)]
    [InlineData(0, 1000, 100, 1110, false)]
    [InlineData(0, 1000, 0, 999, true)] // gone back by one
    [InlineData(0, 1000, 0, 998, false)]
    public void The_epoch_is_judged_by_both_clocks(double at, uint epoch, double later, uint next, bool fits) // RFC 6887 §8.5
    {
        var clock = RouterEpoch.Pcp();

        Assert.True(clock.Accept(At(at), epoch));
        Assert.Equal(fits, clock.Accept(At(later), next));
    }

    private static Instant At(double seconds) => new((long)(seconds * TimeSpan.TicksPerSecond));

    private static List<double> SentMaps(RouterScene scene) =>
        [.. scene.Sent.Where(line => line.Contains(":5351 0201", StringComparison.Ordinal)).Select(line => double.Parse(line.Split(' ')[0]))];

    private static RouterScene Mapped(out string request)
    {
        var scene = new RouterScene(new() { SpeaksPcp = true });
        scene.Map(RouterScene.Sip);
        scene.RunUntil(1);
        Assert.Equal(5060, scene.Scripted.Table["udp 5060"]);
        request = Assert.Single(scene.Sent, line => line.Contains(":5351 0201", StringComparison.Ordinal)).Split(' ')[2];
        return scene;
    }
}
