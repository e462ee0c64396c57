using SipNat.Endpoint;
using SipNat.Endpoint.Diagnosis;
using SipNat.Media.Streams;
using SipNat.Simulation;
using SipNat.Simulation.Recorder;
using SipNat.Simulation.Turn;
using SipNat.Tests.Endpoint.Diagnosis;
using SipNat.Traversal.Stun;
using SipNat.Traversal.Turn;
using SipNat.Wire;

namespace SipNat.Tests.Endpoint.Signalling;

/// <summary>NATs that forget sooner than the keepalive assumes, and lifetimes that were measured.</summary>
public sealed class KeepaliveTests
{
    private const string TurnServer = "198.51.100.60:3478";
    private static readonly ScriptedPeerOptions Peer = new() { Server = default, Streams = 1, IgnoresContact = true, RtcpInterval = null };

    // Everybody's packets are let in for as long as a mapping lives, which then has another port.
    private static NatOptions Forgetting(double seconds) => NatOptions.FullCone with
    {
        FreshLifetime = TimeSpan.FromSeconds(seconds),
        EstablishedLifetime = TimeSpan.FromSeconds(seconds),
        PortAssignment = PortAssignment.Random,
    };

    [Theory]
    [InlineData(10, 1)]
    [InlineData(6, 2)]
    public void Every_socket_loses_its_mapping_at_first_and_keeps_it_for_ever_after(double lifetime, int losses)
    {
        var network = new SimulatedNetwork(seed: 70);
        foreach (var server in RecorderScene.TwoStunServers) SimulatedStunServer.AddTo(network, server.ToString());
        var nat = network.AddNat(RecorderScene.RecorderNatAddress, Forgetting(lifetime));
        var recorder = SimulatedRecorder.AddTo(network, RecorderScene.PrivateRecorder, new() { StunServers = RecorderScene.TwoStunServers, SparePorts = 4 }, nat);
        var sockets = (int[])[5060, .. Enumerable.Range(10_000, 8)];

        network.RunFor(TimeSpan.FromMinutes(1));
        var learned = Seen();
        for (var second = 0; second < 3600; second++)
        {
            network.RunFor(TimeSpan.FromSeconds(1));
            Assert.Equal(learned, Seen());
        }

        Assert.All(learned, mapped => Assert.Equal(RecorderScene.RecorderNatAddress, mapped.AddressText));
        Assert.InRange(recorder.Media.MappingsEnded, 8, 8 * losses);
        Assert.InRange(recorder.Signalling.MappingsEnded, 1, losses);
        Assert.Equal(recorder.Signalling.MappingsEnded, recorder.Notices.OfType<SignallingNotice.Mapping>().Count(n => n.Happened is StunBindingEvent.MappingEnded));

        List<TransportAddress> Seen() => [.. sockets.Select(port => nat.ExternalOf(TransportAddress.Parse($"{RecorderScene.PrivateRecorder}:{port}"), RecorderScene.TwoStunServers[0]))];
    }

    [Fact]
    [Plants(FindingCode.MappingEnded)]
    public void A_session_whose_mapping_ended_once_says_so_and_goes_on()
    {
        var scene = new RecorderScene(seed: 71, new() { StunServers = RecorderScene.TwoStunServers, SparePorts = 0 }, Forgetting(10), forwardsMedia: false);
        scene.RunFor(2);
        var peer = scene.AddClient(Peer with { Duration = TimeSpan.FromMinutes(4) });
        scene.RunFor(250);

        Assert.Equal(ScriptedPeerState.Ended, peer.State);
        Assert.Equal(
            [
                "mapping-ended: Media port 10000: The NAT gave 192.168.1.5:10000 another port within 22 s: a silent mapping does not live so long there, and is kept alive every 6.2–7.8 s from here on.",
            ],
            scene.Session.FindingTexts.Where(text => text.StartsWith("mapping-ended", StringComparison.Ordinal)));
        Assert.Equal(scene.Session.Snapshot.Streams[0].Advertised, peer.Answers[0].Rtp);
        Assert.NotEqual(peer.Sent[0].To, peer.Answers[0].Rtp);
        Assert.DoesNotContain(peer.Sent.Where(f => f.At > new Instant(0) + TimeSpan.FromSeconds(40)), f => f.To != peer.Answers[0].Rtp);
        var frames = scene.Session.FileOf(0).Frames().Select(f => f.Frame).ToHashSet();
        Assert.DoesNotContain(peer.Sent.Where(f => f.To == peer.Answers[0].Rtp), f => !frames.Contains(f.Index));
    }

