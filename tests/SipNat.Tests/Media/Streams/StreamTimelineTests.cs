using SipNat.Media.Codecs;
using SipNat.Media.Rtcp;
using SipNat.Media.Streams;

namespace SipNat.Tests.Media.Streams;

public sealed class StreamTimelineTests
{
    [Fact]
    public void Undisturbed_stream_is_its_frames_one_behind_the_other()
    {
        var stream = new StreamUnderTest();
        for (var i = 0; i < 500; i++) stream.Send(i * 20, i);

        var report = stream.Finish(10_000);

        Assert.Equal(Enumerable.Range(0, 500), stream.Frames());
        Assert.Equal(
            [new TimelineEvent.FileStarted(0, AudioCodec.Pcmu, StreamUnderTest.At(0)), new TimelineEvent.FileEnded(0, 80_000)],
            stream.Events);
        Assert.Equal((500, 0, 0, 0, 0), (report.Packets, report.Lost, report.Late, report.GapCount, report.AnchorCount));
        Assert.Equal((10, 10, 10, 0), (report.Expected.TotalSeconds, report.Recorded.TotalSeconds, report.Duration.TotalSeconds, report.Drift.Ticks));
        Assert.Equal([new StreamFile(0, AudioCodec.Pcmu, StreamUnderTest.At(0), 80_000)], report.Files);
        Assert.Equal([1u], report.Ssrcs);
    }

    [Fact]
    public void Audio_leaves_once_by_pages_of_the_file_or_after_three_quarters_of_a_second()
    {
        var stream = new StreamUnderTest();
        for (var i = 0; i < 60; i++) stream.Send(i * 20, i);

        // A page of the file each; the header has 94 bytes of the first.
        Assert.Equal([(0, 0L, 4002), (0, 4002L, 4096)], stream.Writes);

        // What is left began with a frame that came after a second.
        stream.Stream.HandleTimeout(StreamUnderTest.At(1749));
        stream.Drain();
        Assert.Equal(2, stream.Writes.Count);
        stream.Stream.HandleTimeout(StreamUnderTest.At(1750));
        stream.Drain();
        Assert.Equal((0, 8098L, (60 * 160) - 8098), stream.Writes[^1]);
    }

    [Fact]
    public void Lost_frames_are_silence_and_late_ones_are_written_at_their_place()
    {
        var stream = new StreamUnderTest();
        foreach (var i in (int[])[0, 1, 4, 5, 3]) stream.Send(i * 20, i);
        Assert.Equal(1, stream.Stream.Report(StreamUnderTest.At(100)).GapCount);

        var report = stream.Finish(120);

        Assert.Equal([0, 1, -1, 3, 4, 5], stream.Frames());
        Assert.Equal((1, 1, 1), (report.Lost, report.Late, report.Reordered));
        Assert.Equal([new StreamGap(0, 320, 160, IsLoss: true)], report.Gaps);
        Assert.Equal(TimeSpan.FromMilliseconds(20), report.SilenceFilled);
    }

    [Fact]
    public void Frames_that_the_first_one_had_overtaken_move_the_start_of_the_file()
    {
        var stream = new StreamUnderTest();
        stream.Send(0, 3);
        stream.Send(5, 1);
        stream.Send(8, 0);
        for (var i = 4; i < 100; i++) stream.Send((i * 20) - 60, i);

        var report = stream.Finish(1940);

        Assert.Equal(Enumerable.Range(0, 100).Select(i => i == 2 ? -1 : i), stream.Frames());
        Assert.Equal((2, 0, 0), (report.Late, report.Unplaced, report.AnchorCount));
        Assert.Equal([new StreamGap(0, 320, 160, IsLoss: true)], report.Gaps);
        Assert.Equal(StreamUnderTest.At(-60), report.StartedAt);
    }

    [Theory]
    [InlineData(800, 0)] // the first block has left: the start of the file is on the disk
    [InlineData(5, 6)] // six frames are more than a network overtakes by
    public void Frame_from_before_the_start_has_no_place_when_it_comes_too_late_or_is_too_old(double lateMs, int framesBefore)
    {
        var stream = new StreamUnderTest();
        for (var i = 0; i * 20 < lateMs; i++) stream.Send(i * 20, i + framesBefore + 1);
        stream.Send(lateMs, 0);

        Assert.Equal(1, stream.Finish(lateMs).Unplaced);
    }

