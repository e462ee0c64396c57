using System.Buffers.Binary;
using SipNat.Endpoint.Media;
using SipNat.Media.Codecs;
using SipNat.Sip.Sdp;

namespace SipNat.Tests.Endpoint.Calls;

/// <summary>What a call reports and what it makes of reports, with a far end that reads and writes RTCP by its bytes.</summary>
public sealed class CallReportTests
{
    private static readonly TimeSpan PacketTime = TimeSpan.FromMilliseconds(20);
    private static readonly CallAudioSettings Pcmu = new(0, PayloadFormat.Pcmu);

    [Fact]
    public void Who_sends_audio_sends_sender_reports_of_the_same_source() // RFC 3550 §6.4.1
    {
        var scene = Scene(Pcmu);
        Talk(scene, 1000);

        Assert.InRange(scene.FarEnd.Reports.Count, 3, 10);
        var audio = scene.FarEnd.Packets;
        foreach (var report in scene.FarEnd.Reports)
        {
            Assert.Equal(200, report[1]);
            Assert.Equal(audio[0].Ssrc, U32(report, 4));
            var (packets, octets) = (U32(report, 20), U32(report, 24));
            Assert.Equal(packets * 160, octets);

            // The moment of the report, in the media clock, is that of the packets around it.
            var last = audio[(int)packets - 1];
            Assert.InRange(U32(report, 16) - last.Timestamp, 160u, 320u);

            // One block about the far end, nothing lost.
            Assert.Equal((1, scene.FarEnd.Ssrc, 0u), (report[0] & 0x1F, U32(report, 28), U32(report, 32)));
        }

        var (first, second) = (scene.FarEnd.Reports[0], scene.FarEnd.Reports[^1]);
        var elapsed = (U64(second, 8) - U64(first, 8)) / 4294967296.0;
        Assert.Equal(elapsed * 8000, U32(second, 16) - U32(first, 16), 2.0);
    }

    [Fact]
    public void Who_is_held_sends_receiver_reports_again()
    {
        var scene = Scene(Pcmu);
        Talk(scene, 300);
        scene.Configure(Pcmu with { MaySend = false });
        Talk(scene, 1500);
        Assert.Equal(201, scene.FarEnd.Reports[^1][1]);
    }

    [Fact]
    public void The_round_trip_is_what_the_peers_report_leaves_of_the_time()
    {
        var scene = Scene(Pcmu);
        Talk(scene, 400);
        var report = scene.FarEnd.Reports[^1];
        var sentAt = scene.Now;

        // Held for 250 ms by the peer and for 130 ms by the network; ten of a hundred lost.
        scene.Run(TimeSpan.FromMilliseconds(250));
        var (ssrc, first) = (scene.FarEnd.Packets[0].Ssrc, scene.FarEnd.Packets[0].Sequence);
        var delay = (uint)((scene.Now - sentAt).TotalSeconds * 65536) + (uint)((sentAt - SentAt(report)).TotalSeconds * 65536);
        scene.Send(ReceiverReport(scene.FarEnd.Ssrc, ssrc, 26, 10, (uint)first + 99, 80, U32(report, 10), delay), TimeSpan.FromMilliseconds(130), isControl: true);
        Talk(scene, 200);

        var peer = scene.Audio.Peer!;
        Assert.InRange(peer.RoundTrip!.Value.TotalMilliseconds, 128, 133);
        Assert.Equal((10, 26 / 256.0, 10.0), (peer.PacketsLost, peer.FractionLost, peer.Jitter.TotalMilliseconds));

        // The packet that opened the pinhole has the number before the first of the audio.
        Assert.Equal(91, scene.Audio.Stages.ReceivedByPeer);
    }

    [Fact]
    public void Stages_tell_how_far_packets_have_come()
    {
        var scene = Scene(Pcmu);
        Talk(scene, 400);
        for (var i = 0; i < 20; i++) scene.Plane.HandleDatagram(scene.Now, scene.Now, new(1), SipNat.Wire.TransportAddress.Parse("203.0.113.9:5000"), scene.FarEnd.Make(new byte[160], 0, 0, false));
        scene.FarEnd.Sequence -= 20;
        Talk(scene, 200);

        var stages = scene.Audio.Stages;
        Assert.InRange(stages.Sent, 500, 600);
        Assert.Equal(stages.Arrived, stages.Authenticated);
        Assert.Equal(20, stages.Authenticated - stages.Accepted);
        Assert.InRange(stages.Accepted - stages.Decoded, 0, 5);
        Assert.InRange(stages.Audible, stages.Decoded - 5, stages.Decoded + 5);
        Assert.Null(stages.ReceivedByPeer);
        Assert.InRange(scene.Audio.Rating!.Value, 93, 93.3);
        Assert.Equal(4.41, scene.Audio.MeanOpinion!.Value, 0.01);
    }

