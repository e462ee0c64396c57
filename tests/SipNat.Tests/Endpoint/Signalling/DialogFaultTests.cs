using SipNat.Endpoint.Siprec;
using SipNat.Wire;

namespace SipNat.Tests.Endpoint.Signalling;

/// <summary>Messages that are lost, repeated, cross each other, or should not have been sent.</summary>
public sealed class DialogFaultTests
{
    private readonly RecorderScene _scene = new(seed: 31);
    private readonly ManualClient _client;

    public DialogFaultTests() => _client = ManualClient.AddTo(_scene);

    [Fact]
    public void A_repeated_invite_begins_nothing_and_the_200_that_is_repeated_is_the_same() // RFC 6026 §7.1
    {
        var invite = _client.Send("INVITE", ManualClient.Sdp());
        _client.RunFor(0.1);
        _client.SendText(invite);
        _client.RunFor(0.6);

        Assert.Equal(2, _client.Responses.Count());
        Assert.Single(_client.Responses.Select(r => r.Text).Distinct());
        Assert.Single(_scene.Recorder.Sessions);
    }

    [Fact]
    public void A_200_whose_ack_is_lost_is_repeated_and_then_the_session_ends_with_bye() // RFC 3261 §13.3.1.4
    {
        _client.Send("INVITE", ManualClient.Sdp());
        _client.RunFor(60);

        Assert.Equal(
            [0.02, 0.52, 1.52, 3.52, 7.52, 11.52, 15.52, 19.52, 23.52, 27.52, 31.52],
            _client.Sip.Where(s => s.Message.IsResponse).Select(s => Math.Round((s.At - new Instant(0)).TotalSeconds, 3)));
        Assert.Equal(["BYE"], _client.Methods);
        Assert.Contains("no-ack", _scene.Session.Findings);
        Assert.Equal("The 200 OK was never acknowledged.", _scene.Session.Snapshot.EndReason);
        AssertNothingLeft();
    }

    [Fact]
    public void A_request_in_the_dialog_stands_in_for_a_lost_ack()
    {
        _client.Send("INVITE", ManualClient.Sdp());
        _client.RunFor(0.1);
        _client.Send("UPDATE");
        _client.RunFor(60);

        Assert.Equal(["200 1 INVITE", "200 2 UPDATE"], _client.Statuses);
        Assert.Equal(1, _scene.Recorder.Signalling.Sessions);
    }

    [Fact]
    public void A_lost_200_is_repeated_with_the_next_invite()
    {
        _client.Host.Downlink = new() { Loss = 1 };
        var invite = _client.Send("INVITE", ManualClient.Sdp());
        _client.RunFor(0.4);
        _client.Host.Downlink = null;
        _client.SendText(invite);
        _client.RunFor(0.2);
        _client.Acknowledge();
        _client.RunFor(5);

        Assert.Equal(["200 1 INVITE"], _client.Statuses);
        Assert.Single(_scene.Recorder.Sessions);
    }

    [Fact]
    public void Cancel_before_the_answer_ends_the_session_with_487() // RFC 3261 §9.2
    {
        var scene = SceneWithSilentStun(out var client);
        client.Send("INVITE", ManualClient.Sdp(), branch: "same");
        client.RunFor(0.1);
        client.Send("CANCEL", cseq: 1, branch: "same");
        client.RunFor(0.1);
        client.Send("ACK", cseq: 1, branch: "same");
        client.RunFor(60);

        Assert.Equal(["200 1 CANCEL", "487 1 INVITE"], client.Statuses);
        Assert.Equal("The peer cancelled the INVITE.", scene.Session.Snapshot.EndReason);
        Assert.True(scene.Session.IsComplete);
        Assert.Empty(scene.Session.Files);
        Assert.Equal((0, 0), (scene.Recorder.Signalling.Sessions, scene.Recorder.Media.Sessions));
    }

