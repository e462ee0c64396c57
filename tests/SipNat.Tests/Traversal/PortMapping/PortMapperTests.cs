using SipNat.Traversal.PortMapping;
using SipNat.Wire;

namespace SipNat.Tests.Traversal.PortMapping;

public sealed class PortMapperTests
{
    [Theory]
    [InlineData(true, true, true, PortMappingMethod.Pcp)]
    [InlineData(false, true, true, PortMappingMethod.NatPmp)]
    [InlineData(true, false, true, PortMappingMethod.Pcp)]
    [InlineData(false, false, true, PortMappingMethod.Upnp)]
    public void The_best_protocol_that_answers_is_used(bool pcp, bool natPmp, bool upnp, PortMappingMethod expected)
    {
        var scene = new RouterScene(new() { SpeaksPcp = pcp, SpeaksNatPmp = natPmp, SpeaksUpnp = upnp });
        scene.Map(RouterScene.Sip, RouterScene.SipTcp, RouterScene.Rtp);
        scene.RunUntil(5);

        Assert.Equal(expected, scene.Mapper.Method);
        Assert.Equal(["tcp 5060=5060", "udp 10000=10000", "udp 5060=5060"], scene.Scripted.Table.Select(entry => $"{entry.Key}={entry.Value}"));
        Assert.Equal(3, scene.Events.Count(line => line.Contains($"(by {expected.Explain()}, for 7200 s)", StringComparison.Ordinal)));
    }

    [Fact]
    public void Without_ports_the_routers_own_address_is_found_and_nothing_is_opened()
    {
        var scene = new RouterScene(new() { SpeaksNatPmp = true, SpeaksUpnp = true, External = TransportAddress.Parse("100.64.3.4:0") });
        scene.RunUntil(60);

        Assert.Equal(["0.01 The router's own address is 100.64.3.4 (told by NAT-PMP): it is behind a further NAT, and no port of it is reached from the internet."], scene.Events);
        Assert.Empty(scene.Scripted.Table);
        Assert.DoesNotContain(scene.Sent, line => line.Contains(" 0001", StringComparison.Ordinal) || line.Contains(" 0201", StringComparison.Ordinal));
    }

