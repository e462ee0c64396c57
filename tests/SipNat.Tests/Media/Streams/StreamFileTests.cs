using SipNat.Media.Codecs;
using SipNat.Media.Streams;

namespace SipNat.Tests.Media.Streams;

public sealed class StreamFileTests
{
    [Fact]
    public void Finish_adds_silence_up_to_the_last_active_moment_and_never_beyond_now()
    {
        foreach (var (now, lastActive, seconds) in ((double, double, double)[])[(9000, 5000, 5), (4000, 5000, 4), (9000, 500, 1)])
        {
            var stream = new StreamUnderTest();
            for (var i = 0; i < 50; i++) stream.Send(i * 20, i);

            var report = stream.Finish(now, lastActive);

            Assert.Equal(seconds, report.Duration.TotalSeconds);
            Assert.Equal(new TimelineEvent.FileEnded(0, (long)(seconds * 8000)), stream.Events[^1]);
            Assert.Equal(seconds * 8000, stream.File.Count);
        }
    }

    [Fact]
    public void Stream_without_a_packet_has_no_file()
    {
        var stream = new StreamUnderTest();

        var report = stream.Finish(1000);

        Assert.Empty(stream.Events);
        Assert.Empty(stream.Files);
        Assert.Null(report.StartedAt);
        Assert.Equal(TimeSpan.Zero, report.Duration);
    }

    [Fact]
    public void Change_of_codec_begins_the_next_file_of_the_stream()
    {
        var stream = new StreamUnderTest();
        for (var i = 0; i < 10; i++) stream.Send(i * 20, i, payloadType: i < 5 ? 0 : 8);
        stream.Send(200, 3, payloadType: 0);

        var report = stream.Finish(200);

        Assert.Equal(
            [
                new StreamFile(0, AudioCodec.Pcmu, StreamUnderTest.At(0), 800),
                new StreamFile(1, AudioCodec.Pcma, StreamUnderTest.At(100), 800),
            ],
            report.Files);
        Assert.Equal([0, 1, 2, 3, 4], stream.Frames(0));
        Assert.Equal([5, 6, 7, 8, 9], stream.Frames(1));
        Assert.Equal(
            [
                new TimelineEvent.FileStarted(0, AudioCodec.Pcmu, StreamUnderTest.At(0)),
                new TimelineEvent.FileEnded(0, 800),
                new TimelineEvent.FileStarted(1, AudioCodec.Pcma, StreamUnderTest.At(100)),
                new TimelineEvent.FileEnded(1, 800),
            ],
            stream.Events);
    }

    [Fact]
    public void Codec_that_flickers_does_not_make_files_without_end()
    {
        var stream = new StreamUnderTest();
        for (var i = 0; i < 1000; i++) stream.Send(i * 20, i, payloadType: i % 2 * 8);

        var report = stream.Finish(20_000);

        Assert.Equal(StreamTimeline.MaxFiles, report.Files.Count);
        Assert.Equal((1000 - StreamTimeline.MaxFiles) / 2, report.Unplaced);
    }

    [Fact]
    public void Disk_that_takes_nothing_costs_a_minute_of_memory_and_a_count()
    {
        var timeline = new StreamTimeline();
        for (var i = 0; i < 10_000; i++) Place(timeline, i);

        var writes = 0;
        while (timeline.TryTake(out var write))
        {
            write.Buffer.Dispose();
            writes++;
        }

        Assert.Equal(128, writes);
        Assert.True(timeline.AddTo(new(), StreamUnderTest.At(0)).WritesRefused > 100);
    }

    private static void Place(StreamTimeline timeline, int frame) => timeline.Place(new()
    {
        Arrival = StreamUnderTest.At(frame * 20),
        Ssrc = 1,
        Sequence = 65536 + frame,
        Run = 0,
        Timestamp = (uint)(frame * 160),
        Format = PayloadFormat.Audio(AudioCodec.Pcmu),
        Payload = StreamUnderTest.Audio(frame),
        Packet = default,
    });
}
