using System.Buffers.Binary;
using SipNat.Endpoint.Media;
using SipNat.Media.Codecs;
using SipNat.Media.Srtp;
using SipNat.Simulation.Srtp;
using SipNat.Sip.Sdp;

namespace SipNat.Tests.Endpoint.Calls;

/// <summary>A call plays and hears, with a far end that counts its samples.</summary>
public sealed class CallAudioTests
{
    private const int Mtu = 12 + 160;
    private static readonly TimeSpan PacketTime = TimeSpan.FromMilliseconds(20);
    private static readonly CallAudioSettings Pcmu = new(0, PayloadFormat.Pcmu);
    private static readonly PayloadFormat G722 = new("G722", 8000, StaticPayloadType: 9);
    private static readonly PayloadFormat L16 = new("L16", 16000);

    [Fact]
    public void Silence_is_sent_from_the_first_moment_in_packets_of_20_ms()
    {
        var scene = Scene(Pcmu);
        scene.Run(TimeSpan.FromSeconds(2));

        var packets = scene.FarEnd.Packets;
        Assert.Equal(100, packets.Count);
        Assert.All(packets, p => Assert.Equal(Enumerable.Repeat((byte)0xFF, 160), p.Payload));
        Assert.All(packets.Zip(packets.Skip(1)), p => Assert.Equal(
            ((ushort)(p.First.Sequence + 1), p.First.Timestamp + 160, p.First.Ssrc), (p.Second.Sequence, p.Second.Timestamp, p.Second.Ssrc)));
        Assert.Equal([true, .. Enumerable.Repeat(false, 99)], packets.Select(p => p.Marker));
    }

    [Theory]
    [InlineData(10, 80)]
    [InlineData(30, 240)]
    [InlineData(60, 480)]
    public void Packets_are_as_long_as_was_agreed_on(int milliseconds, int bytes)
    {
        var scene = Scene(Pcmu with { PacketTime = TimeSpan.FromMilliseconds(milliseconds) });
        scene.Run(TimeSpan.FromSeconds(3));

        Assert.InRange(scene.FarEnd.Packets.Count, (3000 / milliseconds) - 1, 3000 / milliseconds);
        Assert.All(scene.FarEnd.Packets, p => Assert.Equal(bytes, p.Payload.Length));
        Assert.Equal((uint)bytes, scene.FarEnd.Packets[1].Timestamp - scene.FarEnd.Packets[0].Timestamp);
    }

    [Fact]
    public void A_stranger_that_a_description_names_gets_no_audio_before_it_has_sent_any()
    {
        var scene = Scene(Pcmu);
        var stream = new MediaStreamSettings(0, 0, scene.Payloads, CallScene.Peer.WithPort(40_000), CallScene.Peer.WithPort(40_001), RtcpMux: false, ShouldSend: true) { Audio = Pcmu };
        scene.Plane.HandleCommand(scene.Now, new MediaCommand.Configure(CallScene.Id, new(CallScene.Local.WithPort(5060), Acknowledged: true, Paused: false, [stream])));
        scene.Do(new MediaCommand.Play(CallScene.Id, 0, new AudioSource.Clip(new(TestSignal.Speech(8000, TimeSpan.FromSeconds(1)), 8000))));
        scene.Run(TimeSpan.FromSeconds(3));

        // A short frame of silence a second: whoever sends only what it is sent, as an echo does, begins with that.
        var greetings = scene.FarEnd.Packets.Count;
        Assert.InRange(greetings, 1, 3);
        Assert.All(scene.FarEnd.Packets, p => Assert.Equal([.. Enumerable.Repeat((byte)0xff, 32)], p.Payload));

        scene.Send(scene.FarEnd.Next(new byte[160]));
        scene.Run(TimeSpan.FromSeconds(1.1));

        // The clip begins with the first packet that may be sent, and not before it.
        Assert.Equal(Coded(TestSignal.Speech(8000, TimeSpan.FromSeconds(1))), scene.FarEnd.Packets.Skip(greetings).SelectMany(p => p.Payload).Take(8000).ToArray());
        Assert.Contains(new MediaEvent.PlayEnded(CallScene.Id, 0), scene.Events);
    }