    [Fact]
    public void A_port_that_one_protocol_refuses_is_asked_for_by_the_next()
    {
        var scene = new RouterScene(new() { SpeaksPcp = true, SpeaksNatPmp = true, SpeaksUpnp = true, Result = 2 });
        scene.RunUntil(2);
        scene.Map(RouterScene.Sip);
        scene.RunUntil(3);

        Assert.Equal("2.03 The router leads 198.51.100.7:5060 to udp 192.168.1.10:5060 (by UPnP, for 7200 s).", scene.Events[^1]);
        Assert.DoesNotContain(scene.Events, line => line.Contains("does not open", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(true, false, "PCP")]
    [InlineData(false, true, "NAT-PMP")]
    public void A_restart_is_seen_in_the_epoch_within_the_check_interval(bool pcp, bool natPmp, string method)
    {
        var scene = new RouterScene(new() { SpeaksPcp = pcp, SpeaksNatPmp = natPmp });
        scene.Map(RouterScene.Sip, RouterScene.Rtp);
        scene.RunUntil(100);
        scene.Scripted.Restart(100);
        scene.RunUntil(131);

        Assert.EndsWith($"The router has lost its table of ports (told by {method}): all are asked for again.", scene.Events[^1], StringComparison.Ordinal);
        Assert.Equal(["udp 10000", "udp 5060"], scene.Scripted.Table.Keys);
    }

    [Fact]
    public void A_restart_of_a_upnp_router_is_seen_by_a_port_that_is_missing()
    {
        var scene = new RouterScene(new() { SpeaksUpnp = true });
        scene.Map(RouterScene.Sip, RouterScene.Rtp);
        scene.RunUntil(100);
        scene.Scripted.Restart(100);
        scene.RunUntil(132);

        Assert.EndsWith("The router has lost its table of ports (told by UPnP): all are asked for again.", scene.Events[^1], StringComparison.Ordinal);
        Assert.Equal(["udp 10000", "udp 5060"], scene.Scripted.Table.Keys);
    }

    [Fact]
    public void An_announced_restart_is_answered_within_five_seconds_and_not_by_all_at_once()
    {
        var waits = new List<double>();
        for (var seed = 1; seed <= 20; seed++)
        {
            var scene = new RouterScene(new() { SpeaksPcp = true }, seed);
            scene.Map(RouterScene.Sip);
            scene.RunUntil(5);
            scene.Scripted.Restart(5);
            scene.Receive(RouterScene.Router.WithPort(5351), scene.Scripted.Announcement(5), RouterScene.Announcements);
            scene.RunUntil(10.1);

            Assert.Equal(["udp 5060"], scene.Scripted.Table.Keys);
            waits.Add(double.Parse(scene.Sent.Last(line => line.Contains(":5351 0201", StringComparison.Ordinal)).Split(' ')[0]) - 5);
        }

        Assert.All(waits, wait => Assert.InRange(wait, 0, 5));
        Assert.True(waits.Distinct().Count() > 10);
    }

    [Fact]
    public void An_announcement_by_the_protocol_that_is_not_used_leads_to_a_check()
    {
        var scene = new RouterScene(new() { SpeaksNatPmp = true });
        scene.Map(RouterScene.Sip);
        scene.RunUntil(2);
        scene.Scripted.Restart(2);
        scene.Receive(RouterScene.Router.WithPort(5351), [2, 0x80, .. new byte[22]], RouterScene.Announcements);
        scene.RunUntil(7.1);

        Assert.EndsWith("The router has lost its table of ports (told by NAT-PMP): all are asked for again.", scene.Events[^1], StringComparison.Ordinal);
        Assert.Equal(["udp 5060"], scene.Scripted.Table.Keys);
    }

    [Fact]
    public void After_a_suspend_every_port_is_asked_for_again_at_once()
    {
        var scene = new RouterScene(new() { SpeaksNatPmp = true });
        scene.Map(RouterScene.Sip, RouterScene.Rtp);
        scene.RunUntil(2);
        scene.Scripted.Table.Clear();
        scene.Scripted.EpochAtStart += 8 * 3600;
        scene.Do((mapper, now) => mapper.Refresh(now));
        scene.RunUntil(2.1);

        Assert.Equal(["udp 10000", "udp 5060"], scene.Scripted.Table.Keys);
    }

    [Fact]
    public void A_router_that_falls_silent_loses_a_mapping_when_it_expires_and_gives_it_again_when_it_is_back()
    {
        var scene = new RouterScene(new() { SpeaksPcp = true, MaxLifetime = 600 });
        scene.Map(RouterScene.Sip);
        scene.RunUntil(1);
        scene.IsSilent = true;
        scene.RunUntil(900);

        Assert.Equal("600.02 The router does not lead 198.51.100.7:5060 to udp 192.168.1.10:5060 any more.", scene.Events.First(line => line.Contains("any more", StringComparison.Ordinal)));

        scene.IsSilent = false;
        scene.RunUntil(3600);
        Assert.EndsWith("The router leads 198.51.100.7:5060 to udp 192.168.1.10:5060 (by PCP, for 600 s).", scene.Events[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void A_silent_router_is_searched_every_quarter_of_an_hour_and_no_oftener()
    {
        var scene = new RouterScene(new());
        scene.RunUntil(4 * 3600);

        Assert.InRange(scene.Sent.Count, 14 * (5 + 9 + 6), 16 * (5 + 9 + 6));
    }

    [Fact]
    public void A_port_that_was_given_back_while_it_was_asked_for_is_removed_after_the_answer()
    {
        var scene = new RouterScene(new() { SpeaksPcp = true });
        scene.RunUntil(1);
        scene.Map(RouterScene.Sip);
        scene.RunUntil(1.005);
        scene.Do((mapper, now) => mapper.Unmap(now, RouterScene.Sip));
        scene.RunUntil(2);

        Assert.Empty(scene.Scripted.Table);
        Assert.DoesNotContain(scene.Events, line => line.Contains("leads", StringComparison.Ordinal));
    }

    [Fact]
    public void More_ports_than_a_mapper_keeps_are_refused()
    {
        var mapper = new PortMapper(new() { Router = RouterScene.Router }, new Random(1));
        for (var port = 1; port <= PortMapper.MaxPorts; port++)
        {
            Assert.True(mapper.TryMap(default, new(TransportProtocol.Udp, RouterScene.Local.WithPort(port)), (ushort)port));
        }

        Assert.False(mapper.TryMap(default, new(TransportProtocol.Udp, RouterScene.Local.WithPort(60_000)), 60_000));
        Assert.True(mapper.TryMap(default, new(TransportProtocol.Udp, RouterScene.Local.WithPort(1)), 1));
    }

    [Fact]
    public void A_hundred_ports_are_asked_for_one_after_the_other()
    {
        var scene = new RouterScene(new() { SpeaksPcp = true });
        scene.Map([.. Enumerable.Range(0, 100).Select(i => new InternalPort(TransportProtocol.Udp, RouterScene.Local.WithPort(10_000 + i)))]);
        scene.RunUntil(0.505);

        Assert.InRange(scene.Scripted.Table.Count, 45, 52);
        scene.RunUntil(2);
        Assert.Equal(100, scene.Scripted.Table.Count);
    }

    [Fact]
    public void When_the_socket_is_gone_every_mapping_is_lost_and_another_socket_begins_anew()
    {
        var scene = new RouterScene(new() { SpeaksPcp = true });
        scene.Map(RouterScene.Sip);
        scene.RunUntil(1);
        scene.Do((mapper, now) => mapper.HandleFlow(now, RouterScene.Flow, new(FlowChangeKind.Closed, TransportProtocol.Udp, RouterScene.Local, default)));
        scene.Do((mapper, now) => mapper.HandleFlow(now, RouterScene.Flow, new(FlowChangeKind.Opened, TransportProtocol.Udp, RouterScene.Local, default)));
        scene.RunUntil(2);

        Assert.Equal(
            ["1 The router does not lead 198.51.100.7:5060 to udp 192.168.1.10:5060 any more.", "1.02 The router's own address is 198.51.100.7 (told by PCP).", "1.02 The router leads 198.51.100.7:5060 to udp 192.168.1.10:5060 (by PCP, for 7200 s)."],
            scene.Events[2..]);
    }
}
