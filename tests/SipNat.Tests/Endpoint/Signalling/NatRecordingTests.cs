using SipNat.Endpoint.Addressing;
using SipNat.Simulation;
using SipNat.Simulation.Recorder;
using SipNat.Wire;

namespace SipNat.Tests.Endpoint.Signalling;

/// <summary>Sessions through NATs of every kind: before the client, before the recorder, before both, with the same addresses on either side.</summary>
public sealed class NatRecordingTests
{
    private static readonly string[] Kinds = ["full cone", "address-restricted", "port-restricted", "symmetric"];
    private static readonly ScriptedPeerOptions ThreeSeconds = new() { Server = default, Duration = TimeSpan.FromSeconds(3), IgnoresContact = false };

    public static TheoryData<string> EveryKind => [.. Kinds];

    public static TheoryData<string, string> EveryPair => new(Kinds.SelectMany(_ => Kinds, (recorder, client) => (recorder, client)));

    [Theory]
    [MemberData(nameof(EveryKind))]
    public void A_client_behind_a_nat_is_recorded_whole(string kind)
    {
        var scene = new RecorderScene(seed: 40);
        var peer = scene.AddClient(ThreeSeconds, RecorderScene.Nat(kind));

        scene.RunFor(8);

        scene.AssertRecordedWhole(peer);
        AssertAnswer(peer, "198.51.100.10", contact: "198.51.100.10:5060");
        AssertWhy(scene, "the local address is public");
        scene.Network.AssertNothingRented();
    }

    [Theory]
    [MemberData(nameof(EveryKind))]
    public void Every_stream_of_a_client_behind_a_nat_hears_from_the_recorder_within_a_second_of_its_media(string kind)
    {
        var scene = new RecorderScene(seed: 44);
        var peer = scene.AddClient(ThreeSeconds, RecorderScene.Nat(kind));

        scene.RunFor(8);

        var limit = peer.AnsweredAt!.Value + TimeSpan.FromSeconds(1.2);
        Assert.Equal([0, 1], peer.Media.Where(m => m.Kind is ReceivedMediaKind.Rtp && m.At <= limit).Select(m => m.Stream).Distinct().Order());
    }

    [Theory]
    [MemberData(nameof(EveryKind))]
    public void A_recorder_behind_a_nat_with_a_forward_and_its_address_configured_is_reached(string kind)
    {
        var scene = new RecorderScene(seed: 41, Forwarded with { External = [TransportAddress.Parse(RecorderScene.RecorderNatAddress)] }, RecorderScene.Nat(kind));
        var peer = scene.AddClient(ThreeSeconds);

        scene.RunFor(8);

        scene.AssertRecordedWhole(peer);
        AssertAnswer(peer, "198.51.100.1", contact: "198.51.100.1:5060");
        AssertWhy(scene, "Nat:ExternalAddress 198.51.100.1 with Nat:ForwardedPorts Same");
    }

    [Fact]
    public void A_forward_to_other_ports_is_told_with_its_outer_ports()
    {
        var options = Forwarded with { External = [TransportAddress.Parse(RecorderScene.RecorderNatAddress)], ExternalSipPort = 15060, ExternalMediaFirstPort = 30000 };
        var scene = new RecorderScene(seed: 42, options, NatOptions.PortRestricted);
        var peer = scene.AddClient(ThreeSeconds);

        scene.RunFor(8);

        scene.AssertRecordedWhole(peer);
        AssertAnswer(peer, "198.51.100.1", contact: "198.51.100.1:15060", firstPort: 30000);
        AssertWhy(scene, "Nat:ExternalAddress 198.51.100.1 with Nat:ForwardedPorts Same: port 30000 leads to 10000");
    }

    [Theory]
    [InlineData("full cone", "address from STUN server 198.51.100.50:3478, port 10000 from the forward")]
    [InlineData("address-restricted", "address from STUN server 198.51.100.50:3478, port 10000 from the forward")]
    [InlineData("port-restricted", "address from STUN server 198.51.100.50:3478, port 10000 from the forward")]
    [InlineData("symmetric", "mapping varies by destination: address from STUN server 198.51.100.50:3478, port 10000 from the forward")]
    public void A_forward_and_nothing_but_stun_servers_are_enough(string kind, string why)
    {
        var scene = new RecorderScene(seed: 43, Forwarded with { StunServers = RecorderScene.TwoStunServers }, RecorderScene.Nat(kind));
        scene.RunFor(2);
        var peer = scene.AddClient(ThreeSeconds);

        scene.RunFor(8);

        scene.AssertRecordedWhole(peer);
        AssertAnswer(peer, "198.51.100.1", contact: "198.51.100.1:5060");
        AssertWhy(scene, why);
        Assert.Equal([], scene.Session.Findings);
    }

