using SipNat.Endpoint.Addressing;
using SipNat.Endpoint.Diagnosis;
using SipNat.Simulation;
using SipNat.Simulation.Recorder;
using SipNat.Tests.Endpoint.Signalling;
using SipNat.Wire;

namespace SipNat.Tests.Endpoint.Diagnosis;

/// <summary>Addresses that cannot be right, each with all that is found of it.</summary>
public sealed class AddressFindingTests
{
    private static readonly SimulatedRecorderOptions AsksStun = new() { StunServers = RecorderScene.TwoStunServers, PreparesPorts = false, SparePorts = 0 };

    private static ScriptedPeerOptions Peer => new() { Server = default, Streams = 1, Duration = TimeSpan.FromSeconds(3), IgnoresContact = true };

    [Fact]
    [Plants(FindingCode.MappingUnknown)]
    public void Stun_servers_that_do_not_answer_in_time()
    {
        var scene = new RecorderScene(seed: 210, AsksStun, NatOptions.PortRestricted);
        foreach (var server in scene.StunServers) server.IsSilent = true;
        scene.AddClient(Peer);
        scene.RunFor(3);

        AssertFound(scene, "mapping-unknown: No STUN server has answered for a media port; the answer names the address that is known best.");
    }

    [Fact]
    [Plants(FindingCode.MappingChanged)]
    public void A_public_address_that_changes_in_mid_session()
    {
        var options = new SimulatedRecorderOptions { StunServers = RecorderScene.TwoStunServers, Keepalive = TimeSpan.FromSeconds(5) };
        var scene = new RecorderScene(seed: 211, options, NatOptions.FullCone);
        scene.RunFor(2);
        scene.AddClient(Peer with { Duration = TimeSpan.FromSeconds(30) });
        scene.RunFor(2);
        scene.RecorderNat!.Renumber("198.51.100.2");
        scene.RunFor(8);

        AssertFound(
            scene,
            "mapping-changed: The public address of a media port is another one than the answer said; the peer is told 198.51.100.2:10000.",
            "mapping-changed: The public address of SIP is another one than the answer said; the peer is told <sip:recorder@198.51.100.2:5060>;+sip.srs.",
            "packets-lost: Stream 1: 13 of 249 packets were lost on the way (5.2 %); silence stands in their place. Look for an overloaded link between the peer and this machine.");
    }

    [Fact]
    [Plants(FindingCode.MappingVaries)]
    public void A_nat_that_maps_each_destination_to_another_port()
    {
        var scene = new RecorderScene(seed: 212, new() { StunServers = RecorderScene.TwoStunServers }, NatOptions.Symmetric with { PortAssignment = PortAssignment.Sequential });
        scene.RunFor(2);
        scene.AddClient(Peer);
        scene.RunFor(2);

        AssertFound(scene, "mapping-varies: Stream 1: mapping varies by destination, STUN server 198.51.100.50:3478 saw this socket as 198.51.100.1:1025, and no forward is configured: local address, relying on the peer's latching. Forward the ports and set Nat:ForwardedPorts, or use a peer that latches.");
    }

    [Fact]
    [Plants(FindingCode.AddressNotSentTo)]
    public void A_private_address_that_a_peer_outside_wrote()
    {
        var scene = new RecorderScene(seed: 213);
        scene.AddClient(Peer, NatOptions.FullCone);
        scene.RunFor(2);

        AssertFound(scene, "address-not-sent-to: Stream 1: the peer at 203.0.113.1 wrote 192.168.1.20:40000, which cannot be its address from here (it is private, and the peer is outside of our local networks); packets go to 203.0.113.1 instead.");
    }

    [Fact]
    [Plants(FindingCode.PrivateAddressAdvertised)]
    public void A_private_address_that_a_peer_outside_was_told()
    {
        var scene = new RecorderScene(seed: 214, recorderNat: NatOptions.FullCone);

        AssertFoundInSilence(
            scene,
            Sdp,
            "no-media: Stream 1: no packet in 5 s. The peer at 192.0.2.20 said that it sends from 192.0.2.20:40000, and was told to send to 192.168.1.5:10000 (no external address known: local address, relying on the peer's latching).",
            "private-address-advertised: Stream 1: the likely cause of its silence is the address: 192.168.1.5:10000 is private, and the peer at 192.0.2.20 is in none of Nat:LocalNetworks. Set Nat:ExternalAddress or Nat:StunServers, or add its network to Nat:LocalNetworks where it can reach this one.");
    }

