using SipNat.Traversal.PortMapping;
using SipNat.Wire;

namespace SipNat.Tests.Traversal.PortMapping;

/// <summary>NAT-PMP on the wire: the bytes stand here as RFC 6886 draws them.</summary>
public sealed class NatPmpTests
{
    [Fact]
    public void The_address_and_both_mappings_are_asked_for_as_the_rfc_has_them()
    {
        var scene = new RouterScene(new() { SpeaksNatPmp = true });
        scene.Map(RouterScene.Sip, RouterScene.SipTcp);
        scene.RunUntil(1);
        scene.Do((mapper, now) => mapper.Release(now));
        scene.RunUntil(2);

        // PCP's ANNOUNCE and the external address (§3.2) at once; mappings one after the other (§3.3), and their end (§3.4).
        Assert.Equal(
            [
                "0 192.168.1.1:5351 0200000000000000" + "00000000000000000000FFFFC0A8010A",
                "0 192.168.1.1:5351 0000",
                "0.5 192.168.1.1:5351 0001" + "0000" + "13C4" + "13C4" + "00001C20",
                "0.51 192.168.1.1:5351 0002" + "0000" + "13C4" + "13C4" + "00001C20",
                "1 192.168.1.1:5351 0001" + "0000" + "13C4" + "0000" + "00000000",
                "1.01 192.168.1.1:5351 0002" + "0000" + "13C4" + "0000" + "00000000",
            ],
            scene.Sent.Where(line => line.Contains(":5351", StringComparison.Ordinal)));
        Assert.Equal(
            [
                "0.01 The router's own address is 198.51.100.7 (told by NAT-PMP).",
                "0.51 The router leads 198.51.100.7:5060 to udp 192.168.1.10:5060 (by NAT-PMP, for 7200 s).",
                "0.52 The router leads 198.51.100.7:5060 to tcp 192.168.1.10:5060 (by NAT-PMP, for 7200 s).",
            ],
            scene.Events);
        Assert.Empty(scene.Scripted.Table);
        Assert.True(scene.Mapper.IsReleased);
    }

    [Fact]
    public void Silence_is_asked_nine_times_and_given_up_after_127_75_seconds() // RFC 6886 §3.1
    {
        var scene = new RouterScene(new());
        scene.RunUntil(300);

        Assert.Equal(
            [0, 0.25, 0.75, 1.75, 3.75, 7.75, 15.75, 31.75, 63.75],
            scene.Sent.Where(line => line.EndsWith(":5351 0000", StringComparison.Ordinal)).Select(line => double.Parse(line.Split(' ')[0])));
        Assert.Equal(
            ["10 The router 192.168.1.1 answers neither PCP nor NAT-PMP nor UPnP: turn one of them on in its settings, or forward the ports by hand (Nat:ForwardedPorts)."],
            scene.Events);
    }

    [Fact]
    public void Another_address_of_the_router_is_learned_from_its_announcement_and_mappings_follow()
    {
        var scene = new RouterScene(new() { SpeaksNatPmp = true });
        scene.Map(RouterScene.Sip);
        scene.RunUntil(5);
        scene.Scripted.External = TransportAddress.Parse("198.51.100.99:0");

        scene.Receive(RouterScene.Router.WithPort(5351), scene.Scripted.Announcement(5), RouterScene.Announcements);
        scene.RunUntil(6);

        Assert.Equal(
            ["5 The router's own address is 198.51.100.99 (told by NAT-PMP).", "5.01 The router leads 198.51.100.99:5060 to udp 192.168.1.10:5060 (by NAT-PMP, for 7200 s)."],
            scene.Events[2..]);
    }

    [Theory]
    [InlineData(2, PortMappingOutcome.NotAuthorized)]
    [InlineData(3, PortMappingOutcome.NetworkFailure)]
    [InlineData(4, PortMappingOutcome.NoResources)]
    [InlineData(5, PortMappingOutcome.Unsupported)]
    public void Result_codes_have_their_meaning(byte result, PortMappingOutcome outcome)
    {
        var scene = new RouterScene(new() { SpeaksNatPmp = true, Result = result });
        scene.Map(RouterScene.Sip);
        scene.RunUntil(1);

        Assert.Equal($"0.51 The router does not open udp 192.168.1.10:5060 (asked by NAT-PMP): {outcome.Explain()}.", scene.Events[^1]);
    }

    [Theory]
    [InlineData(80, 1068, true)] // seven eighths, less two seconds
    [InlineData(80, 1067, false)]
    [InlineData(80, 5000, true)]
    [InlineData(0, 0, false)]
    public void The_epoch_may_run_slower_by_an_eighth(double later, uint next, bool fits) // RFC 6886 §3.6
    {
        var clock = RouterEpoch.NatPmp();

        Assert.True(clock.Accept(new(0), 1000));
        Assert.Equal(fits, clock.Accept(new((long)(later * TimeSpan.TicksPerSecond)), next));
    }

    [Theory]
    [InlineData("00800000000003E8C63364", NatPmpDefect.TooShort)]
    [InlineData("008000000000", NatPmpDefect.TooShort)]
    [InlineData("01800000000003E8C6336407", NatPmpDefect.OtherVersion)]
    [InlineData("00000000000003E8C6336407", NatPmpDefect.NotAResponse)]
    [InlineData("00810000000003E8C6336407", NatPmpDefect.TooShort)]
    [InlineData("00800000000003E8C6336407", NatPmpDefect.None)]
    [InlineData("00810002000003E8", NatPmpDefect.None)]
    public void What_is_no_response_has_its_defect(string hex, NatPmpDefect expected)
    {
        Assert.Equal(expected is NatPmpDefect.None, NatPmpResponse.TryRead(Convert.FromHexString(hex), out _, out var defect));
        Assert.Equal(expected, defect);
    }
}