    [Fact]
    public void Cancel_of_a_later_invite_leaves_the_streams_as_they_were()
    {
        var scene = SceneWithSilentStun(out var client);
        client.Send("INVITE", ManualClient.Sdp());
        client.RunFor(0.5);
        client.Acknowledge();
        client.RunFor(0.1);
        client.Send("INVITE", ManualClient.Sdp(streams: 3, direction: "inactive"), branch: "later");
        client.RunFor(0.1);
        client.Send("CANCEL", cseq: 2, branch: "later");
        client.RunFor(0.1);

        Assert.Equal(["200 1 INVITE", "200 2 CANCEL", "487 2 INVITE"], client.Statuses);
        client.Send("UPDATE");
        client.RunFor(0.1);
        Assert.Equal(["recvonly", "recvonly"], scene.Session.Snapshot.Streams.Select(s => s.Direction));
    }

    [Fact]
    public void A_bye_without_to_tag_ends_the_session()
    {
        _client.Establish();
        _client.ToTag = "";
        _client.Send("BYE");
        _client.RunFor(0.1);

        Assert.Equal("200 2 BYE", _client.Statuses[^1]);
        AssertNothingLeft();
    }

    [Fact]
    public void Byes_that_cross_are_both_answered()
    {
        _client.Establish();
        _scene.Recorder.Host.Run(now => _scene.Recorder.Signalling.EndAll(now, "The server shuts down."));
        _client.Send("BYE");
        _client.RunFor(1);

        Assert.Equal(["200 1 INVITE", "200 2 BYE"], _client.Statuses);
        Assert.Equal(["BYE"], _client.Methods);
        Assert.Equal("The server shuts down.", _scene.Session.Snapshot.EndReason);
        AssertNothingLeft();
    }

    [Fact]
    public void A_bye_before_the_ack_of_a_session_that_we_end_is_the_end_of_it()
    {
        _client.Send("INVITE", ManualClient.Sdp());
        _client.RunFor(0.1);
        _scene.Recorder.Host.Run(now => _scene.Recorder.Signalling.EndAll(now, "The server shuts down."));
        _client.RunFor(0.1);
        Assert.Empty(_client.Methods);
        _client.Send("BYE");
        _client.RunFor(1);

        Assert.Equal(["200 1 INVITE", "200 2 BYE"], _client.Statuses);
        AssertNothingLeft();
    }

    [Fact]
    public void Ending_before_the_ack_waits_for_it()
    {
        _client.Send("INVITE", ManualClient.Sdp());
        _client.RunFor(0.1);
        _scene.Recorder.Host.Run(now => _scene.Recorder.Signalling.EndAll(now, "The server shuts down."));
        _client.Acknowledge();
        _client.RunFor(1);

        Assert.Equal(["BYE"], _client.Methods);
        AssertNothingLeft();
    }

    [Fact]
    public void A_bye_of_ours_that_nobody_answers_is_given_up()
    {
        _client.Establish();
        _client.Answer = _ => null;
        _scene.Recorder.Host.Run(now => _scene.Recorder.Signalling.EndAll(now, "The server shuts down."));
        _client.RunFor(0.5);
        Assert.True(_scene.Session.IsComplete);
        Assert.Equal(1, _scene.Recorder.Signalling.Sessions);
        _client.RunFor(70);

        AssertNothingLeft();
    }

    [Fact]
    public void Replaces_ends_the_session_whose_place_is_taken_once_the_next_one_is_confirmed() // RFC 3891
    {
        _client.Establish();
        var first = _scene.Session.Id;
        var replaces = $"Replaces: {_client.CallId};to-tag={_client.ToTag};from-tag={_client.FromTag}";
        (_client.CallId, _client.ToTag) = ("successor", "");
        _client.Send("INVITE", ManualClient.Sdp(), headers: [replaces]);
        _client.RunFor(0.1);
        Assert.Equal(2, _scene.Recorder.Signalling.Sessions);
        _client.Acknowledge();
        _client.RunFor(1);

        var successor = _scene.Recorder.Sessions.Single(s => s.Id != first);
        Assert.Equal(["BYE"], _client.Methods);
        Assert.Equal($"Replaced by {successor.Id} (RFC 3891).", _scene.Recorder.Sessions.Single(s => s.Id == first).Snapshot.EndReason);
        Assert.Equal(1, _scene.Recorder.Signalling.Sessions);
    }

    [Fact]
    public void Replaces_of_a_dialog_that_is_not_there_gets_481()
    {
        _client.Send("INVITE", ManualClient.Sdp(), headers: ["Replaces: nobody;to-tag=1;from-tag=2"]);
        _client.RunFor(0.1);

        Assert.Equal(["481 1 INVITE"], _client.Statuses);
        Assert.Empty(_scene.Recorder.Sessions);
    }

