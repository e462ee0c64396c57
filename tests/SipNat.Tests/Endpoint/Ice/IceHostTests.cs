using SipNat.Endpoint.Media;
using SipNat.Simulation;
using SipNat.Simulation.Recorder;
using SipNat.Simulation.Turn;
using SipNat.Tests.Endpoint.Signalling;
using SipNat.Traversal.Ice;
using SipNat.Traversal.Turn;
using SipNat.Wire;

namespace SipNat.Tests.Endpoint.Ice;

/// <summary>Recorders with several addresses: ICE tells all of them, and media take the one that works.</summary>
public sealed class IceHostTests
{
    private const string OurIPv6 = "2001:db8:1::5";
    private const string OurSecondIPv6 = "2001:db8:3::5";
    private const string OurSecondIPv4 = "198.51.100.11";
    private const string TheirIPv6 = "2001:db8:2::20";
    private const string TurnServer = "198.51.100.60:3478";

    private static readonly TransportAddress SixOfOurs = TransportAddress.Parse(OurIPv6);

    [Fact]
    public void Where_NATs_let_no_IPv4_through_media_take_IPv6()
    {
        var scene = DualStack(41, NatOptions.Symmetric, OurIPv6);
        var client = new IceClient(scene, RecorderScene.PrivateClient, scene.Network.AddNat(RecorderScene.ClientNatAddress, NatOptions.Symmetric), further: TheirIPv6);
        client.Establish();
        // RFC 8445 §5.1.2.1 by hand: 2^24 x type + 2^8 x local preference + 255, IPv6 before IPv4 (RFC 8421 §4).
        Assert.Equal(
            [
                $"2130706431 {OurIPv6} host",
                $"2130706175 {RecorderScene.PrivateRecorder} host",
                $"1694498559 {RecorderScene.RecorderNatAddress} srflx",
            ],
            client.Told.Candidates.OrderByDescending(c => c.Priority).Select(c => $"{c.Priority} {c.Address.AddressText} {c.Type.Token}"));
        Assert.True(client.Connects(2));
        client.Talk(0, 500);

        client.AssertRecordedWhole();
        Assert.Equal((TheirIPv6, OurIPv6), (IceRecordingTests.Path(scene).Remote.AddressText, IceRecordingTests.Path(scene).Local.AddressText));
        Assert.DoesNotContain(scene.Session.Findings, f => f is "ice-failed" or "media-from-elsewhere" or "path-lost");
        scene.Network.AssertNothingRented();
    }

    [Fact]
    public void An_IPv6_that_leads_nowhere_does_not_hold_up_IPv4()
    {
        var scene = DualStack(42, null, OurIPv6);
        var client = new IceClient(scene, mux: false, further: TheirIPv6);
        client.Sip.Host.RefusesToSendFrom = local => local.IsIPv6;
        client.Establish();
        Assert.True(client.Connects(1));
        client.Talk(0, 200);

        client.AssertRecordedWhole();
        Assert.Equal(RecorderScene.PublicClient, IceRecordingTests.Path(scene).Remote.AddressText);
    }

    [Fact]
    public void An_offer_of_ours_tells_every_address_for_both_components()
    {
        var scene = DualStack(43, null, OurIPv6);
        var client = new IceClient(scene, mux: false, role: IceRole.Controlled, further: TheirIPv6);
        client.EstablishByAnswer();
        Assert.Equal(
            ["1 198.51.100.10", "1 2001:db8:1::5", "2 198.51.100.10", "2 2001:db8:1::5"],
            client.Told.Candidates.Select(c => $"{c.Component} {c.Address.AddressText}").Order(StringComparer.Ordinal));
        Assert.True(client.Connects(2));
        client.Talk(0, 200);

        client.AssertRecordedWhole();
        Assert.Equal(TheirIPv6, IceRecordingTests.Path(scene).Remote.AddressText);
    }

