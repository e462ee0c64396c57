using SipNat.Endpoint;
using SipNat.Simulation;
using SipNat.Wire;

namespace SipNat.Tests.Endpoint.Signalling;

/// <summary>An address that became known after the answer is told to the peer, whatever else is going on in the dialog.</summary>
public sealed class CorrectionTests
{
    private readonly RecorderScene _scene = new(
        seed: 130,
        new() { StunServers = RecorderScene.TwoStunServers, PreparesPorts = false, SparePorts = 0 },
        NatOptions.FullCone with { PortAssignment = PortAssignment.Random },
        forwardsMedia: false);

    private readonly ManualClient _client;

    public CorrectionTests()
    {
        foreach (var server in _scene.StunServers) server.ResponseDelay = TimeSpan.FromSeconds(1);
        _client = ManualClient.AddTo(_scene);
        _client.Target = $"sip:recorder@{_scene.Server}";
        _client.Send("INVITE", ManualClient.Sdp());
        _client.RunFor(0.5);
        Assert.Equal(["192.168.1.5:10000", "192.168.1.5:10002"], ScriptedAnswer.Read(_client.LastResponse.Body).Select(a => a.Rtp.ToString()));
    }

    [Fact]
    public void A_mapping_that_comes_before_the_ack_is_told_after_it()
    {
        _client.RunFor(2);
        Assert.Empty(_client.Methods);
        _client.Acknowledge();
        _client.RunFor(0.1);

        Assert.Equal(["UPDATE"], _client.Methods);
        AssertTold();
    }

    [Fact]
    public void A_correction_that_meets_glare_is_repeated_within_two_seconds()
    {
        var answers = new Queue<int>([491, 491]);
        _client.Answer = _ => answers.TryDequeue(out var status) ? status : 200;
        _client.Acknowledge();
        _client.RunFor(6);

        Assert.All(_client.Methods, m => Assert.Equal("UPDATE", m));
        Assert.InRange(_client.Methods.Count, 3, 6);
        AssertTold();
    }

    [Fact]
    public void A_correction_that_nobody_answers_ends_no_recording()
    {
        _client.Answer = _ => null;
        _client.Acknowledge();
        _client.RunFor(100);

        Assert.Equal(1, _scene.Recorder.Signalling.Sessions);
        Assert.Contains("request-refused", _scene.Session.Snapshot.Timeline.Select(e => e.Kind));
        AssertTold();
    }

    [Fact]
    public void A_correction_to_a_dialog_that_is_gone_ends_it()
    {
        _client.Answer = request => request.Method is "UPDATE" ? 481 : 200;
        _client.Acknowledge();
        _client.RunFor(3);

        Assert.Equal(["UPDATE", "BYE"], _client.Methods);
        Assert.Equal(0, _scene.Recorder.Signalling.Sessions);
    }

    [Fact]
    public void A_correction_waits_for_the_ack_of_a_later_offer()
    {
        _client.Acknowledge();
        _client.RunFor(0.1);
        _client.Send("INVITE", ManualClient.Sdp(direction: "inactive"));
        _client.RunFor(3);
        Assert.Empty(_client.Methods);
        _client.Acknowledge();
        _client.RunFor(0.1);

        Assert.Equal(["UPDATE"], _client.Methods);
    }

    [Fact]
    public void An_invite_that_the_media_plane_never_serves_is_refused_after_ten_seconds()
    {
        var network = new SimulatedNetwork(seed: 131);
        var everybody = NetworkPrefix.Parse("0.0.0.0/0");
        var core = new SignallingCore(new() { AllowedNetworks = [everybody] }, new(), new Random(132));
        network.AddHost("198.51.100.10:5060", core);
        var client = ManualClient.AddTo(network, TransportAddress.Parse("198.51.100.10:5060"));
        client.Send("INVITE", ManualClient.Sdp());
        client.RunFor(9.9);
        Assert.Empty(client.Statuses);
        client.RunFor(0.2);

        Assert.Equal(["503 1 INVITE"], client.Statuses);
        Assert.Equal(0, core.Sessions);
    }

    private void AssertTold() => Assert.Equal(
        _scene.Session.Snapshot.Streams.Select(s => s.Advertised),
        ScriptedAnswer.Read(_client.Requests.Last(r => r.Body.Length > 0).Body).Select(a => a.Rtp));
}
