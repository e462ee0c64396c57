using SipNat.Endpoint.Addressing;
using SipNat.Simulation;
using SipNat.Simulation.Recorder;
using SipNat.Wire;

namespace SipNat.Tests.Endpoint.Signalling;

/// <summary>What the recorder asks of its clients: whether they are there, whether the session goes on, and to end it.</summary>
public sealed class OwnRequestTests
{
    private static readonly ScriptedPeerOptions Peer = new() { Server = default, Duration = null };

    [Theory]
    [InlineData("full cone", false)]
    [InlineData("address-restricted", false)]
    [InlineData("port-restricted", false)]
    [InlineData("symmetric", false)]
    [InlineData("full cone", true)]
    [InlineData("symmetric", true)]
    public void A_bye_of_ours_reaches_a_client_behind_a_nat_over_its_flow(string kind, bool tcp)
    {
        var scene = new RecorderScene(seed: 70);
        var peer = scene.AddClient(Peer with { Transport = tcp ? TransportProtocol.Tcp : TransportProtocol.Udp }, RecorderScene.Nat(kind));
        scene.RunFor(30);

        scene.Recorder.Host.Run(now => scene.Recorder.Signalling.EndAll(now, "The server shuts down."));
        scene.RunFor(1);

        Assert.Equal(ScriptedPeerState.Ended, peer.State);
        var bye = Assert.Single(peer.Requests, r => r.Method is "BYE");
        Assert.StartsWith("BYE sip:client@192.168.1.20:", bye.StartLine, StringComparison.Ordinal);
        Assert.StartsWith(tcp ? "SIP/2.0/TCP 198.51.100.10:5060" : "SIP/2.0/UDP 198.51.100.10:5060", bye.Header("Via"), StringComparison.Ordinal);
        Assert.All(scene.Session.Files, f => Assert.InRange(f.Frames().Count, 1498, 1499));
        Assert.Equal(0, scene.Recorder.Signalling.Sessions);
    }

    [Fact]
    public void The_via_of_our_requests_has_the_address_that_the_peer_can_answer_to()
    {
        var options = new SimulatedRecorderOptions { External = [TransportAddress.Parse(RecorderScene.RecorderNatAddress)], ForwardedPorts = ForwardedPorts.Same };
        var scene = new RecorderScene(seed: 71, options, NatOptions.Symmetric);
        var peer = scene.AddClient(Peer);
        scene.RunFor(1);

        scene.Recorder.Host.Run(now => scene.Recorder.Signalling.EndAll(now, "The server shuts down."));
        scene.RunFor(1);

        Assert.StartsWith("SIP/2.0/UDP 198.51.100.1:5060;", peer.Requests[^1].Header("Via"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_client_that_falls_silent_is_asked_and_every_answer_but_481_and_408_is_life()
    {
        var (scene, client) = Silent();
        foreach (var status in new[] { 200, 403, 405, 500, 501 })
        {
            client.Answer = _ => status;
            client.RunFor(61);
        }

        Assert.Equal(5, client.Methods.Count);
        Assert.All(client.Methods, m => Assert.Equal("OPTIONS", m));
        Assert.Equal(1, scene.Recorder.Signalling.Sessions);
        Assert.All(client.Requests, r => Assert.Equal("application/sdp, application/rs-metadata+xml, application/rs-metadata, multipart/mixed", r.Header("Accept")));
    }

    [Theory]
    [InlineData(481, 0.1, "The peer no longer knows the session (481).")]
    [InlineData(408, 0.1, "The peer no longer knows the session (408).")]
    [InlineData(null, 33, "The peer no longer answers.")]
    public void A_silent_client_that_knows_nothing_of_the_session_or_does_not_answer_ends_it(int? status, double wait, string reason)
    {
        var (scene, client) = Silent();
        client.Answer = request => request.Method is "OPTIONS" ? status : 200;
        client.RunFor(60 + wait);

        Assert.Equal("BYE", client.Methods[^1]);
        client.RunFor(1);
        Assert.Equal(reason, scene.Session.Snapshot.EndReason);
        Assert.Contains("session-lost", scene.Session.Findings);
        Assert.Equal(0, scene.Recorder.Signalling.Sessions);
    }

    [Fact]
    public void Media_from_one_stream_is_enough_not_to_be_asked()
    {
        var (scene, client) = Silent();
        for (var i = 0; i < 10; i++)
        {
            client.Talk(0, i * 1000, 5);
            client.RunFor(20);
        }

        Assert.Empty(client.Methods);
        Assert.Equal(1, scene.Recorder.Signalling.Sessions);
    }

    [Fact]
    public void A_held_client_is_never_asked()
    {
        var (scene, client) = Silent();
        client.Send("INVITE", ManualClient.Sdp(direction: "inactive"));
        client.RunFor(0.1);
        client.Acknowledge();
        client.RunFor(7200);

        Assert.Empty(client.Methods);
        Assert.Equal(1, scene.Recorder.Signalling.Sessions);
    }

    [Fact]
    public void A_client_whose_connection_is_gone_is_given_up_after_its_silence()
    {
        var scene = new RecorderScene(seed: 73, new() { SilenceTimeout = TimeSpan.FromSeconds(60) });
        var peer = ScriptedSipPeer.AddTo(scene.Network, "192.168.1.20", Peer with { Server = scene.Server, Transport = TransportProtocol.Tcp }, scene.Network.AddNat("203.0.113.1"));
        scene.RunFor(5);
        Assert.Equal(ScriptedPeerState.Established, peer.State);
        var flow = scene.Recorder.Signalling.Sessions;
        scene.Recorder.Host.IsConnected = false;
        scene.RunFor(400);

        Assert.Equal(1, flow);
        Assert.True(scene.Session.IsComplete);
        Assert.Equal(0, scene.Recorder.Signalling.Sessions);
    }

    [Fact]
    public void An_ack_of_ours_that_is_lost_is_sent_again_with_the_next_200()
    {
        var options = new SimulatedRecorderOptions { StunServers = RecorderScene.TwoStunServers, PreparesPorts = false, SparePorts = 0 };
        var scene = new RecorderScene(seed: 74, options, NatOptions.FullCone with { PortAssignment = PortAssignment.Random }, forwardsMedia: false);
        foreach (var server in scene.StunServers) server.ResponseDelay = TimeSpan.FromSeconds(2);
        var client = ManualClient.AddTo(scene);
        client.Send("INVITE", ManualClient.Sdp(), headers: ["Supported: siprec"]);
        client.RunFor(0.5);
        client.Acknowledge();
        client.Send("INVITE", ManualClient.Sdp());
        client.RunFor(0.1);
        client.Acknowledge();
        client.Answer = _ => null;
        client.RunFor(3);
        var update = client.Sip.First(s => s.Message.Method is "UPDATE");
        client.Host.Run(_ => client.Respond(update.From, update.Message, 405));
        client.RunFor(0.1);
        var invite = client.Sip.First(s => s.Message is { Method: "INVITE", IsResponse: false });
        for (var i = 0; i < 3; i++)
        {
            client.Host.Run(_ => client.Respond(invite.From, invite.Message, 200, ManualClient.Sdp()));
            client.RunFor(0.5);
        }

        Assert.Equal(3, client.Methods.Count(m => m is "ACK"));
        Assert.Equal(1, scene.Recorder.Signalling.Sessions);
    }

    private static (RecorderScene Scene, ManualClient Client) Silent()
    {
        var scene = new RecorderScene(seed: 72, new() { SilenceTimeout = TimeSpan.FromSeconds(60) });
        var client = ManualClient.AddTo(scene);
        client.Establish();
        return (scene, client);
    }
}