    [Fact]
    public void Sockets_that_no_check_has_proved_close_seconds_after_the_nomination()
    {
        var scene = DualStack(44, null, OurIPv6, OurSecondIPv4);
        var client = new IceClient(scene);
        client.Establish();
        var told = client.Told.Candidates.ToDictionary(c => c.Address.AddressText, c => c.Address);
        Assert.Equal([RecorderScene.PublicRecorder, OurSecondIPv4, OurIPv6], told.Keys.Order(StringComparer.Ordinal));
        Assert.True(client.Connects(2));
        client.Talk(0, 50);
        Assert.Equal(0, Closed(scene, client, told[OurSecondIPv4]));
        scene.RunFor(6);
        // The one of the description stays, whatever the path is, and that of the path.
        Assert.Equal(0, Closed(scene, client, told[RecorderScene.PublicRecorder]));
        Assert.Equal(0, Closed(scene, client, IceRecordingTests.Path(scene).Local));
        var stranger = scene.Network.AddHost("2001:db8:4::1", new SilentCore());
        Assert.Equal(1, Closed(scene, stranger, told[OurIPv6]));

        // What is silent says nothing to STUN servers either.
        var settled = scene.Network.Now;
        scene.RunFor(120);
        Assert.DoesNotContain(scene.Log.SentBy(TransportAddress.Parse(OurSecondIPv4)), p => p.At > settled);
    }

    [Fact]
    public void A_path_that_dies_is_replaced_by_one_of_the_other_family_with_sockets_that_were_closed()
    {
        var scene = DualStack(45, null, OurIPv6);
        var client = new IceClient(scene);
        client.Establish();
        Assert.True(client.Connects(2));
        client.Talk(0, 50);
        scene.RunFor(6);
        Assert.Equal(RecorderScene.PublicClient, IceRecordingTests.Path(scene).Remote.AddressText);

        // The client moves to another network, which has IPv6 only.
        client.AddHost(TheirIPv6);
        client.Sip.Host.RefusesToSendFrom = local => local.IsIPv4 && local.Port != ManualClient.SipPort;
        client.Party.Agent.Restart();
        client.OfferAgain();
        scene.RunFor(5);
        client.Talk(50, 100);

        client.AssertRecordedWhole();
        Assert.Equal(TheirIPv6, IceRecordingTests.Path(scene).Remote.AddressText);
    }

    [Fact]
    public void A_restart_of_ours_tells_the_addresses_again_whose_sockets_were_closed()
    {
        var scene = DualStack(46, null, OurIPv6);
        var client = new IceClient(scene);
        client.Establish();
        Assert.True(client.Connects(2));
        client.Talk(0, 50);
        scene.RunFor(6);
        client.Sip.Host.IsConnected = false;
        scene.RunFor(2.2);
        client.Sip.Host.IsConnected = true;
        scene.RunFor(3);
        client.Talk(50, 50);

        Assert.Equal([RecorderScene.PublicRecorder, OurIPv6], client.Told.Candidates.Select(c => c.Address.AddressText).Order(StringComparer.Ordinal));
        client.AssertRecordedWhole();
    }

    [Fact]
    public void A_lite_recorder_tells_one_address_of_each_family() // RFC 8445 §5.2
    {
        var scene = DualStack(47, null, IceMode.Lite, OurSecondIPv4, OurIPv6, OurSecondIPv6);
        var client = new IceClient(scene, further: TheirIPv6);
        client.Establish();
        Assert.Equal(
            [$"2130706431 {OurIPv6} host", $"2130706175 {RecorderScene.PublicRecorder} host"],
            client.Told.Candidates.OrderByDescending(c => c.Priority).Select(c => $"{c.Priority} {c.Address.AddressText} {c.Type.Token}"));
        Assert.True(client.Connects(2));
        client.Talk(0, 400);
        client.AssertRecordedWhole();
    }