    [Fact]
    public void Frame_that_comes_after_its_block_left_is_a_write_of_its_own()
    {
        var stream = new StreamUnderTest();
        for (var i = 0; i < 200; i++)
        {
            if (i != 30) stream.Send(i * 20, i);
        }

        stream.Writes.Clear();
        stream.Send(4000, 30);

        Assert.Equal([(0, 30L * 160, 160)], stream.Writes);
        var report = stream.Finish(4000);
        Assert.Equal(Enumerable.Range(0, 200), stream.Frames());
        Assert.Equal((0, 1, 0), (report.Lost, report.Late, report.GapCount));
    }

    [Fact]
    public void Late_frame_over_the_edge_of_a_block_is_written_on_both_sides()
    {
        var stream = new StreamUnderTest();
        for (var i = 0; i < 55; i++)
        {
            if (i != 51) stream.Send(i * 20, i);
        }

        stream.Send(1100, 51);
        stream.Finish(1100);

        Assert.Equal(Enumerable.Range(0, 55), stream.Frames());
    }

    [Fact]
    public void Timestamp_jump_by_half_its_range_costs_an_anchor_and_nothing_else()
    {
        var stream = new StreamUnderTest();
        for (var i = 0; i < 100; i++) stream.Send(i * 20, i, timestamp: i < 50 ? 5000u : 5000u + 0x8000_0000u);

        var report = stream.Finish(2000);

        Assert.Equal(Enumerable.Range(0, 100), stream.Frames());
        Assert.Equal([new StreamAnchor(0, StreamUnderTest.At(1000), 8000, 0, AnchorReason.TimestampJump)], report.Anchors);
        Assert.Contains(new TimelineEvent.Anchored(report.Anchors[0]), stream.Events);
        Assert.Equal(0, report.GapCount);
    }

    [Theory]
    [InlineData(-100_000)]
    [InlineData(17_000)]
    [InlineData(int.MaxValue)]
    [InlineData(int.MinValue)]
    public void Jump_of_any_size_with_loss_beside_it_keeps_every_frame_at_its_place(int jump)
    {
        var stream = new StreamUnderTest();
        for (var i = 0; i < 100; i++)
        {
            if (i is not 49 and not 50) stream.Send(i * 20, i, timestamp: i < 50 ? 5000u : 5000u + (uint)jump);
        }

        stream.Finish(2000);

        Assert.Equal(Enumerable.Range(0, 100).Select(i => i is 49 or 50 ? -1 : i), stream.Frames());
    }

    [Fact]
    public void Frames_around_a_jump_are_placed_by_the_anchor_that_they_belong_to()
    {
        foreach (var order in (int[][])[[48, 50, 49, 51], [48, 51, 49, 50], [48, 51, 50, 49]])
        {
            var stream = new StreamUnderTest();
            for (var i = 0; i < 48; i++) stream.Send(i * 20, i);
            for (var i = 0; i < 4; i++) stream.Send((48 + i) * 20, order[i], timestamp: order[i] < 50 ? 5000u : 5000u + 0x8000_0000u);
            for (var i = 52; i < 60; i++) stream.Send(i * 20, i, timestamp: 5000u + 0x8000_0000u);

            var report = stream.Finish(1200);

            Assert.Equal(Enumerable.Range(0, 60), stream.Frames());
            Assert.Equal(0, report.Unplaced);
        }
    }

    [Fact]
    public void Timestamps_wrap_without_notice()
    {
        var stream = new StreamUnderTest();
        for (var i = 0; i < 100; i++) stream.Send(i * 20, i, sequence: 65500, timestamp: uint.MaxValue - 4000);

        var report = stream.Finish(2000);

        Assert.Equal(Enumerable.Range(0, 100), stream.Frames());
        Assert.Equal(0, report.AnchorCount);
    }

