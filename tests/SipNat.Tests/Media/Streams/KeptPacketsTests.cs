using System.Runtime.InteropServices;
using SipNat.Media.Rtp;
using SipNat.Media.Streams;
using SipNat.Tests.Media.RtpDump;

namespace SipNat.Tests.Media.Streams;

/// <summary>Audio that is not decoded: its packets are kept as they came.</summary>
public sealed class KeptPacketsTests
{
    private const int G729 = 18;
    private const int Opus = 96;

    private readonly StreamUnderTest _stream = new();

    public KeptPacketsTests()
    {
        _stream.Stream.Payloads.Negotiate(G729, PayloadFormat.Packets("G729", 8000));
        _stream.Stream.Payloads.Negotiate(Opus, PayloadFormat.Packets("opus", 48_000));
    }

    [Fact]
    public void Packets_are_kept_in_the_order_in_which_they_came_and_each_once()
    {
        foreach (var (at, frame) in ((int, int)[])[(0, 0), (20, 1), (41, 3), (42, 2), (43, 3), (80, 4)]) _stream.Send(at, frame, payloadType: G729);

        var report = _stream.Finish(100);

        Assert.Equal([(0u, 1000), (20u, 1001), (41u, 1003), (42u, 1002), (80u, 1004)], Kept(0).Select(p => (p.Milliseconds, (int)DumpedPackets.Sequence(p.Packet))));
        Assert.All(Kept(0), p => Assert.Equal(StreamUnderTest.Audio(DumpedPackets.Sequence(p.Packet) - 1000), p.Packet[12..]));
        Assert.Equal((5, 1, 1, 0), (report.Packets, report.Duplicates, report.Reordered, report.Lost));
        var file = Assert.Single(report.Files);
        Assert.Equal((0, "G729", true, StreamUnderTest.At(0), 5L * (8 + 172)), (file.Index, file.Codec.EncodingName, file.Codec.IsPackets, file.StartedAt, file.Length));
        Assert.Equal((5, 80.0, 80.0), (file.Packets.Packets, file.Duration.TotalMilliseconds, file.Packets.Covered.TotalMilliseconds));
        Assert.Equal((100.0, 80.0, 80.0, 0.0), (report.Expected.TotalMilliseconds, report.Recorded.TotalMilliseconds, report.Duration.TotalMilliseconds, report.SilenceFilled.TotalMilliseconds));
    }

    [Fact]
    public void All_of_a_packet_is_kept_its_extension_and_its_padding_too()
    {
        byte[] packet = [0xB1, G729, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 9, 0xBE, 0xDE, 0, 1, 0x10, 7, 0, 0, 1, 2, 3, 4, 0, 2];
        _stream.Stream.HandleRtp(StreamUnderTest.At(0), StreamUnderTest.At(0), StreamUnderTest.Peer, packet);

        _stream.Finish(20);

        Assert.Equal(packet, Assert.Single(Kept(0)).Packet);
    }

    [Fact]
    public void Keys_are_told_and_kept_beside_the_packets_and_what_has_no_name_is_kept_too()
    {
        for (var i = 0; i < 3; i++) _stream.Send(i * 20, i, payloadType: G729);
        _stream.SendPayload(60, 1003, 5480, [5, 0x8A, 1, 0x40], payloadType: 101);
        _stream.Send(80, 4, payloadType: 77);
        _stream.Send(100, 5, payloadType: 13);

        _stream.Finish(120);

        Assert.Equal([G729, G729, G729, 101, 77, 13], Kept(0).Select(p => DumpedPackets.PayloadType(p.Packet)));
        Assert.True(_stream.Stream.TryTakeEvent(out var key));
        Assert.Equal(('5', 40.0), (key.Key, key.Duration.TotalMilliseconds));
    }

    [Fact]
    public void Key_counts_by_the_clock_of_its_payload_type() // RFC 4733 §2.3.5
    {
        _stream.Stream.Payloads.Negotiate(102, PayloadFormat.TelephoneEvent with { ClockRate = 48_000 });
        _stream.SendPayload(0, 1, 0, [1, 0x8A, 0x12, 0xC0], payloadType: 102);

        Assert.True(_stream.Stream.TryTakeEvent(out var key));
        Assert.Equal(100, key.Duration.TotalMilliseconds);
    }

