using SipNat.Archive.Audio;

namespace SipNat.Server.Tests.Durability;

/// <summary>A disk that is behind: what it is given, what finds no room meanwhile, and what is told of that.</summary>
public sealed class SlowDiskTests
{
    private const byte Silence = 0xFF;
    private const int BytesPerSecond = 8000;

    [Fact]
    public void A_disk_that_keeps_up_gets_pages_and_one_that_does_not_gets_what_has_gathered()
    {
        var scene = new WriterScene();
        var lengths = new List<int>();
        var streams = Begin(scene, 20);
        scene.Disk.OnWrite += lengths.Add;
        scene.RunUntil(10_000);
        Assert.Equal(4096, lengths.Max());

        // Ten writes a second, where forty pages come and four headers have to be stated.
        lengths.Clear();
        scene.Cost = _ => 100;
        scene.RunUntil(60_000);

        Assert.InRange(lengths.Count, 490, 501);
        Assert.InRange(lengths.Max(), 4 * 4096, WriteRun.MaxLength);
        scene.Cost = _ => 0;
        scene.RunUntil(70_000);
        foreach (var stream in streams) scene.End(stream);
        Assert.All(streams, stream => Assert.Equal(stream.Sent, scene.AudioOf(stream)));
        Assert.Empty(scene.Faults);
    }

    [Fact]
    public void What_waited_for_a_disk_that_refused_goes_to_it_in_writes_of_64_KiB()
    {
        var scene = new WriterScene();
        var stream = scene.Begin("a.wav");
        scene.RunUntil(1000);
        scene.Disk.Refusal = "No space left on device.";
        scene.RunUntil(20_000);
        scene.Disk.Refusal = null;
        var lengths = new List<int>();
        scene.Disk.OnWrite += lengths.Add;
        scene.RunUntil(21_000);
        scene.End(stream);

        Assert.Equal([65536, 65536], lengths.Where(length => length >= 4096).Take(2));
        Assert.Equal(stream.Sent, scene.AudioOf(stream));
    }

    [Fact]
    public void A_disk_slowed_to_a_tenth_and_then_full_leaves_each_byte_as_it_was_sent_or_told_to_be_silent()
    {
        var scene = new WriterScene(new AudioFileWriterOptions { QueueCapacity = 100 });
        var streams = Begin(scene, 10);
        scene.RunUntil(5000);
        scene.Cost = Throughput(10 * BytesPerSecond / 10);
        scene.RunUntil(65_000);
        scene.Disk.Refusal = "No space left on device.";
        scene.RunUntil(75_000);
        (scene.Disk.Refusal, scene.Cost) = (null, _ => 0);
        scene.RunUntil(100_000);

        // Told while the recording goes on, and nothing is lost from then on.
        Assert.Equal(10, scene.Faults.OfType<AudioFault.Resumed>().Count());
        foreach (var stream in streams) scene.End(stream);
        foreach (var stream in streams)
        {
            var faults = scene.Faults.Where(fault => fault.Path == stream.File.Path).ToList();
            var resumed = Assert.IsType<AudioFault.Resumed>(faults[^1]);
            Assert.Equal("The disk is too slow: the memory for audio that waits for it is full.", Assert.IsType<AudioFault.Refused>(faults[0]).Reason);
            Assert.Equal(2, faults.Count);
            Assert.Equal(resumed.Missing, Silent(stream, scene.AudioOf(stream)));

            // A tenth of what came in 60 s, and what there is memory for, is in the file; of the ten seconds then nothing more.
            Assert.InRange(resumed.Missing.Sum(span => span.Length), 54 * BytesPerSecond, 68 * BytesPerSecond);
        }

        Assert.Equal((0, 0), (scene.Core.Held, scene.Disk.Open));
    }

    [Fact]
    public void Streams_share_a_slow_disk_alike_and_keep_seconds_in_a_row()
    {
        var scene = new WriterScene(new AudioFileWriterOptions { QueueCapacity = 400 });
        var streams = Begin(scene, 10);
        scene.Cost = Throughput(BytesPerSecond);
        scene.RunUntil(300_000);
        scene.Cost = _ => 0;
        scene.RunUntil(330_000);
        foreach (var stream in streams) scene.End(stream);

        var kept = streams.Select(stream => stream.Sent.Count - Silent(stream, scene.AudioOf(stream)).Sum(span => span.Length)).ToList();
        Assert.InRange(kept.Max() - kept.Min(), 0, 5 * 4096);

        // A quarter of the memory is ten pages for each, of half a second, and a few are under way. What lies between two
        // holes was kept in a row.
        Assert.All(streams, stream =>
        {
            var silent = Silent(stream, scene.AudioOf(stream));
            Assert.InRange(silent.Count, 2, 8);
            Assert.All(silent.Zip(silent.Skip(1)), pair => Assert.InRange(pair.Second.From - pair.First.To, 7 * 4096, 13 * 4096));
        });
    }