    [Fact]
    public void No_empty_packet_comes_between_those_of_audio()
    {
        var scene = Scene(Pcmu);
        scene.Run(TimeSpan.FromMilliseconds(100));
        var opening = scene.FarEnd.Empty;
        scene.Send(scene.FarEnd.Next(new byte[160]));
        scene.Run(TimeSpan.FromSeconds(1));

        Assert.Equal(opening, scene.FarEnd.Empty);
        Assert.All(scene.FarEnd.Packets.Zip(scene.FarEnd.Packets.Skip(1)), p => Assert.Equal((ushort)(p.First.Sequence + 1), p.Second.Sequence));
    }

    [Fact]
    public void A_tone_is_the_sine_that_was_asked_for()
    {
        var scene = Scene(Pcmu);
        scene.Do(new MediaCommand.Play(CallScene.Id, 0, new AudioSource.Tone([440], -10)));
        scene.Run(TimeSpan.FromSeconds(2));

        var heard = Decode(scene.FarEnd.Heard());
        var expected = Enumerable.Range(0, heard.Length).Select(i => (short)(32768 / 1.435 * Math.Pow(10, -0.5) * Math.Sin(Math.Tau * 440 * i / 8000))).ToArray();
        Assert.InRange(TestSignal.Compare(expected, heard, 200).Decibel, 35, 60);
    }

    [Fact]
    public void A_clip_of_another_rate_is_played_once_to_its_end()
    {
        var clip = TestSignal.Speech(44_100, TimeSpan.FromSeconds(2), pauses: false);
        var scene = Scene(Pcmu);
        scene.Do(new MediaCommand.Play(CallScene.Id, 0, new AudioSource.Clip(new(clip, 44_100))));
        scene.Run(TimeSpan.FromSeconds(3));

        var heard = Decode(scene.FarEnd.Heard());
        var same = TestSignal.Speech(8000, TimeSpan.FromSeconds(2), pauses: false, seed: 2);
        Assert.InRange(TestSignal.Compare(same.AsSpan(0, 15_800), heard, 40).Decibel, 30, 60);
        Assert.All(heard[16_100..], sample => Assert.InRange((int)sample, -8, 8));
        Assert.Single(scene.Events.OfType<MediaEvent.PlayEnded>());
    }

    [Fact]
    public void A_clip_that_loops_has_no_gap_and_no_end()
    {
        short[] clip = [.. Enumerable.Range(0, 1000).Select(i => (short)(i * 20))];
        var scene = Scene(Pcmu);
        scene.Do(new MediaCommand.Play(CallScene.Id, 0, new AudioSource.Clip(new(clip, 8000), Loops: true)));
        scene.Run(TimeSpan.FromSeconds(1));

        Assert.Equal(Coded([.. Enumerable.Range(0, 8000).Select(i => clip[i % 1000])]), scene.FarEnd.Heard());
        Assert.Empty(scene.Events.OfType<MediaEvent.PlayEnded>());
    }