    [Fact]
    public void Loss_lowers_the_rating_and_metrics_tell_the_peer_who_asked_for_them() // RFC 3611 §4.7
    {
        var scene = Scene(Pcmu with { SendsMetrics = true });
        var random = new Random(6);
        var said = Said();
        scene.Exchange(2000, PacketTime, i => said[i % said.Length], _ => random.Next(20) == 0 ? null : TimeSpan.FromMilliseconds(5));

        Assert.InRange(scene.Audio.Rating!.Value, 74, 82);
        var report = scene.FarEnd.Reports[^1];
        var block = report.AsSpan(report.Length - 36);
        Assert.Equal((7, 8), (block[0], block[3]));
        Assert.Equal(scene.FarEnd.Ssrc, BinaryPrimitives.ReadUInt32BigEndian(block[4..]));
        Assert.InRange(block[8] / 256.0, 0.03, 0.07);
        Assert.Equal(0, block[9]);
        Assert.InRange(block[24], 74, 82);
        Assert.InRange(block[26], 37, 42);

        // And back: what the peer tells of us.
        var metrics = block.ToArray();
        BinaryPrimitives.WriteUInt32BigEndian(metrics.AsSpan(4), scene.FarEnd.Packets[0].Ssrc);
        byte[] told = [.. ReceiverReport(scene.FarEnd.Ssrc, scene.FarEnd.Packets[0].Ssrc, 0, 0, 0, 0, 0, 0), 0x80, 207, 0, 10, .. Bytes(scene.FarEnd.Ssrc), .. metrics];
        scene.Send(told, isControl: true);
        Talk(scene, 150);
        Assert.Equal((block[8], block[24]), (scene.Audio.PeerMetrics!.Value.LossRate, scene.Audio.PeerMetrics.Value.RFactor));
    }

    [Fact]
    public void Metrics_are_not_sent_to_who_did_not_ask()
    {
        var scene = Scene(Pcmu);
        Talk(scene, 600);
        Assert.All(scene.FarEnd.Reports, report => Assert.DoesNotContain((byte)207, Types(report)));
    }

    // When the moment of the report was, by the elapsed time that it tells.
    private static SipNat.Wire.Instant SentAt(byte[] report) => new((long)(U64(report, 8) / 4294967296.0 * TimeSpan.TicksPerSecond));

    private static List<byte> Types(byte[] report)
    {
        var types = new List<byte>();
        for (var at = 0; at < report.Length; at += 4 * (BinaryPrimitives.ReadUInt16BigEndian(report.AsSpan(at + 2)) + 1)) types.Add(report[at + 1]);
        return types;
    }

    private static void Talk(CallScene scene, int packets)
    {
        var said = Said();
        scene.Exchange(packets, PacketTime, i => said[i % said.Length]);
    }

    private static byte[][] Said() => [.. TestSignal.Speech(8000, TimeSpan.FromSeconds(2), pauses: false).Chunk(160).Select(c => c.Select(s => G711.Encode(AudioCodec.Pcmu, s)).ToArray())];

    private static byte[] ReceiverReport(uint from, uint about, byte fraction, int lost, uint highest, uint jitter, uint lastReport, uint delay) =>
        [0x81, 201, 0, 7, .. Bytes(from), .. Bytes(about), fraction, (byte)(lost >> 16), (byte)(lost >> 8), (byte)lost, .. Bytes(highest), .. Bytes(jitter), .. Bytes(lastReport), .. Bytes(delay)];

    private static byte[] Bytes(uint value) => [(byte)(value >> 24), (byte)(value >> 16), (byte)(value >> 8), (byte)value];

    private static uint U32(byte[] bytes, int at) => BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(at));

    private static ulong U64(byte[] bytes, int at) => BinaryPrimitives.ReadUInt64BigEndian(bytes.AsSpan(at));

    private static CallScene Scene(CallAudioSettings audio) => new(audio, new(0, 8000, 160, 160));
}
