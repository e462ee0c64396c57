using SipNat.Media.Rtcp;
using SipNat.Media.Streams;
using SipNat.Wire;

namespace SipNat.Tests.Media.Streams;

public sealed class RecordedStreamTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(200)]
    public void Not_a_frame_of_the_signalled_sender_is_lost_to_one_that_came_first(int strays)
    {
        var stream = new StreamUnderTest(new() { Policy = LatchPolicy.Any });
        var stranger = TransportAddress.Parse("192.0.2.66:9000");
        for (var i = 0; i < strays; i++) stream.Send(i * 10, 3000 + i, ssrc: 9, from: stranger);
        for (var i = 0; i < 50; i++)
        {
            stream.Send((strays * 10) + (i * 20), i);
            stream.Send((strays * 10) + (i * 20) + 5, 3000 + strays + (2 * i), ssrc: 9, from: stranger);
            stream.Send((strays * 10) + (i * 20) + 15, 3000 + strays + (2 * i) + 1, ssrc: 9, from: stranger);
        }

        stream.Finish((strays * 10) + 1000);
        Assert.Equal(Enumerable.Range(0, 50), stream.Frames().Where(frame => frame is >= 0 and < 3000));
    }

    [Fact]
    public void Source_that_takes_over_from_a_silent_one_loses_no_frame()
    {
        var stream = new StreamUnderTest();
        var other = StreamUnderTest.Peer.WithPort(50_000);
        for (var i = 0; i < 50; i++) stream.Send(i * 20, i);
        for (var i = 50; i < 150; i++) stream.Send(i * 20, i, sequence: 30_000, timestamp: 1, ssrc: 2, from: other);

        var report = stream.Finish(3000);

        Assert.Equal(Enumerable.Range(0, 150), stream.Frames());
        Assert.Equal(other, stream.Stream.Latch.Locked);
        Assert.Equal([1u, 2u], report.Ssrcs);
    }

    [Fact]
    public void Source_that_takes_over_with_the_same_ssrc_and_other_numbers_loses_no_frame()
    {
        var stream = new StreamUnderTest();
        for (var i = 0; i < 50; i++) stream.Send(i * 20, i);
        for (var i = 50; i < 150; i++) stream.Send(i * 20, i, sequence: 30_000, timestamp: 1, from: StreamUnderTest.Peer.WithPort(50_000));

        stream.Finish(3000);

        Assert.Equal(Enumerable.Range(0, 150), stream.Frames());
    }

    [Fact]
    public void Source_beside_a_sending_one_leaves_no_trace_in_the_file()
    {
        var stream = new StreamUnderTest();
        var other = StreamUnderTest.Peer.WithPort(50_000);
        for (var i = 0; i < 100; i++)
        {
            stream.Send(i * 20, i);
            stream.Send((i * 20) + 1, i + 1000, from: other);
        }

        var report = stream.Finish(2000);

        Assert.Equal(Enumerable.Range(0, 100), stream.Frames());
        Assert.Equal(other, stream.Stream.Latch.Contender);
        Assert.Equal([(StreamUnderTest.Peer, 100), (other, 100)], report.Sources.Select(s => (s.Address, (int)s.Packets)));
    }

    [Fact]
    public void Goodbye_lets_the_next_ssrc_in_at_once()
    {
        var stream = new StreamUnderTest();
        for (var i = 0; i < 10; i++) stream.Send(i * 20, i);
        Assert.True(RtcpCompound.TryRead([0x81, 203, 0, 1, 0, 0, 0, 1], out var goodbye, out _));
        stream.Stream.HandleRtcp(StreamUnderTest.At(200), goodbye);

        stream.Send(200, 10, sequence: 5, timestamp: 9, ssrc: 2);

        Assert.Equal([1u, 2u], stream.Stream.Report(StreamUnderTest.At(200)).Ssrcs);
        stream.Finish(220);
        Assert.Equal(Enumerable.Range(0, 11), stream.Frames());
    }

    [Fact]
    public void Sender_that_begins_anew_inside_its_old_numbers_loses_no_frame()
    {
        var stream = new StreamUnderTest();
        for (var i = 0; i < 100; i++) stream.Send(i * 20, i);
        for (var i = 100; i < 200; i++) stream.Send(i * 20, i, sequence: 950, timestamp: 0xA000_0000);

        var report = stream.Finish(4000);

        Assert.Equal(Enumerable.Range(0, 200), stream.Frames());
        Assert.Equal(0, report.Duplicates);
    }

    [Fact]
    public void Payload_types_that_no_one_negotiated_are_told_and_known_ones_recorded()
    {
        var payloads = new PayloadMap();
        payloads.Negotiate(8, PayloadFormat.Audio(SipNat.Media.Codecs.AudioCodec.Pcma));
        var stream = new RecordedStream(payloads, new(new(), StreamUnderTest.Peer, StreamUnderTest.Peer));
        var datagram = new byte[172];
        foreach (var (type, sequence) in (ReadOnlySpan<(int, ushort)>)[(0, 1), (0, 2), (97, 3)])
        {
            SipNat.Media.Rtp.RtpWriter.Write(datagram, new(type, sequence, sequence * 160u, 1), StreamUnderTest.Audio(1));
            stream.HandleRtp(StreamUnderTest.At(0), StreamUnderTest.At(sequence * 20), StreamUnderTest.Peer, datagram);
        }

        var report = stream.Report(StreamUnderTest.At(100));

        Assert.Equal((3, 1, 3), (report.Packets, report.UnknownPayloads, report.UnexpectedPayloads));
        Assert.Equal(TimeSpan.FromMilliseconds(40), report.Recorded);
    }

    [Fact]
    public void Datagram_that_is_no_rtp_is_a_defect()
    {
        var stream = new StreamUnderTest();

        Assert.Equal(LatchVerdict.Stray, stream.Stream.HandleRtp(StreamUnderTest.At(0), StreamUnderTest.At(0), StreamUnderTest.Peer, [0x80, 0]));

        Assert.Equal(1, stream.Stream.Report(StreamUnderTest.At(0)).Defects);
        Assert.Null(stream.Stream.LastPacketAt);
    }

    [Fact]
    public void Jitter_follows_the_rfcs_estimator() // RFC 3550 §A.8
    {
        var stream = new StreamUnderTest();
        var expected = 0.0;
        var last = 0.0;
        for (var i = 0; i < 200; i++)
        {
            var delay = i % 3 * 4.0;
            stream.Send((i * 20) + delay, i);
            if (i > 0) expected += (Math.Abs(delay - last) - expected) / 16;
            last = delay;
        }

        Assert.Equal(expected, stream.Stream.Report(StreamUnderTest.At(4000)).Jitter.TotalMilliseconds, 0.01);
    }

    [Fact]
    public void Key_is_one_event_however_often_its_packets_come() // RFC 4733 §2.5
    {
        var stream = new StreamUnderTest();
        for (var i = 0; i < 5; i++) stream.Send(i * 20, i);
        ushort sequence = 1005;
        foreach (var (duration, end) in (ReadOnlySpan<(int, bool)>)[(160, false), (320, false), (480, true), (480, true), (480, true)])
        {
            var at = 100 + (20 * (sequence - 1005));
            stream.SendPayload(at, sequence, 5800, Key(5, end, duration), payloadType: 101);
            stream.SendPayload(at, sequence++, 5800, Key(5, end, duration), payloadType: 101);
        }

        Assert.True(stream.Stream.TryTakeEvent(out var key));
        Assert.Equal(new TelephoneEvent(StreamUnderTest.At(100), 5, TimeSpan.FromMilliseconds(60), 10), key);
        Assert.Equal('5', key.Key);
        Assert.False(stream.Stream.TryTakeEvent(out _));

        for (var i = 10; i < 15; i++) stream.Send(i * 20, i);
        stream.Finish(300);
        Assert.Equal([0, 1, 2, 3, 4, -1, -1, -1, -1, -1, 10, 11, 12, 13, 14], stream.Frames());
    }

    [Fact]
    public void Key_whose_end_is_lost_ends_with_the_next_one_or_after_a_second()
    {
        var stream = new StreamUnderTest();
        stream.SendPayload(0, 1, 100, Key(11, end: false, 160), payloadType: 101);
        stream.SendPayload(500, 2, 4000, Key(10, end: false, 320), payloadType: 101);
        stream.SendPayload(510, 1, 100, Key(11, end: true, 800), payloadType: 101);

        Assert.True(stream.Stream.TryTakeEvent(out var pound));
        Assert.Equal(('#', TimeSpan.FromMilliseconds(20)), (pound.Key, pound.Duration));

        Assert.Equal(StreamUnderTest.At(1500), stream.Stream.Deadline);
        stream.Stream.HandleTimeout(StreamUnderTest.At(1500));
        Assert.True(stream.Stream.TryTakeEvent(out var star));
        Assert.Equal(('*', TimeSpan.FromMilliseconds(40)), (star.Key, star.Duration));
        Assert.Null(stream.Stream.Deadline);
    }

    [Fact]
    public void Receiver_report_says_what_the_sequence_numbers_say() // RFC 3550 §6.4.1
    {
        var stream = new StreamUnderTest();
        for (var i = 0; i < 10; i++) stream.Send(i * 20, i);
        stream.Stream.Receiver.HandleSenderReport(StreamUnderTest.At(1000), new(1, new(0x0000_1122_3344_0000), 0, 0, 0));
        var blocks = new ReportBlock[16];

        Assert.Equal(1, stream.Stream.Receiver.TakeReports(StreamUnderTest.At(1500), blocks));
        Assert.Equal(new ReportBlock(1, 0, 0, 1009, 0, 0x1122_3344, 0x8000), blocks[0]);

        Assert.Equal(0, stream.Stream.Receiver.TakeReports(StreamUnderTest.At(1600), blocks));

        for (var i = 10; i < 20; i++)
        {
            if (i % 4 != 0) stream.Send(i * 20, i);
        }

        Assert.Equal(1, stream.Stream.Receiver.TakeReports(StreamUnderTest.At(1500), blocks));
        Assert.Equal((51, 2, 1019u), (blocks[0].FractionLost, blocks[0].CumulativeLost, blocks[0].ExtendedHighest));
    }

    [Fact]
    public void Ssrcs_without_end_are_recorded_and_remembered_in_bounds()
    {
        var stream = new StreamUnderTest();
        for (var i = 0; i < 100; i++) stream.Send(i * 1000, i, ssrc: (uint)i + 1, sequence: (ushort)(i * 700));

        var report = stream.Finish(100_000);

        Assert.Equal(100, report.Packets);
        Assert.Equal(RtpReceiver.MaxSsrcsListed, report.Ssrcs.Count);
        Assert.Equal(SourceLatch.MaxSources, report.Sources.Count);
        Assert.Equal(TimeSpan.FromSeconds(2), report.Recorded);
    }

    [Fact]
    public void Packet_from_datagram_to_block_allocates_nothing()
    {
        var stream = new RecordedStream(Payloads(), new(new(), StreamUnderTest.Peer, StreamUnderTest.Peer));
        var datagram = new byte[172];
        var writes = 0;
        for (var i = 0; i < 1000; i++) writes += Feed(stream, datagram, i);

        var allocating = 0;
        writes = 0;
        for (var i = 1000; i < 6000; i++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            var taken = Feed(stream, datagram, i);
            var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            if (allocated > 0) allocating++;
            writes += taken;
        }

        // A test beside this one takes some blocks from the pool.
        Assert.InRange(writes, 150, 250);
        Assert.InRange(allocating, 0, writes / 2);
    }

    private static PayloadMap Payloads()
    {
        var payloads = new PayloadMap();
        payloads.Negotiate(0, PayloadFormat.Audio(SipNat.Media.Codecs.AudioCodec.Pcmu));
        return payloads;
    }

    private static int Feed(RecordedStream stream, byte[] datagram, int frame)
    {
        var at = StreamUnderTest.At(frame * 20);
        SipNat.Media.Rtp.RtpWriter.Write(datagram, new(0, (ushort)frame, (uint)(frame * 160), 1), datagram.AsSpan(12));
        stream.HandleRtp(at, at, StreamUnderTest.Peer, datagram);
        if (stream.Deadline <= at) stream.HandleTimeout(at);

        var writes = 0;
        while (stream.Timeline.TryTake(out var write))
        {
            write.Buffer.Dispose();
            writes++;
        }

        return writes;
    }

    private static byte[] Key(byte code, bool end, int duration) =>
        [code, (byte)((end ? 0x80 : 0) | 10), (byte)(duration >> 8), (byte)duration];
}