    [Fact]
    public void Jitter_is_measured_by_the_clock_of_the_codec() // RFC 3550 §A.8, RFC 7587 §4.1
    {
        for (var i = 0; i < 100; i++) _stream.SendPayload(i * 20, (ushort)i, (uint)i * 960, [1, 2, 3], payloadType: Opus);

        Assert.Equal(TimeSpan.Zero, _stream.Stream.Report(StreamUnderTest.At(2000)).Jitter);
    }

    [Fact]
    public void A_file_says_the_rate_and_the_channels_of_its_codec_and_another_rate_begins_the_next_one()
    {
        _stream.Stream.Payloads.Negotiate(97, PayloadFormat.Packets("L16", 44_100, 2));
        _stream.Stream.Payloads.Negotiate(98, PayloadFormat.Packets("L16", 16_000));
        for (var i = 0; i < 20; i++) _stream.Send(i * 20, i, payloadType: 97 + (i / 10));

        Assert.Equal(
            [("L16", 44_100, 2, 10L), ("L16", 16_000, 1, 10L)],
            _stream.Finish(400).Files.Select(f => (f.Codec.EncodingName, f.Codec.ClockRate, f.Codec.Channels, f.Packets.Packets)));
    }

    [Fact]
    public void Each_change_between_audio_and_packets_begins_the_next_file_of_the_stream()
    {
        int[] types = [0, G729, Opus, 8];
        for (var i = 0; i < 40; i++) _stream.Send(i * 20, i, payloadType: types[i / 10]);

        var report = _stream.Finish(800);

        Assert.Equal(
            [(0, "PCMU", 200.0), (1, "G729", 180.0), (2, "opus", 180.0), (3, "PCMA", 200.0)],
            report.Files.Select(f => (f.Index, f.Codec.EncodingName, f.Duration.TotalMilliseconds)));
        Assert.Equal(Enumerable.Range(0, 10), _stream.Frames(0));
        Assert.Equal(Enumerable.Range(10, 10), Kept(1).Select(p => DumpedPackets.Sequence(p.Packet) - 1000));
        Assert.Equal(Enumerable.Range(20, 10), Kept(2).Select(p => DumpedPackets.Sequence(p.Packet) - 1000));
        Assert.Equal(Enumerable.Range(30, 10), _stream.Frames(3));
        Assert.Equal((800.0, 760.0), (report.Expected.TotalMilliseconds, report.Recorded.TotalMilliseconds));
        Assert.Equal(
            [(0, 1600L), (1, 1800L), (2, 1800L), (3, 1600L)],
            _stream.Events.OfType<TimelineEvent.FileEnded>().Select(e => (e.FileIndex, e.Length)));
    }

    [Fact]
    public void Audio_that_the_first_packets_overtook_begins_no_file()
    {
        for (var i = 0; i < 5; i++) _stream.Send(i * 20, i);
        _stream.Send(100, 6, payloadType: G729);
        _stream.Send(101, 5);
        for (var i = 7; i < 10; i++) _stream.Send(i * 20, i, payloadType: G729);

        Assert.Equal(2, _stream.Finish(200).Files.Count);
        Assert.Equal([1006, 1005, 1007, 1008, 1009], Kept(1).Select(p => (int)DumpedPackets.Sequence(p.Packet)));
    }

    [Fact]
    public void Packets_of_a_source_that_takes_over_are_all_kept()
    {
        var other = StreamUnderTest.Peer.WithPort(50_000);
        for (var i = 0; i < 50; i++) _stream.Send(i * 20, i, payloadType: G729);
        for (var i = 50; i < 150; i++) _stream.Send(i * 20, i, sequence: 30_000, timestamp: 1, ssrc: 2, payloadType: G729, from: other);

        _stream.Finish(3000);

        Assert.Equal([.. Enumerable.Range(1000, 50), .. Enumerable.Range(30_050, 100)], Kept(0).Select(p => (int)DumpedPackets.Sequence(p.Packet)));
        Assert.Equal(Kept(0).Select(p => p.Milliseconds).Order(), Kept(0).Select(p => p.Milliseconds));
    }

