using SipNat.Media.Streams;
using SipNat.Simulation;
using SipNat.Wire;

namespace SipNat.Tests.Endpoint.Signalling;

/// <summary>A steady stream of a stranger at every media port, as whoever sprays a range of ports sends it.</summary>
public sealed class ForeignMediaTests
{
    private const int Frames = 100;
    private const int HeldFrames = 200;
    private const int MediaPort = 10_000;

    [Theory]
    [InlineData(LatchPolicy.Off)]
    [InlineData(LatchPolicy.Signalling)]
    [InlineData(LatchPolicy.Allowed)]
    [InlineData(LatchPolicy.Any)]
    public void A_foreign_stream_before_during_and_after_a_hold_is_never_in_the_file_and_costs_no_frame(LatchPolicy latch)
    {
        var scene = new RecorderScene(seed: 240, new() { Latch = latch });
        var client = ManualClient.AddTo(scene);
        var stranger = ManualClient.AddTo(scene, "203.0.113.5");
        var strays = 0;
        client.Establish(ManualClient.Sdp(streams: 1));
        client.Talk(0, 0, Frames, Both);
        Offer("inactive");
        for (var i = 0; i < HeldFrames; i++)
        {
            Stray();
            client.RunFor(ScriptedFrame.Span.TotalSeconds);
        }

        Offer("sendonly");
        client.Talk(0, Frames, Frames, Both);
        client.Send("BYE");
        client.RunFor(1);

        var file = scene.Session.FileOf(0);
        Assert.Equal(Enumerable.Range(0, 2 * Frames), file.Frames().Select(frame => frame.Frame));
        Assert.Equal(2 * Frames * ScriptedFrame.Length, file.Audio().Count(sample => sample != 0xFF));

        void Both(int frame)
        {
            client.SendFrame(0, frame, Port(0));
            Stray();
        }

        void Stray()
        {
            for (var port = 0; port < 4; port++) stranger.SendFrame(1, strays, Port(port), ssrc: 0x0BAD);
            strays++;
        }

        void Offer(string direction)
        {
            client.Send("INVITE", ManualClient.Sdp(streams: 1, direction: direction));
            client.RunFor(0.1);
            client.Acknowledge();
            client.RunFor(0.1);
        }

        TransportAddress Port(int number) => TransportAddress.Parse(RecorderScene.PublicRecorder).WithPort(MediaPort + number);
    }
}
