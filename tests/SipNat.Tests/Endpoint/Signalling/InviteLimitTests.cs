using SipNat.Simulation;
using SipNat.Wire;

namespace SipNat.Tests.Endpoint.Signalling;

/// <summary>A re-INVITE of the recorder that the peer answers with provisional responses and nothing else.</summary>
public sealed class InviteLimitTests
{
    private readonly RecorderScene _scene = new(seed: 230);
    private readonly ManualClient _client;

    // The refresh of the session is due after half of its interval, as a re-INVITE, because the client takes no UPDATE.
    public InviteLimitTests()
    {
        _client = ManualClient.AddTo(_scene);
        _client.Send("INVITE", ManualClient.Sdp(direction: "inactive"), headers: ["Supported: timer", "Session-Expires: 400;refresher=uas", "Allow: INVITE, ACK, BYE"]);
        _client.RunFor(0.1);
        _client.Acknowledge();
        _client.Answer = request => request.Method switch { "INVITE" => 180, "UPDATE" => 405, _ => 200 };
        _client.RunFor(201);
        Assert.Equal(["UPDATE", "INVITE"], _client.Methods);
    }

    private (Instant At, TransportAddress From, ScriptedSipMessage Message) Invite => _client.Sip.First(s => s.Message is { IsResponse: false, Method: "INVITE" });

    private IReadOnlyList<string> Timeline => [.. _scene.Session.Snapshot.Timeline.Select(e => $"{e.Kind}: {e.Text}")];

    [Fact]
    public void It_is_cancelled_after_forty_seconds_and_the_session_goes_on() // RFC 3261 §9.1
    {
        _client.RunFor(45);
        var cancel = _client.Sip.Single(s => s.Message.Method is "CANCEL");
        Assert.Equal(40, (cancel.At - Invite.At).TotalSeconds, 0.001);
        Assert.Equal(
            (Invite.Message.Header("Via"), Invite.Message.Header("CSeq")!.Replace("INVITE", "CANCEL", StringComparison.Ordinal), Invite.Message.Header("To")),
            (cancel.Message.Header("Via"), cancel.Message.Header("CSeq"), cancel.Message.Header("To")));

        Answer(487);

        Assert.Equal(["UPDATE", "INVITE", "CANCEL", "ACK"], _client.Methods);
        Assert.Contains("request-cancelled: Our INVITE had no final answer in 40 s and is cancelled.", Timeline);
        Assert.Contains("request-refused: Our INVITE was answered with 487.", Timeline);
        AssertGoesOn();
    }

    [Fact]
    public void It_is_given_up_when_the_cancel_brings_nothing_either()
    {
        for (var i = 0; i < 12; i++)
        {
            _client.Host.Run(_ => _client.Respond(Invite.From, Invite.Message, 180));
            _client.RunFor(6);
        }

        Assert.Equal(["UPDATE", "INVITE", "CANCEL"], _client.Methods);
        Assert.Contains("request-refused: Our INVITE had no answer.", Timeline);
        AssertGoesOn();
    }

    [Fact]
    public void A_200_that_crosses_the_cancel_is_taken()
    {
        _client.RunFor(45);
        Answer(200, ManualClient.Sdp(direction: "inactive"));

        Assert.Equal(["UPDATE", "INVITE", "CANCEL", "ACK"], _client.Methods);
        Assert.DoesNotContain(Timeline, entry => entry.StartsWith("request-refused: Our INVITE", StringComparison.Ordinal));
        AssertGoesOn();
    }

    [Fact]
    public void A_session_that_ends_meanwhile_is_over_when_both_have_their_answers()
    {
        _client.Send("BYE");
        _client.RunFor(1);
        Assert.Equal((1, true), (_scene.Recorder.Signalling.Sessions, _scene.Session.IsComplete));
        _client.RunFor(120);

        Assert.Equal(["UPDATE", "INVITE", "CANCEL"], _client.Methods);
        Assert.Equal((0, 0), (_scene.Recorder.Signalling.Sessions, _scene.Recorder.Signalling.Transactions));
        _scene.Network.AssertNothingRented();
    }

    private void Answer(int status, string? sdp = null)
    {
        _client.Host.Run(_ => _client.Respond(Invite.From, Invite.Message, status, sdp));
        _client.RunFor(0.1);
    }

    // An offer of the peer meets no glare any more.
    private void AssertGoesOn()
    {
        _client.Send("INVITE", ManualClient.Sdp(direction: "inactive"));
        _client.RunFor(0.1);
        Assert.Equal(200, _client.LastResponse.Status);
        Assert.Equal(1, _scene.Recorder.Signalling.Sessions);
        Assert.DoesNotContain("session-lost", _scene.Session.Findings);
    }
}