    [Fact]
    public void Hold_is_not_expected_and_a_pause_of_the_sender_is_not_covered()
    {
        for (var i = 0; i < 50; i++) _stream.Send(i * 20, i, payloadType: G729);
        _stream.Stream.Hold(StreamUnderTest.At(1000));
        _stream.Stream.Resume(StreamUnderTest.At(10_000));
        for (var i = 500; i < 550; i++) _stream.Send(i * 20, i, payloadType: G729);
        for (var i = 700; i < 750; i++) _stream.Send(i * 20, i, payloadType: G729);

        var report = _stream.Finish(15_000);

        Assert.Equal((6000.0, 3340.0, 14_980.0), (report.Expected.TotalMilliseconds, report.Recorded.TotalMilliseconds, report.Duration.TotalMilliseconds));
    }

    [Fact]
    public void Packets_leave_after_three_quarters_of_a_second_in_whole_records()
    {
        for (var i = 0; i < 100; i++) _stream.Send(i * 20, i, payloadType: G729);

        Assert.Equal([(0, 0, 38 * 180), (0, 38 * 180, 38 * 180)], _stream.Writes);
    }

    [Fact]
    public void Buffer_is_full_when_the_next_record_does_not_fit_and_a_long_packet_has_one_of_its_own()
    {
        for (var i = 0; i < 8; i++) _stream.SendPayload(i, (ushort)i, 0, new byte[1500], payloadType: G729);

        _stream.Finish(20);

        Assert.Equal([(0, 0, 5 * 1520), (0, 5 * 1520, 3 * 1520)], _stream.Writes);
        Assert.Equal(8, Kept(0).Count);
    }

    [Fact]
    public void Disk_that_takes_nothing_costs_no_more_memory_than_for_audio()
    {
        var stream = new RecordedStream(new(), new(new(), StreamUnderTest.Peer, StreamUnderTest.Peer));
        stream.Payloads.Negotiate(G729, PayloadFormat.Packets("G729", 8000));
        var datagram = new byte[32];
        for (var i = 0; i < 10_000; i++)
        {
            var at = StreamUnderTest.At(i * 20);
            RtpWriter.Write(datagram, new(G729, (ushort)i, (uint)(i * 160), 1), datagram.AsSpan(12));
            stream.HandleRtp(at, at, StreamUnderTest.Peer, datagram);
            if (stream.Deadline <= at) stream.HandleTimeout(at);
        }

        var writes = 0;
        for (; stream.Timeline.TryTake(out var write); writes++) write.Buffer.Dispose();
        Assert.Equal(64, writes);
        Assert.True(stream.Report(StreamUnderTest.At(200_000)).WritesRefused > 100);
    }

    [Fact]
    public void Codec_that_flickers_does_not_make_files_without_end()
    {
        for (var i = 0; i < 500; i++) _stream.Send(i * 20, i, payloadType: i % 2 == 0 ? G729 : Opus);

        var report = _stream.Finish(10_000);

        Assert.Equal((StreamTimeline.MaxFiles, (500 - StreamTimeline.MaxFiles) / 2), (report.Files.Count, report.Unplaced));
    }

    [Fact]
    public void Packet_from_datagram_to_record_allocates_nothing()
    {
        var stream = new RecordedStream(new(), new(new(), StreamUnderTest.Peer, StreamUnderTest.Peer));
        stream.Payloads.Negotiate(G729, PayloadFormat.Packets("G729", 8000));
        var datagram = new byte[32];
        for (var i = 0; i < 1000; i++) Feed(i);

        var (allocating, writes) = (0, 0);
        for (var i = 1000; i < 6000; i++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            var taken = Feed(i);
            if (GC.GetAllocatedBytesForCurrentThread() != before) allocating++;
            writes += taken;
        }

        // A test beside this one takes some buffers from the pool.
        Assert.InRange(writes, 50, 500);
        Assert.InRange(allocating, 0, writes / 2);

        int Feed(int frame)
        {
            var at = StreamUnderTest.At(frame * 20);
            RtpWriter.Write(datagram, new(G729, (ushort)frame, (uint)(frame * 160), 1), datagram.AsSpan(12));
            stream.HandleRtp(at, at, StreamUnderTest.Peer, datagram);
            if (stream.Deadline <= at) stream.HandleTimeout(at);
            var count = 0;
            for (; stream.Timeline.TryTake(out var write); count++) write.Buffer.Dispose();
            return count;
        }
    }

    private List<(uint Milliseconds, byte[] Packet)> Kept(int file) => DumpedPackets.Read(CollectionsMarshal.AsSpan(_stream.Files[file]));
}
