using SipNat.Endpoint.Media;
using SipNat.Sip.Sdp;

namespace SipNat.Tests.Endpoint.Calls;

/// <summary>What is sent where nothing is played (RFC 3389).</summary>
public sealed class CallNoiseTests
{
    private const int Noise = 13;
    private static readonly CallAudioSettings Agreed = new(0, PayloadFormat.Pcmu) { ComfortNoise = Noise };

    private readonly CallScene _scene = new(Agreed, new(0, 8000, 160, 160), new PayloadMapping(0, PayloadFormat.Pcmu), new PayloadMapping(Noise, PayloadFormat.ComfortNoise));

    [Fact]
    public void Silence_is_noise_twice_a_second_after_a_fifth_of_one()
    {
        _scene.Run(TimeSpan.FromSeconds(2));

        var packets = _scene.FarEnd.Packets;
        Assert.Equal([.. Enumerable.Repeat(0, 10), Noise, Noise, Noise, Noise], packets.Select(p => p.PayloadType));
        Assert.Equal([10, 35, 60, 85], packets.Skip(10).Select(p => (int)(p.Timestamp - packets[0].Timestamp) / 160));
        Assert.All(packets.Skip(10), p => Assert.Equal([75], p.Payload));
        Assert.Equal([true, .. Enumerable.Repeat(false, 13)], packets.Select(p => p.Marker));
        Assert.All(packets.Zip(packets.Skip(1)), p => Assert.Equal((ushort)(p.First.Sequence + 1), p.Second.Sequence));
    }

    [Theory]
    [InlineData(1.0)]
    [InlineData(0.722)] // right behind a packet of noise
    public void What_follows_it_begins_with_a_mark_at_its_time(double seconds)
    {
        _scene.Run(TimeSpan.FromSeconds(seconds));
        var silent = _scene.FarEnd.Packets.Count;
        _scene.Do(new MediaCommand.Play(CallScene.Id, 0, new AudioSource.Tone([440])));
        _scene.Run(TimeSpan.FromSeconds(1));

        var tone = _scene.FarEnd.Packets.Skip(silent).ToList();
        Assert.InRange(tone.Count, 49, 51);
        Assert.All(tone, p => Assert.Equal(0, p.PayloadType));
        Assert.Equal([true, .. Enumerable.Repeat(false, tone.Count - 1)], tone.Select(p => p.Marker));
        Assert.InRange((tone[0].Timestamp - _scene.FarEnd.Packets[0].Timestamp) / 160.0, (seconds * 50) - 1, (seconds * 50) + 1);
    }

    [Fact]
    public void Noise_and_its_absence_are_silence_in_what_is_kept()
    {
        var scene = new CallScene(Agreed with { IsKept = true }, new(0, 8000, 160, 160));
        scene.Run(TimeSpan.FromSeconds(1));
        scene.Do(new MediaCommand.Play(CallScene.Id, 0, new AudioSource.Tone([440])));
        scene.Run(TimeSpan.FromSeconds(1));
        scene.Do(new MediaCommand.Close(CallScene.Id, PeerIsGone: false));
        scene.Run(TimeSpan.FromSeconds(1));

        var ours = scene.Kept(1);
        Assert.Equal(Enumerable.Repeat((byte)0xFF, 7_680), ours.Take(7_680));
        Assert.InRange(ours.Length, 15_680, 16_320);
        Assert.Contains(ours.Skip(8_320), b => b != 0xFF);
    }
}
