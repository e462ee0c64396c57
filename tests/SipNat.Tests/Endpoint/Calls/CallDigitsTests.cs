using System.Buffers.Binary;
using SipNat.Endpoint.Media;
using SipNat.Media.Codecs;
using SipNat.Media.Tones;
using SipNat.Sip.Sdp;

namespace SipNat.Tests.Endpoint.Calls;

/// <summary>Digits of calls, as events and in band.</summary>
public sealed class CallDigitsTests
{
    private static readonly CallAudioSettings Plain = new(0, PayloadFormat.Pcmu);
    private static readonly CallAudioSettings WithEvents = Plain with { TelephoneEvent = new(101) };

    [Fact]
    public void Digits_leave_as_events_with_rising_durations_and_three_ends() // RFC 4733 §2.5.1
    {
        var scene = Scene(WithEvents);
        scene.Run(TimeSpan.FromSeconds(0.5));
        scene.Do(new MediaCommand.SendDigits(CallScene.Id, 0, "5#"));
        scene.Run(TimeSpan.FromSeconds(1));

        var events = scene.FarEnd.Packets.Where(p => p.PayloadType == 101).ToList();
        int[] durations = [160, 320, 480, 640, 800, 800, 800];
        Assert.Equal([.. durations, .. durations], events.Select(e => (int)BinaryPrimitives.ReadUInt16BigEndian(e.Payload.AsSpan(2))));
        Assert.Equal([.. Enumerable.Repeat(5, 7), .. Enumerable.Repeat(11, 7)], events.Select(e => (int)e.Payload[0]));
        bool[] ends = [false, false, false, false, true, true, true];
        Assert.Equal([.. ends, .. ends], events.Select(e => (e.Payload[1] & 0x80) != 0));
        bool[] markers = [true, false, false, false, false, false, false];
        Assert.Equal([.. markers, .. markers], events.Select(e => e.Marker));
        Assert.Equal(2, events.Select(e => e.Timestamp).Distinct().Count());

        // Their numbers are the stream's, audio goes on in its own time, and 50 ms or more lie between two digits.
        var all = scene.FarEnd.Packets;
        Assert.All(all.Zip(all.Skip(1)), p => Assert.Equal((ushort)(p.First.Sequence + 1), p.Second.Sequence));
        Assert.InRange(events[7].Timestamp - events[0].Timestamp, (7u * 160) + 400, 1800u);
        var audio = all.Where(p => p.PayloadType == 0).ToList();
        Assert.Equal(75 * 160, (int)(audio[^1].Timestamp - audio[0].Timestamp) + 160);
        Assert.Equal(75 - 14, audio.Count);
    }

    [Fact]
    public void Without_events_digits_are_tones()
    {
        var scene = Scene(Plain);
        scene.Do(new MediaCommand.SendDigits(CallScene.Id, 0, "12,0D"));
        scene.Run(TimeSpan.FromSeconds(2));

        var heard = scene.FarEnd.Heard().Select(b => G711.Decode(AudioCodec.Pcmu, b)).ToArray();
        var detector = new DtmfDetector(8000);
        detector.Process(heard);
        var keys = "";
        while (detector.TryTake(out var key)) keys += key.Key;
        Assert.Equal("120D", keys);
    }

    [Fact]
    public void Digits_of_the_peer_are_told_once_whichever_way_they_came()
    {
        var scene = Scene(WithEvents);
        var tone = Tone(697, 1209, 800);
        scene.Exchange(50, TimeSpan.FromMilliseconds(20), i => i is >= 20 and < 25 ? tone.AsSpan((i - 20) * 160, 160).ToArray() : Quiet());
        Press(scene, 9, leak: 0);
        scene.Exchange(50, TimeSpan.FromMilliseconds(20), _ => Quiet());
        Press(scene, 1, leak: 3);
        scene.Exchange(50, TimeSpan.FromMilliseconds(20), _ => Quiet());

        var heard = scene.Events.OfType<MediaEvent.DigitHeard>().ToList();
        Assert.Equal([('1', DigitTransport.InBand), ('9', DigitTransport.Events), ('1', DigitTransport.Events)], heard.Select(h => (h.Digit, h.By)));
        Assert.All(heard, h => Assert.InRange(h.Duration.TotalMilliseconds, 70, 130));
    }

    // A key as an event; some senders let its tone begin in the audio.
    private static void Press(CallScene scene, byte code, int leak)
    {
        var tone = Tone(697, 1209, 160 * leak);
        for (var i = 0; i < leak; i++)
        {
            scene.Send(scene.FarEnd.Next(tone.AsSpan(i * 160, 160)));
            scene.Run(TimeSpan.FromMilliseconds(20));
        }

        var start = scene.FarEnd.Timestamp;
        for (var i = 1; i <= 7; i++)
        {
            var duration = Math.Min(i, 5) * 160;
            byte[] payload = [code, (byte)(i >= 5 ? 0x8A : 0x0A), (byte)(duration >> 8), (byte)duration];
            scene.Send(scene.FarEnd.Make(payload, 101, start, i == 1));
            scene.Run(TimeSpan.FromMilliseconds(20));
        }

        scene.FarEnd.Timestamp = start + (7 * 160);
    }

    private static byte[] Quiet() => [.. Enumerable.Repeat((byte)0xFF, 160)];

    private static byte[] Tone(double row, double column, int length) =>
        [.. Enumerable.Range(0, length).Select(i => G711.Encode(AudioCodec.Pcmu, (short)((6000 * Math.Sin(Math.Tau * row * i / 8000)) + (7000 * Math.Sin(Math.Tau * column * i / 8000)))))];

    private static CallScene Scene(CallAudioSettings audio) => new(
        audio, new(0, 8000, 160, 160), new PayloadMapping(0, PayloadFormat.Pcmu), new PayloadMapping(101, PayloadFormat.TelephoneEvent));
}