    [Fact]
    public void Other_ssrc_takes_over_without_losing_a_frame()
    {
        var stream = new StreamUnderTest();
        for (var i = 0; i < 100; i++) stream.Send(i * 20, i);
        for (var i = 100; i < 200; i++) stream.Send(i * 20, i, sequence: 7, timestamp: 99, ssrc: 2);

        var report = stream.Finish(4000);

        Assert.Equal(Enumerable.Range(0, 200), stream.Frames());
        Assert.Equal([1u, 2u], report.Ssrcs);
        Assert.Equal([AnchorReason.SourceChanged], report.Anchors.Select(a => a.Reason));
        Assert.Equal((200, 0, 0), (report.Packets, report.Lost, report.Secondary));
    }

    [Fact]
    public void Second_ssrc_beside_the_recorded_one_is_counted_and_never_mixed_in()
    {
        var stream = new StreamUnderTest();
        for (var i = 0; i < 200; i++)
        {
            stream.Send(i * 20, i);
            stream.Send((i * 20) + 1, i, sequence: 5, timestamp: 77, ssrc: 2);
        }

        stream.Send(4000, 200);
        var report = stream.Finish(4020);

        Assert.Equal(Enumerable.Range(0, 201), stream.Frames());
        Assert.Equal([1u], report.Ssrcs);
        Assert.Equal(200, report.Secondary);
    }

    [Fact]
    public void Restarted_sender_loses_no_frame()
    {
        var stream = new StreamUnderTest();
        for (var i = 0; i < 100; i++) stream.Send(i * 20, i);
        for (var i = 100; i < 200; i++) stream.Send(i * 20, i, sequence: 40_000, timestamp: 123_456_789);

        var report = stream.Finish(4000);

        Assert.Equal(Enumerable.Range(0, 200), stream.Frames());
        Assert.Equal([AnchorReason.Restarted], report.Anchors.Select(a => a.Reason));
        Assert.Equal((200, 0), (report.Packets, report.Lost));
    }

    [Fact]
    public void Silence_of_a_hold_is_as_long_as_the_hold()
    {
        var stream = new StreamUnderTest();
        for (var i = 0; i < 50; i++) stream.Send(i * 20, i);
        stream.Stream.Hold(StreamUnderTest.At(1000));
        stream.Stream.Resume(StreamUnderTest.At(61_000));

        // The sender's clock stood still meanwhile.
        for (var i = 50; i < 100; i++) stream.Send(60_000 + (i * 20), i);
        var report = stream.Finish(62_000);

        Assert.Equal(Enumerable.Range(0, 50).Concat(Enumerable.Repeat(-1, 3000)).Concat(Enumerable.Range(50, 50)), stream.Frames());
        Assert.Equal([new StreamAnchor(0, StreamUnderTest.At(61_000), 488_000, 480_000, AnchorReason.Resumed)], report.Anchors);
        Assert.Equal((2, 2, 62), (report.Expected.TotalSeconds, report.Recorded.TotalSeconds, report.Duration.TotalSeconds));
    }

    [Fact]
    public void Hold_with_a_running_clock_is_placed_by_its_timestamps_in_spite_of_jitter()
    {
        var stream = new StreamUnderTest();
        for (var i = 0; i < 50; i++) stream.Send(i * 20, i);
        stream.Stream.Hold(StreamUnderTest.At(1000));
        stream.Stream.Resume(StreamUnderTest.At(61_000));
        for (var i = 3050; i < 3100; i++) stream.Send((i * 20) + (i % 3 * 13), i, sequenceOf: i - 3000);

        var report = stream.Finish(62_000, 0);

        Assert.Equal(Enumerable.Range(0, 50).Concat(Enumerable.Repeat(-1, 3000)).Concat(Enumerable.Range(3050, 50)), stream.Frames());
        Assert.Equal(0, report.AnchorCount);
    }

    [Fact]
    public void Pause_with_a_running_clock_is_filled_by_its_timestamps()
    {
        var stream = new StreamUnderTest();
        for (var i = 0; i < 50; i++) stream.Send(i * 20, i);
        for (var i = 3050; i < 3100; i++) stream.Send(i * 20, i, sequenceOf: i - 3000);

        var report = stream.Finish(62_000);

        Assert.Equal(Enumerable.Range(0, 50).Concat(Enumerable.Repeat(-1, 3000)).Concat(Enumerable.Range(3050, 50)), stream.Frames());
        Assert.Equal((0, 1), (report.AnchorCount, report.GapCount));
    }

