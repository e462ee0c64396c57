using SipNat.Endpoint.Siprec;
using SipNat.Simulation;
using SipNat.Tests.Endpoint.Signalling;
using SipNat.Wire;

namespace SipNat.Tests.Endpoint.Field;

/// <summary>Recording that its operator pauses and resumes.</summary>
public sealed class PauseTests
{
    private const double PauseAt = 3;
    private const double ResumeAt = 6;

    [Fact]
    public void Nothing_that_arrives_in_a_pause_is_in_the_files_though_the_peer_sends_on()
    {
        var scene = new RecorderScene(seed: 1);
        var peer = FieldPeer.AddTo(scene.Network, "198.51.100.150", FieldMessage.LoadCase("media"), new()
        {
            SendsRegardless = true,
            Interval = TimeSpan.FromSeconds(10),
        });

        scene.RunFor(PauseAt);
        var pausedAt = scene.Network.Now;
        Assert.True(FieldOperator.Pause(scene.Recorder));
        Assert.Equal(RecordingState.Paused, scene.Session.Snapshot.State);
        scene.RunFor(ResumeAt - PauseAt);
        var resumedAt = scene.Network.Now;
        Assert.True(FieldOperator.Resume(scene.Recorder));
        Assert.Equal(RecordingState.Recording, scene.Session.Snapshot.State);
        scene.RunFor(10);

        Assert.True(scene.Session.IsComplete);
        foreach (var stream in peer.Sent.Select(s => s.Frame).GroupBy(f => f.Stream))
        {
            Assert.Equal(499, stream.Count());
            var file = scene.Session.FileOf(stream.Key);
            var recorded = stream.Where(f => IsRecorded(f.At + scene.Network.Delay)).ToList();
            Assert.Equal(RecorderScene.Expected(recorded, 0, 499 * ScriptedFrame.Length, silence: 0xFF), file.Audio());
        }

        bool IsRecorded(Instant arrival) => arrival < pausedAt || arrival >= resumedAt;
    }

    [Fact]
    public void The_peer_is_told_by_update_where_it_takes_one()
    {
        var scene = new RecorderScene(seed: 2);
        var peer = scene.AddClient(new() { Server = default, Duration = TimeSpan.FromSeconds(10) });

        scene.RunFor(PauseAt);
        FieldOperator.Pause(scene.Recorder);
        scene.RunFor(1);
        FieldOperator.Resume(scene.Recorder);
        scene.RunFor(1);

        Assert.Equal(["UPDATE", "UPDATE"], peer.Requests.Select(r => r.Method));
        Assert.Equal([["inactive", "inactive"], ["recvonly", "recvonly"]], peer.Requests.Select(r => ScriptedAnswer.Read(r.Body).Select(m => m.Direction)));
    }

    [Fact]
    public void The_peer_is_told_by_invite_where_it_takes_no_update() =>
        FieldCase.Check("pause-by-invite", FieldCase.Run("media", new() { Interval = TimeSpan.FromSeconds(9) }, FieldOperator.PauseAndResume(PauseAt, ResumeAt)));

    [Fact]
    public void A_pause_before_the_answer_makes_it_inactive()
    {
        var scene = new RecorderScene(seed: 3);
        var peer = scene.AddClient(new() { Server = default, Duration = TimeSpan.FromSeconds(5) });
        scene.Network.RunUntil(() => scene.Recorder.Sessions.Count > 0, TimeSpan.FromSeconds(1));
        Assert.True(FieldOperator.Pause(scene.Recorder));

        scene.RunFor(10);

        Assert.Empty(scene.Session.Files);
        Assert.Equal(["inactive", "inactive"], peer.Requests.Count > 0 ? ScriptedAnswer.Read(peer.Requests[0].Body).Select(m => m.Direction) : peer.Answers.Select(m => m.Direction));
    }

    [Fact]
    public void A_session_that_is_not_there_or_over_cannot_be_paused()
    {
        var scene = new RecorderScene(seed: 4);
        scene.AddClient(new() { Server = default, Duration = TimeSpan.FromSeconds(1) });
        Assert.False(scene.Recorder.Signalling.TryPause(scene.Network.Now, new("nobody")));

        scene.RunFor(10);

        Assert.True(scene.Session.IsComplete);
        Assert.False(FieldOperator.Pause(scene.Recorder));
        Assert.False(FieldOperator.Resume(scene.Recorder));
    }

    [Fact]
    public void Pausing_twice_is_pausing_once()
    {
        var scene = new RecorderScene(seed: 5);
        var peer = scene.AddClient(new() { Server = default, Duration = TimeSpan.FromSeconds(10) });
        scene.RunFor(PauseAt);

        Assert.True(FieldOperator.Pause(scene.Recorder));
        Assert.True(FieldOperator.Pause(scene.Recorder));
        scene.RunFor(1);

        Assert.Single(peer.Requests);
        Assert.Single(scene.Session.Snapshot.Timeline, e => e.Kind is "paused");
    }
}