    [Theory]
    [MemberData(nameof(EveryPair))]
    public void Both_behind_nats_with_the_same_networks_inside_are_recorded_whole(string recorder, string client)
    {
        var lan = NetworkPrefix.Parse("192.168.1.0/24");
        var scene = new RecorderScene(seed: 44, Forwarded with { StunServers = RecorderScene.TwoStunServers, LocalNetworks = [lan] }, RecorderScene.Nat(recorder));
        var bystander = scene.Network.AddHost(RecorderScene.PrivateClient, new DatagramProbe(), scene.RecorderNat);
        scene.RunFor(2);
        var peer = scene.AddClient(ThreeSeconds, RecorderScene.Nat(client));

        scene.RunFor(8);

        scene.AssertRecordedWhole(peer);
        AssertAnswer(peer, "198.51.100.1", contact: "198.51.100.1:5060");
        Assert.Equal(0, bystander.PacketsReceived);
        Assert.Equal(["address-not-sent-to", "media-from-elsewhere"], scene.Session.Findings.Union(["address-not-sent-to", "media-from-elsewhere"]).Order());
        scene.Network.AssertNothingRented();
    }

    [Fact]
    public void A_client_on_the_local_network_is_told_the_local_address_whatever_is_known_of_the_outside()
    {
        var lan = NetworkPrefix.Parse("192.168.1.0/24");
        var scene = new RecorderScene(seed: 45, Forwarded with { StunServers = RecorderScene.TwoStunServers, LocalNetworks = [lan] }, NatOptions.Symmetric);
        scene.RunFor(2);
        var server = TransportAddress.Parse(RecorderScene.PrivateRecorder).WithPort(5060);
        var peer = ScriptedSipPeer.AddTo(scene.Network, "192.168.1.30", ThreeSeconds with { Server = server }, scene.RecorderNat);

        scene.RunFor(8);

        scene.AssertRecordedWhole(peer);
        AssertAnswer(peer, "192.168.1.5", contact: "192.168.1.5:5060");
        AssertWhy(scene, "peer 192.168.1.30 is on a local network (192.168.1.0/24): the local address");
        Assert.Equal([], scene.Session.Findings);
    }

    [Theory]
    [InlineData("full cone")]
    [InlineData("address-restricted")]
    [InlineData("port-restricted")]
    public void Without_a_forward_the_mapped_ports_are_told_and_opened(string kind)
    {
        var nat = RecorderScene.Nat(kind) with { PortAssignment = PortAssignment.Random };
        var scene = new RecorderScene(seed: 46, new() { StunServers = RecorderScene.TwoStunServers }, nat, forwardsMedia: false);
        scene.RunFor(2);
        var peer = scene.AddClient(ThreeSeconds with { Duration = TimeSpan.FromSeconds(10) });

        scene.RunFor(15);

        var stream = scene.Session.Snapshot.Streams[0];
        Assert.Equal("198.51.100.1", stream.Advertised.AddressText);
        Assert.Equal($"STUN server 198.51.100.50:3478 saw this socket as {stream.Advertised}; no forward is configured", stream.Why);
        Assert.NotEqual(peer.Answers[0].Rtp.Port + 1, peer.Answers[0].Rtcp.Port);
        // What arrives before our own first packet has opened the port is lost there; on the second stream that is a round trip more.
        Assert.All(scene.Session.Snapshot.Streams, s => Assert.InRange(s.Report!.Stream.Packets, 495, 500));
        Assert.All(scene.Session.Snapshot.Streams, s => Assert.Equal(0, s.Report!.Stream.Lost));
    }

    [Fact]
    public void A_symmetric_nat_without_a_forward_is_named_as_the_cause()
    {
        var scene = new RecorderScene(seed: 47, new() { StunServers = RecorderScene.TwoStunServers }, NatOptions.Symmetric, forwardsMedia: false);
        scene.RunFor(2);
        scene.AddClient(ThreeSeconds with { Duration = TimeSpan.FromSeconds(12), IgnoresContact = true });

        scene.RunFor(20);

        Assert.Contains("mapping-varies", scene.Session.Findings);
        Assert.Contains("no-media", scene.Session.Findings);
    }

    private static SimulatedRecorderOptions Forwarded => new() { ForwardedPorts = ForwardedPorts.Same };

    private static void AssertAnswer(ScriptedSipPeer peer, string address, string contact, int firstPort = 10000)
    {
        var answer = peer.Responses.First(r => r.Status == 200 && r.Method is "INVITE");
        Assert.Equal($"<sip:recorder@{contact}>;+sip.srs", answer.Header("Contact"));
        Assert.Equal(
            [$"{address}:{firstPort}/{firstPort + 1}", $"{address}:{firstPort + 2}/{firstPort + 3}"],
            ScriptedAnswer.Read(answer.Body).Select(a => $"{a.Rtp}/{a.Rtcp.Port}"));
        Assert.Single(answer.Body.Split("\r\n"), line => line == $"c=IN IP4 {address}");
        Assert.Equal(["1", "2"], ScriptedAnswer.Read(answer.Body).Select(a => a.Label));
    }

    private static void AssertWhy(RecorderScene scene, string why) => Assert.Equal(why, scene.Session.Snapshot.Streams[0].Why);
}