    [Fact]
    public void Of_many_addresses_the_first_few_are_told()
    {
        string[] many = [.. Enumerable.Range(1, 10).Select(i => $"2001:db8:1::{i}")];
        var scene = DualStack(48, null, many);
        var client = new IceClient(scene);
        client.Establish();

        Assert.Equal([RecorderScene.PublicRecorder, .. many.Take(MediaPlane.MaxHosts - 1)], client.Told.Candidates.Select(c => c.Address.AddressText).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void With_relays_only_no_further_address_is_told()
    {
        var turn = new TurnServerOptions { Server = TransportAddress.Parse(TurnServer), Credentials = new("user", "password") };
        var scene = new RecorderScene(
            49, new() { StunServers = RecorderScene.TwoStunServers, TurnServers = [turn], IsRelayOnly = true, FurtherAddresses = [OurIPv6] }, NatOptions.FullCone, forwardsMedia: false);
        SimulatedTurnServer.AddTo(scene.Network, TurnServer);
        var client = new IceClient(scene, further: TheirIPv6);
        client.Establish();
        Assert.True(client.Connects(12));
        client.Talk(0, 50);

        client.AssertRecordedWhole();
        Assert.Equal([CandidateType.Relayed], client.Told.Candidates.Select(c => c.Type));
        Assert.Empty(scene.Log.SentBy(SixOfOurs));
    }

    [Fact]
    public void A_client_without_ICE_opens_no_further_socket()
    {
        var scene = DualStack(50, null, OurIPv6);
        var client = ManualClient.AddTo(scene);
        client.Establish(ManualClient.Sdp(streams: 1));
        client.Talk(0, 0, 10);
        var stranger = scene.Network.AddHost("2001:db8:4::1", new SilentCore());

        for (var port = 10_000; port < 10_040; port += 2) Assert.Equal(1, Closed(scene, stranger, SixOfOurs.WithPort(port)));
    }

    [Fact]
    public void An_answer_does_not_wait_for_sockets_and_does_without_those_that_cannot_be_bound()
    {
        // The eight pairs that are kept ready are all that there are.
        var scene = new RecorderScene(51, new() { StunServers = RecorderScene.TwoStunServers, FurtherAddresses = [OurIPv6], LastMediaPort = 10_015 });
        var client = new IceClient(scene, further: TheirIPv6);
        scene.RunFor(0.5);
        var invited = scene.Network.Now;
        client.Sip.Send("INVITE", client.Describe());
        scene.RunFor(1);

        var answered = client.Sip.Sip.First(s => s.Message.Status == 200).At;
        Assert.Equal(2 * scene.Network.Delay, answered - invited);
        Assert.Contains($"{RecorderScene.PublicRecorder} 10000 typ host", client.Descriptions[0], StringComparison.Ordinal);
        Assert.DoesNotContain(OurIPv6, client.Descriptions[0], StringComparison.Ordinal);
    }

    [Fact]
    public void Ports_of_every_address_come_back_once_after_each_session()
    {
        // Room for the eight that are kept ready, and for four of one session.
        var scene = new RecorderScene(52, new() { StunServers = RecorderScene.TwoStunServers, FurtherAddresses = [OurIPv6, OurSecondIPv4], LastMediaPort = 10_023 });
        for (var round = 0; round < 30; round++)
        {
            var client = new IceClient(scene, $"192.0.2.{round + 30}", further: $"2001:db8:2::{round + 30}", seed: round);
            client.Sip.CallId = $"call-{round}";
            client.Establish();
            Assert.Equal(3, client.Told.Candidates.Count);
            // Some end while sockets are open that will not be needed, some afterwards.
            if (round % 2 == 0) scene.RunFor(7);
            client.Sip.Send("BYE");
            scene.RunFor(1);
        }

        scene.RunFor(12);
        scene.Network.AssertNothingRented();
    }

    private static RecorderScene DualStack(int seed, NatOptions? nat, params string[] further) => DualStack(seed, nat, IceMode.Offered, further);

    private static RecorderScene DualStack(int seed, NatOptions? nat, IceMode ice, params string[] further) =>
        new(seed, new SimulatedRecorderOptions { StunServers = RecorderScene.TwoStunServers, FurtherAddresses = further, Ice = ice }, nat, forwardsMedia: false);

    // How many of one packet to an address find no open socket.
    private static long Closed(RecorderScene scene, IceClient client, TransportAddress to) => Closed(scene, client.Sip.Host, to);

    private static long Closed(RecorderScene scene, SimulatedHost from, TransportAddress to)
    {
        var before = scene.Network.CountDropped(DropReason.PortClosed);
        var probe = new DatagramProbe();
        from.Attach(probe);
        var flow = from.OpenUdp(0, probe);
        from.Run(_ => probe.Outbox.Add(flow, to, [0x7F]));
        scene.RunFor(0.1);
        return scene.Network.CountDropped(DropReason.PortClosed) - before;
    }
}
