using SipNat.Simulation;

namespace SipNat.Tests.Endpoint.Signalling;

/// <summary>A recording session without a NAT, from its INVITE to its files.</summary>
public sealed class RecordedCallTests
{
    [Fact]
    public void A_call_of_two_streams_is_recorded_frame_by_frame()
    {
        var scene = new RecorderScene(seed: 1);
        var peer = scene.AddClient(new() { Server = default, Duration = TimeSpan.FromSeconds(10) });

        scene.RunFor(15);

        Assert.Equal(ScriptedPeerState.Ended, peer.State);
        Assert.Equal([500, 500], peer.Sent.GroupBy(f => f.Stream).Select(g => g.Count()));
        scene.AssertRecordedWhole(peer);
        Assert.Equal([], scene.Session.Findings);
        Assert.Equal(0, scene.Recorder.Signalling.Sessions);
        Assert.Equal(0, scene.Recorder.Media.Sessions);
        scene.Network.AssertNothingRented();
    }
}