    [Fact]
    public void An_offer_that_meets_the_last_one_of_the_peer_gets_500_and_retry_after() // RFC 3261 §14.2
    {
        var scene = SceneWithSilentStun(out var client);
        client.Send("INVITE", ManualClient.Sdp());
        client.RunFor(0.5);
        client.Acknowledge();
        client.Send("INVITE", ManualClient.Sdp(streams: 3));
        client.RunFor(0.05);
        client.Send("INVITE", ManualClient.Sdp());
        client.RunFor(0.05);

        Assert.Equal("500 3 INVITE", client.Statuses[^1]);
        Assert.NotNull(client.LastResponse.Header("Retry-After"));
        Assert.Equal(1, scene.Recorder.Signalling.Sessions);
    }

    [Fact]
    public void An_offer_while_ours_waits_for_its_answer_gets_491()
    {
        _client.Send("INVITE");
        _client.RunFor(0.1);
        _client.Send("UPDATE", ManualClient.Sdp());
        _client.RunFor(0.1);
        _client.Send("INVITE", ManualClient.Sdp());
        _client.RunFor(0.1);

        Assert.Equal(["200 1 INVITE", "491 2 UPDATE", "491 3 INVITE"], _client.Statuses);
        _client.Send("ACK", ManualClient.Sdp(streams: 1), cseq: 1);
        _client.RunFor(1);
        Assert.Equal(RecordingState.Recording, _scene.Session.Snapshot.State);
        Assert.Equal("recvonly", _scene.Session.Snapshot.Streams[0].Direction);
    }

    [Fact]
    public void A_request_that_is_out_of_order_is_refused_and_moves_nothing()
    {
        _client.Establish();
        _client.Send("UPDATE", cseq: 7);
        _client.RunFor(0.1);
        var elsewhere = ManualClient.AddTo(_scene, "192.0.2.99");
        (elsewhere.CallId, elsewhere.FromTag, elsewhere.ToTag) = (_client.CallId, _client.FromTag, _client.ToTag);
        elsewhere.Send("UPDATE", cseq: 3);
        _client.RunFor(0.1);

        Assert.Equal(["500 3 UPDATE"], elsewhere.Statuses);
        Assert.Equal($"{RecorderScene.PublicClient}:5060", _scene.Session.Snapshot.Remote.ToString());
        Assert.DoesNotContain("signalling-moved", _scene.Session.Findings);
    }

    [Fact]
    public void A_client_that_fails_over_goes_on_from_another_address()
    {
        _client.Establish();
        var elsewhere = ManualClient.AddTo(_scene, "192.0.2.99");
        (elsewhere.CallId, elsewhere.FromTag, elsewhere.ToTag) = (_client.CallId, _client.FromTag, _client.ToTag);
        elsewhere.Send("INVITE", ManualClient.Sdp("192.0.2.99"), cseq: 2);
        _client.RunFor(0.1);
        elsewhere.Acknowledge();
        elsewhere.Talk(0, 0, 10);

        Assert.Equal(["signalling-moved"], _scene.Session.Findings.Intersect(["signalling-moved"]));
        _scene.Recorder.Host.Run(now => _scene.Recorder.Signalling.EndAll(now, "The server shuts down."));
        _client.RunFor(1);
        Assert.Equal(["BYE"], elsewhere.Methods);
        Assert.Empty(_client.Methods);
        Assert.Equal(10, _scene.Session.FileOf(0).Frames().Count);
    }

    private static RecorderScene SceneWithSilentStun(out ManualClient client)
    {
        var scene = new RecorderScene(seed: 32, new() { StunServers = RecorderScene.TwoStunServers, SparePorts = 0, PreparesPorts = false });
        foreach (var server in scene.StunServers) server.IsSilent = true;
        client = ManualClient.AddTo(scene);
        return scene;
    }

    private void AssertNothingLeft()
    {
        Assert.All(_scene.Recorder.Sessions, s => Assert.True(s.IsComplete));
        Assert.Equal((0, 0), (_scene.Recorder.Signalling.Sessions, _scene.Recorder.Media.Sessions));
        _scene.Network.AssertNothingRented();
    }
}