    [Fact]
    public void Hour_of_silence_wait_as_a_range_and_not_as_bytes()
    {
        var stream = new StreamUnderTest();
        stream.Send(0, 0);
        stream.Send(3_600_000.0, 180_000, sequenceOf: 1);

        var report = stream.Finish(3_600_000.0 + 20);

        Assert.Equal((3600 * 8000) + 160, stream.File.Count);
        Assert.Equal(0, report.WritesRefused);
        Assert.Equal(TimeSpan.FromMilliseconds(40), report.Recorded);
    }

    [Fact]
    public void Hostile_timestamps_never_write_more_silence_than_time_has_passed()
    {
        var random = new Random(3);
        for (var round = 0; round < 20; round++)
        {
            var stream = new StreamUnderTest();
            var step = random.Next(1, 40_000);
            uint timestamp = 0;
            for (var i = 0; i < 500; i++)
            {
                stream.SendPayload(i * 20, (ushort)i, timestamp, StreamUnderTest.Audio(i));
                timestamp += (uint)(round % 2 == 0 ? step : random.Next());
            }

            var report = stream.Finish(10_000);

            // Ten seconds have passed, and the audio itself is ten seconds; jitter is allowed for once.
            Assert.InRange(report.SilenceFilled.TotalSeconds, 0, 2.2);
            Assert.Equal(500, stream.FrameCount());
        }
    }

    [Fact]
    public void Flood_of_audio_faster_than_time_adds_no_silence()
    {
        var stream = new StreamUnderTest();
        for (var i = 0; i < 2000; i++) stream.Send(i, i);

        var report = stream.Finish(2000);

        Assert.Equal(Enumerable.Range(0, 2000), stream.Frames());
        Assert.Equal(TimeSpan.Zero, report.SilenceFilled);
    }

    [Fact]
    public void Comfort_noise_is_silence()
    {
        var stream = new StreamUnderTest();
        for (var i = 0; i < 10; i++) stream.Send(i * 20, i);
        stream.SendPayload(200, 1010, 5000 + 1600, [0x40], payloadType: 13);
        for (var i = 20; i < 30; i++) stream.Send(i * 20, i, sequenceOf: i - 9);

        var report = stream.Finish(600);

        Assert.Equal(Enumerable.Range(0, 30).Select(i => i is >= 10 and < 20 ? -1 : i), stream.Frames());
        Assert.Equal((0, 0), (report.Lost, report.AnchorCount));
    }

    [Fact]
    public void More_than_two_seconds_of_drift_are_no_disagreement()
    {
        foreach (var partsPerMillion in (int[])[-4000, 4000])
        {
            var stream = new StreamUnderTest();
            for (var i = 0; i < 30_000; i++) stream.Send(i * 20 * (1 - (partsPerMillion / 1e6)), i);

            var report = stream.Stream.Report(StreamUnderTest.At(600_000));

            Assert.Equal((0, 0), (report.AnchorCount, report.GapCount));
            Assert.Equal(600 * partsPerMillion / 1e6, report.Drift.TotalSeconds, 0.02);
        }
    }

    [Fact]
    public void Sender_report_tells_the_senders_time_at_the_start()
    {
        var stream = new StreamUnderTest();
        for (var i = 0; i < 50; i++) stream.Send(i * 20, i);
        var atOneSecond = new NtpTimestamp(0xE500_0001_0000_0000);

        stream.Stream.Timeline.HandleSenderReport(StreamUnderTest.At(1000), new(2, atOneSecond, 13_000, 0, 0));
        Assert.True(stream.Stream.Report(StreamUnderTest.At(1000)).SenderStart.IsNone);
        stream.Stream.Timeline.HandleSenderReport(StreamUnderTest.At(1000), new(1, atOneSecond, 13_000_000, 0, 0));
        Assert.True(stream.Stream.Report(StreamUnderTest.At(1000)).SenderStart.IsNone);
        stream.Stream.Timeline.HandleSenderReport(StreamUnderTest.At(1000), new(1, atOneSecond, 13_000, 0, 0));

        Assert.Equal(new NtpTimestamp(0xE500_0000_0000_0000), stream.Stream.Report(StreamUnderTest.At(1000)).SenderStart);
    }
}