    [Theory]
    [InlineData("PCMU", 0, 8000, 160, 160, 36)]
    [InlineData("PCMA", 8, 8000, 160, 160, 36)]
    [InlineData("G722", 9, 8000, 160, 160, 18)]
    [InlineData("L16", 96, 16000, 640, 320, 70)]
    public void An_echo_is_what_was_said_within_codec_error(string name, int payloadType, int clockRate, int bytes, int ticks, double leastDecibel)
    {
        var format = new PayloadFormat(name, clockRate);
        var far = new AudioFarEnd(payloadType, clockRate, bytes, ticks);
        var scene = new CallScene(new(payloadType, format), far);
        scene.Do(new MediaCommand.Play(CallScene.Id, 0, new AudioSource.Echo()));
        using var encoder = PayloadEncoder.Of(name, clockRate, 1)!;
        var rate = encoder.SampleRate;
        var said = TestSignal.Speech(rate, TimeSpan.FromSeconds(10));
        scene.Exchange(500, PacketTime, i => Encode(encoder, said.AsSpan(i * rate / 50, rate / 50)));
        scene.Run(TimeSpan.FromSeconds(0.5));

        using var decoder = PayloadDecoder.Of(name, clockRate, 1)!;
        var bytesHeard = far.Heard();
        var heard = new short[decoder.SamplesOf(bytesHeard)];
        decoder.Decode(bytesHeard, heard);
        var (offset, decibel) = TestSignal.Compare(said.AsSpan(0, 9 * rate), heard, rate / 5);
        Assert.InRange(decibel, leastDecibel, 400);
        Assert.InRange((double)offset / rate, 0.05, 0.1);
        Assert.InRange(scene.Audio.Playout.Played, 490, 500);
        Assert.Equal((0L, 0L, 0L, 0L), (scene.Audio.Playout.Late, scene.Audio.Playout.ConcealedSamples, scene.Audio.Playout.InsertedSamples, scene.Audio.Playout.Skipped));
        Assert.Equal((name, name), (scene.Audio.CodecSent, scene.Audio.CodecReceived));
    }

    [Theory]
    [InlineData("PCMU", 0, 8000, 160, 160, 10)]
    [InlineData("G722", 9, 8000, 160, 160, 9)]
    [InlineData("L16", 96, 16000, 640, 320, 10)]
    public void A_lossy_path_costs_what_was_lost_and_moves_nothing(string name, int payloadType, int clockRate, int bytes, int ticks, double leastDecibel)
    {
        var far = new AudioFarEnd(payloadType, clockRate, bytes, ticks);
        var scene = new CallScene(new(payloadType, new(name, clockRate)), far);
        scene.Do(new MediaCommand.Play(CallScene.Id, 0, new AudioSource.Echo()));
        using var encoder = PayloadEncoder.Of(name, clockRate, 1)!;
        var rate = encoder.SampleRate;
        var said = TestSignal.Speech(rate, TimeSpan.FromSeconds(10));
        var random = new Random(2);
        scene.Exchange(500, PacketTime, i => Encode(encoder, said.AsSpan(i * rate / 50, rate / 50)), i => i > 5 && random.Next(20) == 0 ? null : TimeSpan.FromMilliseconds(random.Next(0, 35)));
        scene.Run(TimeSpan.FromSeconds(0.5));

        using var decoder = PayloadDecoder.Of(name, clockRate, 1)!;
        var coded = far.Heard();
        var heard = new short[decoder.SamplesOf(coded)];
        decoder.Decode(coded, heard);
        var (offset, decibel) = TestSignal.Compare(said.AsSpan(0, 9 * rate), heard, rate / 5);
        Assert.InRange(decibel, leastDecibel, 35);

        // At its end the audio stands where it stood at its beginning.
        Assert.Equal(offset, TestSignal.Compare(said.AsSpan(0, rate), heard, rate / 5).Offset);
        Assert.Equal(offset, TestSignal.Compare(said.AsSpan(8 * rate, rate), heard.AsSpan(8 * rate), rate / 5).Offset);
        Assert.Equal((0L, 0L), (scene.Audio.Playout.Late, scene.Audio.Playout.InsertedSamples));
    }

