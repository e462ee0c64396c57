using SipNat.Endpoint.Media;
using SipNat.Sip.Sdp;

namespace SipNat.Tests.Endpoint.Calls;

/// <summary>Calls whose two directions go into files, sample for sample.</summary>
public sealed class KeptCallTests
{
    private const byte Silence = 0xFF;
    private static readonly TimeSpan PacketTime = TimeSpan.FromMilliseconds(20);
    private static readonly CallAudioSettings Kept = new(0, PayloadFormat.Pcmu) { IsKept = true };

    private readonly CallScene _scene = new(Kept, new(0, 8000, 160, 160));
    private readonly byte[][] _said = new byte[100][];

    public KeptCallTests()
    {
        var random = new Random(3);
        for (var i = 0; i < _said.Length; i++) random.NextBytes(_said[i] = new byte[160]);
    }

    [Fact]
    public void What_was_heard_and_what_was_sent_are_files_of_their_own()
    {
        _scene.Do(new MediaCommand.Play(CallScene.Id, 0, new AudioSource.Clip(new(TestSignal.Speech(8000, TimeSpan.FromSeconds(1)), 8000))));
        Say(0, 100);
        var report = Close();

        Assert.Equal(_said.SelectMany(p => p), _scene.Kept(0).Take(16_000));
        Assert.Equal(_scene.FarEnd.Heard(), _scene.Kept(1).Take(_scene.FarEnd.Heard().Length));
        Assert.Equal([0, 1], _scene.FilesEnded.Order());
        Assert.Equal((16_000, 100), (report.Stream.Files[0].Length, (int)report.Stream.Packets));
        Assert.InRange(report.Sent!.Files[0].Length, 15_840, 16_160);
    }

    [Fact]
    public void A_lost_packet_is_a_silence_at_its_place()
    {
        _scene.Exchange(100, PacketTime, i => _said[i], i => i == 50 ? null : TimeSpan.Zero);
        Close();

        Assert.Equal(_said.SelectMany((p, i) => i == 50 ? Enumerable.Repeat(Silence, 160) : p), _scene.Kept(0).Take(16_000));
    }

    [Fact]
    public void In_a_pause_both_files_have_silence_and_the_call_goes_on()
    {
        _scene.Do(new MediaCommand.Play(CallScene.Id, 0, new AudioSource.Echo()));
        Say(0, 40);
        _scene.Configure(Kept, paused: true);
        var before = _scene.FarEnd.Packets.Count;
        Say(40, 60);
        Assert.Contains(_scene.FarEnd.Packets.Skip(before), p => p.Payload.Any(b => b != Silence));

        _scene.Configure(Kept);
        Say(60, 100);
        Close();

        var (theirs, ours) = (_scene.Kept(0), _scene.Kept(1));
        Assert.Equal(_said.Take(40).SelectMany(p => p), theirs.Take(6_400));
        Assert.Equal(Enumerable.Repeat(Silence, 3_200), theirs.Skip(6_400).Take(3_200));
        Assert.Equal(_said.Skip(60).SelectMany(p => p), theirs.Skip(9_600).Take(6_400));
        Assert.Equal(Enumerable.Repeat(Silence, 3_000), ours.Skip(6_600).Take(3_000));
        Assert.Contains(ours.Skip(9_800), b => b != Silence);
    }

    [Fact]
    public void A_call_that_is_not_kept_writes_nothing()
    {
        var scene = new CallScene(new(0, PayloadFormat.Pcmu), new(0, 8000, 160, 160));
        scene.Exchange(50, PacketTime, i => _said[i]);
        scene.Do(new MediaCommand.Close(CallScene.Id, PeerIsGone: false));
        scene.Run(TimeSpan.FromSeconds(1));

        Assert.Equal([], scene.Kept(0));
        Assert.Equal([], scene.Kept(1));
    }

    private void Say(int from, int to) => _scene.Exchange(to - from, PacketTime, i => _said[from + i]);

    private MediaStreamReport Close()
    {
        _scene.Do(new MediaCommand.Close(CallScene.Id, PeerIsGone: false));
        _scene.Run(TimeSpan.FromSeconds(1));
        return _scene.Events.OfType<MediaEvent.Closed>().Single().Streams[0];
    }
}