    [Fact]
    public void Holes_of_a_disk_that_stays_slow_are_told_before_it_is_over_and_none_twice()
    {
        var scene = new WriterScene(new AudioFileWriterOptions { QueueCapacity = 8 });
        var stream = scene.Begin("a.wav");
        scene.Cost = Throughput(BytesPerSecond / 2);
        scene.RunUntil(400_000);
        Assert.NotEmpty(scene.Faults.OfType<AudioFault.Silenced>());

        scene.Cost = _ => 0;
        scene.RunUntil(420_000);
        scene.End(stream);

        var told = scene.Faults.SelectMany(fault => fault switch
        {
            AudioFault.Silenced silenced => silenced.Missing,
            AudioFault.Resumed resumed => resumed.Missing,
            _ => [],
        }).ToList();
        Assert.Equal(told, Silent(stream, scene.AudioOf(stream)));
        Assert.InRange(told.Count, 40, 60);
        Assert.IsType<AudioFault.Refused>(scene.Faults[0]);
        Assert.IsType<AudioFault.Resumed>(scene.Faults[^1]);
        Assert.All(scene.Faults.Skip(1).SkipLast(1), fault => Assert.Equal(scene.Faults[0].At, Assert.IsType<AudioFault.Silenced>(fault).Since));
    }

    [Fact]
    public void A_disk_that_is_slow_full_and_well_at_random_leaves_each_byte_as_it_was_sent_or_told_to_be_silent()
    {
        for (var seed = 1; seed <= 20; seed++)
        {
            var random = new Random(seed);
            var scene = new WriterScene(new AudioFileWriterOptions { QueueCapacity = random.Next(4, 60) });
            var streams = Begin(scene, random.Next(1, 6));
            for (var now = 0; now < 60_000; now += random.Next(50, 6000))
            {
                scene.RunUntil(now);
                scene.Disk.Refusal = random.Next(4) == 0 ? "No space left on device." : null;
                scene.Disk.Capacity = random.Next(4) == 0 ? streams.Sum(stream => scene.Disk.LengthOf(stream.File.Path)) + random.Next(90_000) : long.MaxValue;
                var (each, rate) = (random.Next(20), random.Next(2000, 100_000));
                scene.Cost = random.Next(3) == 0 ? _ => 0 : length => each + (length * 1000.0 / rate);
            }

            (scene.Disk.Refusal, scene.Disk.Capacity, scene.Cost) = (null, long.MaxValue, _ => 0);
            scene.RunUntil(scene.Clock.Milliseconds + 120_000);
            foreach (var stream in streams) scene.End(stream);

            Assert.All(streams, stream =>
            {
                var told = scene.Faults.Where(fault => fault.Path == stream.File.Path).SelectMany(fault => fault switch
                {
                    AudioFault.Silenced silenced => silenced.Missing,
                    AudioFault.Resumed resumed => resumed.Missing,
                    _ => [],
                }).OrderBy(span => span.From).ToList();
                Assert.Equal(Joined(told), Silent(stream, scene.AudioOf(stream)));
            });
            Assert.Equal((0, 0), (scene.Core.Held, scene.Disk.Open));
        }
    }

    private static List<SceneStream> Begin(WriterScene scene, int count)
    {
        var streams = new List<SceneStream>();
        for (var i = 0; i < count; i++)
        {
            streams.Add(scene.Begin($"{i}.wav"));
            scene.RunUntil((i + 1) * 17);
        }

        return streams;
    }

    private static Func<int, double> Throughput(int bytesPerSecond) => length => length * 1000.0 / bytesPerSecond;

    // What the file lacks of what was sent, found without asking the writer: a stream never sends silence.
    private static List<AudioSpan> Silent(SceneStream stream, byte[] audio)
    {
        Assert.Equal(stream.Sent.Count, audio.Length);
        var spans = new List<AudioSpan>();
        for (var at = 0; at < audio.Length; at++)
        {
            if (audio[at] == stream.Sent[at]) continue;

            Assert.Equal(Silence, audio[at]);
            if (spans.Count > 0 && spans[^1].To == at) spans[^1] = new(spans[^1].From, at + 1);
            else spans.Add(new(at, at + 1));
        }

        return spans;
    }

    // Two findings may meet in the middle of a hole.
    private static List<AudioSpan> Joined(List<AudioSpan> spans)
    {
        var joined = new List<AudioSpan>();
        foreach (var span in spans)
        {
            if (joined.Count > 0 && joined[^1].To == span.From) joined[^1] = new(joined[^1].From, span.To);
            else joined.Add(span);
        }

        return joined;
    }
}