    [Fact]
    public void A_second_of_a_call_takes_no_memory()
    {
        var scene = Scene(Pcmu);
        scene.Do(new MediaCommand.Play(CallScene.Id, 0, new AudioSource.Echo()));
        scene.Run(TimeSpan.FromSeconds(1));
        var plane = scene.Plane;
        var (now, packet, sequence) = (scene.Now, scene.FarEnd.Next(new byte[160]), 0);
        var taken = long.MaxValue;
        for (var round = 0; round < 40; round++)
        {
            var sum = 0L;
            for (var i = 0; i < 10; i++)
            {
                now += PacketTime;
                sequence++;
                BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), (ushort)sequence);
                BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(4), (uint)(sequence * 160));
                var before = GC.GetAllocatedBytesForCurrentThread();
                plane.HandleDatagram(now, now, new(1), CallScene.Peer, packet);
                plane.HandleTimeout(now);
                while (plane.Outbox.TryTake(out var transmit)) plane.Outbox.Release(transmit);
                sum += GC.GetAllocatedBytesForCurrentThread() - before;
                while (plane.TryTakeEvent(out _))
                {
                }
            }

            taken = Math.Min(taken, sum);
        }

        Assert.Equal(0, taken);
    }

    [Theory]
    [InlineData("AES_CM_128_HMAC_SHA1_80")]
    [InlineData("AEAD_AES_256_GCM")]
    public void Encrypted_audio_goes_both_ways(string suite)
    {
        var profile = SrtpProfile.All.First(p => p.Name == suite);
        byte[] ours = [.. Enumerable.Range(1, profile.MasterLength).Select(i => (byte)i)];
        byte[] theirs = [.. Enumerable.Range(100, profile.MasterLength).Select(i => (byte)i)];
        var (seal, open) = (new PlainSrtp(suite, theirs), new PlainSrtp(suite, ours));
        var scene = Scene(Pcmu);
        scene.Keys = new([new(profile, theirs)], new(profile, ours));
        scene.Seal = packet => seal.Protect(packet);

        // The first packet left before there were keys.
        scene.Open = datagram => datagram.Length == 12 || datagram[1] is >= 192 and <= 223 ? null : open.Unprotect(datagram);
        scene.Configure(Pcmu);
        scene.Do(new MediaCommand.Play(CallScene.Id, 0, new AudioSource.Echo()));
        var said = TestSignal.Speech(8000, TimeSpan.FromSeconds(5));
        scene.Exchange(250, PacketTime, i => Coded(said.AsSpan(i * 160, 160)));

        Assert.InRange(TestSignal.Compare(said.AsSpan(0, 30_000), Decode(scene.FarEnd.Heard()), 1600).Decibel, 36, 60);
        Assert.Equal((suite, 0L), (scene.Report.Srtp!.Suite, scene.Report.Srtp.AuthenticationFailed));
        Assert.Equal(scene.Audio.Stages.Arrived, scene.Audio.Stages.Authenticated);

        // Of another key nothing is heard, and the stage says so.
        var wrong = new PlainSrtp(suite, ours);
        scene.Seal = packet => wrong.Protect(packet);
        var played = scene.Audio.Stages.Decoded;
        scene.Exchange(200, PacketTime, i => Coded(said.AsSpan(i * 160, 160)));
        Assert.InRange(scene.Audio.Stages.Arrived - scene.Audio.Stages.Authenticated, 90, 200);
        Assert.InRange(scene.Audio.Stages.Decoded - played, 0, 60);
    }

    [Fact]
    public void Both_directions_are_captured_in_one_time_whatever_codecs_follow_each_other()
    {
        var far = Far(0);
        var scene = new CallScene(Pcmu, far, new PayloadMapping(0, PayloadFormat.Pcmu), new PayloadMapping(9, G722));
        var said = TestSignal.Speech(8000, TimeSpan.FromSeconds(6), pauses: false);
        var wide = TestSignal.Speech(16_000, TimeSpan.FromSeconds(6), pauses: false);
        using var encoder = PayloadEncoder.Of("G722", 8000, 1)!;
        scene.Do(new MediaCommand.CaptureAudio(CallScene.Id, 0, 16_000));
        scene.Do(new MediaCommand.Play(CallScene.Id, 0, new AudioSource.Tone([300])));
        scene.Exchange(150, PacketTime, i => Coded(said.AsSpan(i * 160, 160)));
        scene.Configure(new(9, G722));
        far.PayloadType = 9;
        scene.Exchange(150, PacketTime, i => Encode(encoder, wide.AsSpan((150 + i) * 320, 320)));

        Assert.Equal(Enumerable.Range(0, scene.Captured.Count).Select(i => (long)i), scene.Captured.Select(c => c.Number));
        Assert.InRange(scene.Captured.Count, 298, 300);
        short[] theirs = [.. scene.Captured.SelectMany(c => c.Theirs)];
        Assert.InRange(TestSignal.Compare(wide.AsSpan(0, 45_000), theirs, 3200).Decibel, 25, 60);
        Assert.InRange(TestSignal.Compare(wide.AsSpan(56_000, 35_000), theirs.AsSpan(56_000), 3200).Decibel, 12, 60);
    }

    [Fact]
    public void Captures_that_nobody_takes_are_counted_and_leave_their_numbers_out()
    {
        var scene = Scene(Pcmu);
        scene.TakesCaptures = false;
        scene.Do(new MediaCommand.CaptureAudio(CallScene.Id, 0, 8000));
        scene.Run(TimeSpan.FromSeconds(60));
        scene.TakesCaptures = true;
        scene.Run(TimeSpan.FromSeconds(4));

        Assert.Equal(501, scene.Audio.CapturesRefused);
        Assert.Equal([2499, 3001], scene.Captured.Zip(scene.Captured.Skip(1)).Where(p => p.Second.Number != p.First.Number + 1).SelectMany(p => new[] { p.First.Number, p.Second.Number }));
    }

    [Fact]
    public void What_may_not_be_sent_on_hold_leaves_its_time_and_the_pinhole_is_kept()
    {
        var scene = Scene(Pcmu);
        scene.Run(TimeSpan.FromSeconds(1));
        scene.Configure(Pcmu with { MaySend = false });
        var empty = scene.FarEnd.Empty;
        scene.Run(TimeSpan.FromSeconds(60));
        Assert.InRange(scene.FarEnd.Empty - empty, 2, 8);
        Assert.Equal(50, scene.FarEnd.Packets.Count);

        scene.Configure(Pcmu);
        scene.Run(TimeSpan.FromSeconds(1));
        var packets = scene.FarEnd.Packets;
        Assert.Equal(100, packets.Count);
        Assert.Equal((61u * 8000) - (50 * 160) + 160, packets[50].Timestamp - packets[49].Timestamp);
        Assert.True(packets[50].Marker);
        Assert.Equal((ushort)(packets[49].Sequence + scene.FarEnd.Empty - empty + 1), packets[50].Sequence);
        Assert.Single(packets.Select(p => p.Ssrc).Distinct());
    }

    [Fact]
    public void A_machine_that_slept_goes_on_as_if_it_had_been_silent()
    {
        var scene = Scene(Pcmu);
        scene.Run(TimeSpan.FromSeconds(1));
        scene.Sleep(TimeSpan.FromMinutes(10));
        scene.Run(TimeSpan.FromSeconds(1));

        var packets = scene.FarEnd.Packets;
        Assert.InRange(packets.Count, 100, 112);
        Assert.Equal(packets[0].Timestamp + (602u * 8000) - 160, packets[^1].Timestamp);
    }

    private static AudioFarEnd Far(int payloadType) => new(payloadType, 8000, Mtu - 12, 160);

    private static CallScene Scene(CallAudioSettings audio) => new(audio, Far(audio.PayloadType));

    private static byte[] Coded(ReadOnlySpan<short> samples)
    {
        var coded = new byte[samples.Length];
        G711.Encode(AudioCodec.Pcmu, samples, coded);
        return coded;
    }

    private static short[] Decode(ReadOnlySpan<byte> coded)
    {
        var samples = new short[coded.Length];
        G711.Decode(AudioCodec.Pcmu, coded, samples);
        return samples;
    }

    private static byte[] Encode(PayloadEncoder encoder, ReadOnlySpan<short> samples)
    {
        var payload = new byte[encoder.MaxPayload(samples.Length)];
        return payload[..encoder.Encode(samples, payload)];
    }
}