    [Theory]
    [Plants(FindingCode.PrivateAddressAdvertised)]
    [InlineData(false, "no STUN server is known: its domain names none (_stun._udp)")]
    [InlineData(true, "no STUN server has answered")]
    public void A_private_address_that_a_strict_provider_was_told_names_the_line_to_add(bool isKnown, string why)
    {
        var peer = TransportAddress.Parse("198.51.100.10:5060");
        var local = TransportAddress.Parse("192.168.1.10:10000");
        var findings = SilenceDiagnosis.Explain(new()
        {
            Silence = new(0, default, TimeSpan.FromSeconds(2), null, true, default, null, []),
            SignallingSource = peer,
            PeerIsLocal = false,
            Described = TransportAddress.Parse("198.51.100.20:30000"),
            Advertised = new AddressAdvisor(new()).Advise(new() { Use = AddressUse.Media, Transport = TransportProtocol.Udp, Peer = peer, Local = local }),
            Local = local,
            SeenByProvider = TransportAddress.Parse("203.0.113.1:40001"),
            StunIsKnown = isKnown,
        });

        Assert.Contains(
            $"192.168.1.10:10000 is private, and the peer at 198.51.100.10 is in none of Nat:LocalNetworks. The provider sees us at 203.0.113.1, behind a NAT, sends audio where it is told to, and {why}. Add Nat:StunServers:0 with one, such as \"Nat\": {{ \"StunServers\": [ \"stun.example.org\" ] }}.",
            Assert.Single(findings, finding => finding.Code is FindingCode.PrivateAddressAdvertised).Text,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_private_address_that_a_peer_on_a_local_network_was_told_is_no_cause()
    {
        var options = new SimulatedRecorderOptions { LocalNetworks = [NetworkPrefix.Parse("192.0.2.0/24")] };

        AssertFoundInSilence(
            new(seed: 214, options, NatOptions.FullCone),
            Sdp,
            "no-media: Stream 1: no packet in 5 s. The peer at 192.0.2.20 said that it sends from 192.0.2.20:40000, and was told to send to 192.168.1.5:10000 (peer 192.0.2.20 is on a local network (192.0.2.0/24): the local address). Nothing here shows why: it does not send, or what it sends is dropped on the way.");
    }

    [Fact]
    [Plants(FindingCode.MappingDiffers)]
    public void A_configured_address_that_is_not_the_one_of_the_nat()
    {
        var options = new SimulatedRecorderOptions { StunServers = RecorderScene.TwoStunServers, External = [TransportAddress.Parse("198.51.100.9")] };
        var scene = new RecorderScene(seed: 215, options, NatOptions.FullCone);
        scene.RunFor(2);

        AssertFoundInSilence(
            scene,
            Sdp,
            "no-media: Stream 1: no packet in 5 s. The peer at 192.0.2.20 said that it sends from 192.0.2.20:40000, and was told to send to 198.51.100.9:10000 (Nat:ExternalAddress 198.51.100.9; no forward is configured: the local port, though STUN server 198.51.100.50:3478 saw this socket as 198.51.100.1:10000).",
            "mapping-differs: Stream 1: the likely cause of its silence is the NAT: the peer was told 198.51.100.9:10000, and STUN server 198.51.100.50:3478 saw this socket as 198.51.100.1:10000. Correct Nat:ExternalAddress, or forward the ports and set Nat:ForwardedPorts to Same.");
    }

    [Fact]
    [Plants(FindingCode.MappingDiffers)]
    public void Ports_that_are_said_to_be_forwarded_and_are_not()
    {
        var options = new SimulatedRecorderOptions { StunServers = RecorderScene.TwoStunServers, ForwardedPorts = ForwardedPorts.Same };
        var scene = new RecorderScene(seed: 216, options, NatOptions.FullCone with { PortAssignment = PortAssignment.Sequential, FirstPort = 30000 }, forwardsMedia: false);
        scene.RunFor(2);

        AssertFoundInSilence(
            scene,
            Sdp,
            "no-media: Stream 1: no packet in 5 s. The peer at 192.0.2.20 said that it sends from 192.0.2.20:40000, and was told to send to 198.51.100.1:10000 (address from STUN server 198.51.100.50:3478, port 10000 from the forward).",
            "mapping-differs: Stream 1: the likely cause of its silence is the NAT: the peer was told 198.51.100.1:10000, and STUN server 198.51.100.50:3478 saw this socket as 198.51.100.1:30000. Forward UDP port 10000 to 192.168.1.5:10000.");
    }

    [Fact]
    [Plants(FindingCode.MappingVaries)]
    public void A_configured_address_without_forwards_behind_a_nat_that_maps_each_destination_to_another_port()
    {
        var options = new SimulatedRecorderOptions { StunServers = RecorderScene.TwoStunServers, External = [TransportAddress.Parse(RecorderScene.RecorderNatAddress)] };
        var scene = new RecorderScene(seed: 217, options, NatOptions.Symmetric with { PortAssignment = PortAssignment.Sequential, FirstPort = 30000 }, forwardsMedia: false);
        scene.RunFor(2);

        AssertFoundInSilence(
            scene,
            Sdp,
            "no-media: Stream 1: no packet in 5 s. The peer at 192.0.2.20 said that it sends from 192.0.2.20:40000, and was told to send to 198.51.100.1:10000 (Nat:ExternalAddress 198.51.100.1; no forward is configured: the local port, though STUN server 198.51.100.50:3478 saw this socket as 198.51.100.1:30001).",
            "mapping-varies: Stream 1: the likely cause of its silence is the NAT: it shows each destination another port, STUN server 198.51.100.50:3478 saw 198.51.100.1:30001, and no forward is configured for 198.51.100.1:10000. Forward the ports and set Nat:ForwardedPorts to Same.");
    }

    [Fact]
    [Plants(FindingCode.ConnectionsDiffer)]
    public void A_description_whose_session_and_medium_name_two_addresses() =>
        AssertFoundInSilence(
            new(seed: 218),
            $"{Sdp}c=IN IP4 192.0.2.30\r\n",
            "no-media: Stream 1: no packet in 5 s. The peer at 192.0.2.20 said that it sends from 192.0.2.30:40000, and was told to send to 198.51.100.10:10000 (the local address is public).",
            "connections-differ: Stream 1: the likely cause of its silence is the peer's description: it names 192.0.2.20 for the session and 192.0.2.30 for the medium, which counts (RFC 8866 §5.7). A client that means the other one sends from an address that Media:Latch Allowed lets in.");

    [Fact]
    public void A_description_without_an_address_is_sent_to_at_its_port_where_its_requests_come_from()
    {
        var scene = new RecorderScene(seed: 219);
        var client = ManualClient.AddTo(scene);
        client.Establish(Sdp.Replace("c=IN IP4 192.0.2.20\r\n", "", StringComparison.Ordinal));
        client.RunFor(6);

        Assert.NotEmpty(client.Media);
        AssertFound(
            scene,
            "metadata-missing: The INVITE brought no recording metadata.",
            "no-media: Stream 1: no packet in 5 s. The peer at 192.0.2.20 named no address of its own, and was told to send to 198.51.100.10:10000 (the local address is public). Nothing here shows why: it does not send, or what it sends is dropped on the way.");
    }

    [Fact]
    [Plants(FindingCode.NothingSent)]
    public void A_firewall_of_this_machine_that_lets_no_media_out()
    {
        var scene = new RecorderScene(seed: 222);
        scene.Recorder.Host.RefusesToSendFrom = local => local.Port >= 10_000;
        var client = ManualClient.AddTo(scene);
        client.Establish(Sdp);
        client.RunFor(6);

        Assert.Empty(client.Media);
        AssertFound(
            scene,
            "metadata-missing: The INVITE brought no recording metadata.",
            "no-media: Stream 1: no packet in 5 s. The peer at 192.0.2.20 said that it sends from 192.0.2.20:40000, and was told to send to 198.51.100.10:10000 (the local address is public).",
            "nothing-sent: Stream 1: the likely cause of its silence is a NAT or firewall that lets in only what answers: this system refused to send every packet from 198.51.100.10:10000, so that nothing opened the way. Look for a firewall rule or a missing route on this machine, or forward the media ports.");
    }

    [Fact]
    [Plants(FindingCode.InterfaceDiffers)]
    public void Media_on_another_interface_than_signalling() =>
        AssertFoundInSilence(
            new(seed: 220, new() { MediaAddress = "203.0.113.10" }),
            Sdp,
            "no-media: Stream 1: no packet in 5 s. The peer at 192.0.2.20 said that it sends from 192.0.2.20:40000, and was told to send to 203.0.113.10:10016 (the local address is public).",
            "interface-differs: Stream 1: the likely cause of its silence is the interface: media is received on 203.0.113.10, and the peer's requests arrive at 198.51.100.10. Remove Media:Address, or set it to an address that the peer has a way to.");

    [Fact]
    [Plants(FindingCode.MediaPortBlocked)]
    public void A_firewall_before_the_media_ports()
    {
        var scene = new RecorderScene(seed: 221, AsksStun, NatOptions.FullCone);
        scene.RunFor(2);
        foreach (var server in scene.StunServers) server.IsSilent = true;

        AssertFoundInSilence(
            scene,
            Sdp,
            "mapping-unknown: No STUN server has answered for a media port; the answer names the address that is known best.",
            "no-media: Stream 1: no packet in 5 s. The peer at 192.0.2.20 said that it sends from 192.0.2.20:40000, and was told to send to 198.51.100.1:10000 (no STUN answer yet: last known external address 198.51.100.1).",
            "media-port-blocked: Stream 1: the likely cause of its silence is a firewall: STUN servers answer on the SIP port (198.51.100.1 there) and never did on media port 192.168.1.5:10000. Open UDP Media:FirstPort to Media:LastPort.");
    }

    private static string Sdp => ManualClient.Sdp(streams: 1);

    private static void AssertFoundInSilence(RecorderScene scene, string sdp, params string[] findings)
    {
        var client = ManualClient.AddTo(scene);
        client.Send("INVITE", sdp);
        client.RunFor(0.5);
        client.Acknowledge();
        client.RunFor(6);

        AssertFound(scene, ["metadata-missing: The INVITE brought no recording metadata.", .. findings]);
    }

    private static void AssertFound(RecorderScene scene, params string[] findings) => FindingAssert.Are(findings, scene.Session);
}
