using SipNat.Endpoint.Addressing;
using SipNat.Simulation;
using SipNat.Simulation.Recorder;
using SipNat.Traversal.PortMapping;
using SipNat.Wire;

namespace SipNat.Tests.Endpoint.Signalling;

/// <summary>STUN servers that are silent or slow, public addresses that change, and mappings that must not expire.</summary>
public sealed class MappingTests
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);
    private static readonly ScriptedPeerOptions Peer = new() { Server = default };

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Silent_stun_servers_delay_an_answer_by_300_ms_at_most(bool areReady)
    {
        var scene = new RecorderScene(seed: 60, new() { StunServers = RecorderScene.TwoStunServers, PreparesPorts = areReady, SparePorts = areReady ? 8 : 0 }, NatOptions.PortRestricted);
        foreach (var server in scene.StunServers) server.IsSilent = true;
        if (areReady) scene.RunFor(1);
        var peer = scene.AddClient(Peer with { Duration = TimeSpan.FromSeconds(1), IgnoresContact = true });

        scene.RunFor(5);

        var waited = (peer.AnsweredAt!.Value - peer.InvitedAt!.Value).TotalMilliseconds;
        Assert.Equal(areReady ? 20 : 320, waited);
        Assert.Contains("mapping-unknown", scene.Session.Findings);
        Assert.Equal("no external address known: local address, relying on the peer's latching", scene.Session.Snapshot.Streams[0].Why);
        Assert.Equal("192.168.1.5:10000", scene.Session.Snapshot.Streams[0].Advertised.ToString());
    }

    [Theory]
    [InlineData(true, "UPDATE")]
    [InlineData(false, "INVITE")]
    public void A_mapping_that_comes_after_the_answer_is_told_and_audio_follows(bool allowsUpdate, string method)
    {
        var nat = NatOptions.FullCone with { PortAssignment = PortAssignment.Random };
        var scene = new RecorderScene(seed: 61, new() { StunServers = RecorderScene.TwoStunServers, PreparesPorts = false, SparePorts = 0 }, nat, forwardsMedia: false);
        foreach (var server in scene.StunServers) server.ResponseDelay = TimeSpan.FromSeconds(2);
        var peer = scene.AddClient(Peer with { Duration = TimeSpan.FromSeconds(10), IgnoresContact = true, AllowsUpdate = allowsUpdate });

        scene.RunFor(20);

        // One for the first stream whose mapping came, one for all that came while it had no answer.
        var requests = peer.Requests.Where(r => r.Method is not "ACK").ToList();
        Assert.All(requests, r => Assert.Equal(method, r.Method));
        Assert.InRange(requests.Count, 1, 3);
        Assert.Contains("mapping-changed", scene.Session.Findings);
        Assert.Equal(scene.Session.Snapshot.Streams.Select(s => s.Advertised), peer.Answers.Select(a => a.Rtp));
        Assert.All(peer.Answers, a => Assert.Equal("198.51.100.1", a.Rtp.AddressText));
        var sentThere = peer.Sent.Where(f => f.To == peer.Answers[f.Stream].Rtp).ToList();
        Assert.InRange(sentThere.Count, 700, 850);
        foreach (var stream in new[] { 0, 1 })
        {
            Assert.Equal(sentThere.Where(f => f.Stream == stream).Select(f => f.Index), scene.Session.FileOf(stream).Frames().Select(f => f.Frame));
        }
    }

    [Fact]
    public void A_machine_that_slept_asks_for_every_mapping_at_once_and_tells_its_peers()
    {
        var options = new SimulatedRecorderOptions { StunServers = RecorderScene.TwoStunServers, ForwardedPorts = ForwardedPorts.Same };
        var scene = new RecorderScene(seed: 63, options, RecorderScene.Nat("port-restricted"));
        scene.RunFor(2);
        var peer = scene.AddClient(Peer with { Duration = TimeSpan.FromSeconds(40) });
        scene.RunFor(3);
        scene.RecorderNat!.Renumber("198.51.100.2");
        scene.Recorder.Host.Run(now => scene.Recorder.HandleWallTime(now, DateTimeOffset.UnixEpoch));

        scene.RunFor(1);
        Assert.Equal(["198.51.100.2:10000", "198.51.100.2:10002"], peer.Answers.Select(a => a.Rtp.ToString()));
        Assert.Equal("<sip:recorder@198.51.100.2:5060>;+sip.srs", peer.Requests[^1].Header("Contact"));
    }

    [Fact]
    public void Another_network_of_this_machine_changes_who_may_record_and_who_is_local()
    {
        var scene = new RecorderScene(seed: 66, new() { AllowedNetworks = [], External = [TransportAddress.Parse(RecorderScene.RecorderNatAddress)] }, RecorderScene.Nat("full cone"));
        var refused = scene.AddClient(Peer);
        scene.RunFor(2);
        Assert.Equal(ScriptedPeerState.Failed, refused.State);

        var networks = new[] { NetworkPrefix.Parse("192.0.2.0/24") };
        scene.Recorder.Host.Run(now => scene.Recorder.Signalling.HandleNetworkChange(now, [], networks));
        var peer = scene.AddClient(Peer with { Duration = TimeSpan.FromSeconds(10), IgnoresContact = true }, address: "192.0.2.21");
        scene.RunFor(2);
        Assert.Equal(["198.51.100.1:10000", "198.51.100.1:10002"], peer.Answers.Select(a => a.Rtp.ToString()));

        scene.Recorder.Host.Run(now => scene.Recorder.Signalling.HandleNetworkChange(now, networks, networks));
        scene.RunFor(2);
        Assert.Equal(["192.168.1.5:10000", "192.168.1.5:10002"], peer.Answers.Select(a => a.Rtp.ToString()));
    }

    [Fact]
    public void A_port_that_the_router_opens_during_a_call_is_told_and_so_is_its_loss()
    {
        var scene = new RecorderScene(seed: 65, new() { LocalNetworks = [] }, RecorderScene.Nat("symmetric"));
        var peer = scene.AddClient(Peer with { Duration = TimeSpan.FromSeconds(20), IgnoresContact = true });
        scene.RunFor(3);
        Assert.Equal(["192.168.1.5:10000", "192.168.1.5:10002"], peer.Answers.Select(a => a.Rtp.ToString()));

        Open(scene, "udp 5060=5060", "udp 10000=10000", "udp 10001=10001", "udp 10002=10002", "udp 10003=10003");
        scene.RunFor(2);
        Assert.Equal(["198.51.100.1:10000", "198.51.100.1:10002"], peer.Answers.Select(a => a.Rtp.ToString()));
        Assert.Equal("<sip:recorder@198.51.100.1:5060>;+sip.srs", peer.Requests[^1].Header("Contact"));
        Assert.Equal("the router opened 198.51.100.1:10000 for this port (PCP)", scene.Session.Snapshot.Streams[0].Why);

        Open(scene);
        scene.RunFor(2);
        Assert.Equal(["192.168.1.5:10000", "192.168.1.5:10002"], peer.Answers.Select(a => a.Rtp.ToString()));
    }

    [Theory]
    [InlineData("port-restricted")]
    [InlineData("symmetric")]
    public void A_public_address_that_changes_is_told_and_audio_goes_on(string kind)
    {
        var options = new SimulatedRecorderOptions { StunServers = RecorderScene.TwoStunServers, ForwardedPorts = ForwardedPorts.Same, Keepalive = TimeSpan.FromSeconds(5) };
        var scene = new RecorderScene(seed: 62, options, RecorderScene.Nat(kind));
        scene.RunFor(2);
        var peer = scene.AddClient(Peer with { Duration = TimeSpan.FromSeconds(40) });
        scene.RunFor(10);
        scene.RecorderNat!.Renumber("198.51.100.2");

        scene.RunFor(40);

        Assert.Equal(ScriptedPeerState.Ended, peer.State);
        Assert.True(scene.Session.IsComplete);
        Assert.Equal(["198.51.100.2:10000", "198.51.100.2:10002"], peer.Answers.Select(a => a.Rtp.ToString()));
        Assert.Contains("mapping-changed", scene.Session.Findings);
        Assert.Equal("<sip:recorder@198.51.100.2:5060>;+sip.srs", peer.Requests[^1].Header("Contact"));
        foreach (var stream in new[] { 0, 1 })
        {
            var placed = scene.Session.FileOf(stream).Frames();
            Assert.InRange(placed.Count, 1600, 1980);
            // What is missing is what was sent to the address that was no longer ours, and nothing else.
            var known = peer.Sent.Where(f => f.Stream == stream && (f.To.AddressText is "198.51.100.2" || f.At < new Instant(0) + TimeSpan.FromSeconds(11.99))).Select(f => f.Index);
            Assert.Equal(known, placed.Select(f => f.Frame));
            Assert.All(placed, f => Assert.Equal((f.Frame - placed[0].Frame) * ScriptedFrame.Length, f.Offset));
        }
    }

    [Theory]
    [InlineData(15, 5, 3)]
    [InlineData(86_400, 30, 25)]
    public void A_path_through_nats_on_both_sides_outlives_a_hold(int holdSeconds, int lifetimeSeconds, int keepaliveSeconds)
    {
        var lifetime = TimeSpan.FromSeconds(lifetimeSeconds);
        var nat = NatOptions.PortRestricted with { FreshLifetime = lifetime, EstablishedLifetime = lifetime };
        var options = new SimulatedRecorderOptions { StunServers = RecorderScene.TwoStunServers, Keepalive = TimeSpan.FromSeconds(keepaliveSeconds), SparePorts = 0 };
        var scene = new RecorderScene(seed: 63, options, nat, forwardsMedia: false);
        scene.RunFor(2);
        scene.Log.IsKept = holdSeconds < Hour.TotalSeconds;
        var peer = scene.AddClient(
            Peer with
            {
                Duration = TimeSpan.FromSeconds(holdSeconds + 4),
                Changes = [new(TimeSpan.FromSeconds(2), ScriptedChangeKind.Hold), new(TimeSpan.FromSeconds(2 + holdSeconds), ScriptedChangeKind.Resume)],
                RtcpInterval = null,
            },
            nat with { Filtering = NatFiltering.EndpointIndependent });

        scene.RunFor(holdSeconds + 1.9);
        Assert.False(scene.Session.IsComplete);
        scene.RunFor(10);
        Assert.Equal(ScriptedPeerState.Ended, peer.State);

        // A day of silence is handed over in turns.
        scene.RunFor(60);
        Assert.True(scene.Session.IsComplete);
        Assert.All(scene.Session.Files, f => Assert.True(f.IsComplete));
        Assert.DoesNotContain("media-not-closed", scene.Session.Snapshot.Timeline.Select(e => e.Kind));
        Assert.DoesNotContain("media-stopped", scene.Session.Findings);
        foreach (var stream in scene.Session.Snapshot.Streams)
        {
            Assert.InRange(stream.Report!.Stream.Packets, 190, 202);
            Assert.InRange(stream.Report!.Stream.Duration.TotalSeconds, holdSeconds + 3.8, holdSeconds + 4.1);
        }
    }

    // "udp INTERNAL=EXTERNAL" on the addresses of the recorder and its NAT.
    private static void Open(RecorderScene scene, params string[] ports)
    {
        var mappings = ports.Select(port => port[4..].Split('=')).ToDictionary(
            port => new InternalPort(TransportProtocol.Udp, TransportAddress.Parse($"{RecorderScene.PrivateRecorder}:{port[0]}")),
            port => new RouterMapping(TransportAddress.Parse($"{RecorderScene.RecorderNatAddress}:{port[1]}"), PortMappingMethod.Pcp));
        scene.Recorder.Host.Run(now => scene.Recorder.Signalling.SetRouterMappings(now, mappings));
    }

    [Fact]
    public void The_flow_of_a_held_client_stays_open_for_our_own_bye()
    {
        var lifetime = TimeSpan.FromSeconds(5);
        var scene = new RecorderScene(seed: 64, new() { Keepalive = TimeSpan.FromSeconds(3) });
        var nat = NatOptions.PortRestricted with { FreshLifetime = lifetime, EstablishedLifetime = lifetime };
        var peer = scene.AddClient(Peer with { Duration = null, Changes = [new(TimeSpan.FromSeconds(2), ScriptedChangeKind.Hold)] }, nat);
        scene.RunFor(60);

        scene.Recorder.Host.Run(now => scene.Recorder.Signalling.EndAll(now, "The server shuts down."));
        scene.RunFor(2);

        Assert.Equal(ScriptedPeerState.Ended, peer.State);
        Assert.Equal(["BYE", "OPTIONS"], peer.Requests.Select(r => r.Method).Distinct().Order());
        Assert.InRange(peer.Requests.Count(r => r.Method is "OPTIONS"), 19, 25);
    }
}