    [Fact]
    public void A_measured_lifetime_sets_the_pace_of_every_keepalive()
    {
        var options = new SimulatedRecorderOptions { StunServers = RecorderScene.TwoStunServers, SparePorts = 1, Latch = LatchPolicy.Any };
        var scene = new RecorderScene(seed: 72, options, NatOptions.PortRestricted);
        scene.RunFor(2);
        scene.AddClient(Peer with { Duration = null, Changes = [new(TimeSpan.FromSeconds(2), ScriptedChangeKind.Hold)] });
        scene.RunFor(30);
        scene.Recorder.Host.Run(now =>
        {
            scene.Recorder.Media.LimitKeepalive(now, TimeSpan.FromSeconds(21));
            scene.Recorder.Signalling.LimitKeepalive(now, TimeSpan.FromSeconds(21));
        });
        scene.RunFor(600);

        var sent = scene.Log.SentBy(scene.Recorder.Host.Address).Where(p => p.Seconds > 60).ToList();
        AssertPace(5, sent.Where(p => p.IsStun), 16.8, 21);
        AssertPace(1, sent.Where(p => p.IsRtp), 16.8, 21);
        AssertPace(1, sent.Where(p => p.Bytes.AsSpan().SequenceEqual("\r\n\r\n"u8)), 16.8, 21);
        Assert.DoesNotContain(scene.Session.FindingTexts, text => text.StartsWith("mapping-ended", StringComparison.Ordinal));
    }

    [Fact]
    public void A_measured_lifetime_reaches_relays_that_run()
    {
        var turn = new TurnServerOptions { Server = TransportAddress.Parse(TurnServer), Credentials = new("user", "password") };
        var scene = new RecorderScene(seed: 73, new() { StunServers = RecorderScene.TwoStunServers, TurnServers = [turn], IsRelayOnly = true, SparePorts = 0 }, NatOptions.PortRestricted, forwardsMedia: false);
        SimulatedTurnServer.AddTo(scene.Network, TurnServer);
        scene.RunFor(1);
        scene.AddClient(Peer with { Duration = null });
        scene.RunFor(30);
        scene.Recorder.Host.Run(now => scene.Recorder.Media.LimitKeepalive(now, TimeSpan.FromSeconds(7)));
        scene.RunFor(120);

        // Binding indications (RFC 8656 §3.9 leaves the way to keep the mapping to the client).
        var sent = scene.Log.SentBy(scene.Recorder.Host.Address).Where(p => p.To == turn.Server && p.Bytes is [0x00, 0x11, ..]).ToList();
        AssertPace(2, sent.Where(p => p.Seconds < 31), 20, 25);
        AssertPace(2, sent.Where(p => p.Seconds > 56), 5.6, 7);
    }

    // Each socket of so many by itself.
    private static void AssertPace(int sockets, IEnumerable<LoggedPacket> packets, double earliest, double latest)
    {
        var bySocket = packets.GroupBy(p => p.From).ToList();
        Assert.Equal(sockets, bySocket.Count);
        foreach (var times in bySocket.Select(socket => socket.Select(p => p.Seconds).ToList()))
        {
            Assert.All(times.Zip(times.Skip(1)), pair => Assert.InRange(pair.Second - pair.First, earliest - 0.1, latest + 0.1));
        }
    }
}
