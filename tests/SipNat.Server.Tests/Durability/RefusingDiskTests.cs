using SipNat.Archive.Audio;
using SipNat.Server.Tests.Archive;

namespace SipNat.Server.Tests.Durability;

/// <summary>A disk that is full, read-only, gone or slow in mid-recording.</summary>
public sealed class RefusingDiskTests
{
    private const byte Silence = 0xFF;
    private const string Full = "No space left on device.";

    [Fact]
    public void Audio_waits_in_memory_while_the_disk_refuses_and_nothing_of_it_is_lost()
    {
        var scene = new WriterScene();
        var streams = new[] { scene.Begin("a.wav"), scene.Begin("b.wav") };
        scene.RunUntil(3000);
        scene.Disk.Refusal = "Read-only file system.";
        scene.RunUntil(13_000);
        scene.Disk.Refusal = null;
        scene.RunUntil(20_000);
        foreach (var stream in streams) scene.End(stream);

        Assert.All(streams, stream => Assert.Equal(stream.Sent, scene.AudioOf(stream)));
        Assert.Equal(4, scene.Faults.Count);
        foreach (var path in (string[])["a.wav", "b.wav"])
        {
            var faults = scene.Faults.Where(fault => fault.Path == path).ToList();
            var refused = Assert.IsType<AudioFault.Refused>(faults[0]);
            var resumed = Assert.IsType<AudioFault.Resumed>(faults[1]);
            Assert.InRange(Milliseconds(refused.At), 3000, 3500);
            Assert.InRange(Milliseconds(resumed.At), 13_000, 14_000);
            Assert.Equal((refused.At, "Read-only file system."), (resumed.Since, resumed.Reason));
            Assert.Empty(resumed.Missing);
        }
    }

    [Fact]
    public void What_finds_no_room_in_memory_is_exact_silence_and_told_to_the_byte()
    {
        var scene = new WriterScene(new AudioFileWriterOptions { QueueCapacity = 8 });
        var stream = scene.Begin("a.wav");
        scene.RunUntil(3000);
        scene.Disk.Capacity = scene.Disk.LengthOf("a.wav") + 1000;
        scene.RunUntil(20_000);
        scene.Disk.Capacity = long.MaxValue;
        scene.RunUntil(30_000);
        scene.End(stream);

        var resumed = Assert.IsType<AudioFault.Resumed>(scene.Faults[^1]);
        var audio = scene.AudioOf(stream);
        Assert.Equal(Full, Assert.IsType<AudioFault.Refused>(scene.Faults[0]).Reason);
        Assert.Equal(2, scene.Faults.Count);
        Assert.NotEmpty(resumed.Missing);
        Assert.Equal(Silenced(stream.Sent, resumed.Missing), audio);

        // Eight buffers hold four seconds and more; what is missing is what came after them.
        Assert.InRange(resumed.Missing.Sum(span => span.Length), 8 * 8000, 15 * 8000);
    }

    [Fact]
    public void Attempts_are_never_more_than_a_second_apart_nor_more_than_needed()
    {
        var scene = new WriterScene();
        scene.Begin("a.wav");
        scene.RunUntil(2000);
        var attempts = new List<long>();
        scene.Disk.OnRefusal = () => attempts.Add(scene.Clock.Milliseconds);
        scene.Disk.Refusal = Full;
        scene.RunUntil(12_000);

        var pauses = attempts.Distinct().Zip(attempts.Distinct().Skip(1), (first, second) => second - first).ToList();
        Assert.Equal([100, 200, 400, 800], pauses.Take(4));
        Assert.All(pauses.Skip(4), pause => Assert.Equal(1000, pause));
        Assert.InRange(attempts.Count, 8, 16);
    }

    [Fact]
    public void A_file_that_ends_while_the_disk_refuses_is_whole_as_soon_as_it_takes_it()
    {
        var scene = new WriterScene();
        var stream = scene.Begin("a.wav");
        scene.RunUntil(1000);
        scene.Disk.Refusal = Full;
        scene.RunUntil(2000);
        scene.End(stream);
        scene.RunUntil(10_000);
        Assert.False(stream.File.IsOver);

        scene.Disk.Refusal = null;
        scene.RunUntil(12_000);

        Assert.True(stream.File.IsOver);
        Assert.Equal(stream.Sent, scene.AudioOf(stream));
        Assert.IsType<AudioFault.Resumed>(scene.Faults[^1]);
        Assert.Equal((0, 0), (scene.Core.Held, scene.Disk.Open));
    }

    [Fact]
    public void A_file_that_cannot_be_made_is_made_later_with_all_of_its_audio()
    {
        var scene = new WriterScene();
        scene.Disk.Refusal = "Permission denied.";
        var stream = scene.Begin("a.wav");
        scene.RunUntil(4000);
        Assert.False(scene.Disk.Exists("a.wav"));

        scene.Disk.Refusal = null;
        scene.RunUntil(6000);
        scene.End(stream);

        Assert.Equal(stream.Sent, scene.AudioOf(stream));
    }

    [Fact]
    public void A_file_whose_name_is_gone_is_made_again_and_what_it_had_is_silence()
    {
        var scene = new WriterScene();
        var stream = scene.Begin("a.wav");
        scene.RunUntil(5000);
        scene.Disk.Lose("a.wav");
        scene.RunUntil(12_000);
        scene.End(stream);

        var resumed = Assert.IsType<AudioFault.Resumed>(scene.Faults[^1]);
        Assert.Equal(Silenced(stream.Sent, resumed.Missing), scene.AudioOf(stream));
        Assert.Equal(0, resumed.Missing[0].From);
        Assert.InRange(resumed.Missing.Sum(span => span.Length), 4 * 8000, 8 * 8000);
        Assert.Equal("The file is gone: it, or the disk that it was on, was removed.", resumed.Reason);
    }

    [Fact]
    public void The_end_of_the_program_tries_once_more_and_tells_what_it_had_to_leave()
    {
        var scene = new WriterScene();
        scene.Begin("a.wav");
        scene.RunUntil(1000);
        scene.Disk.Refusal = Full;
        scene.RunUntil(3000);
        Assert.InRange(scene.Core.Held, 1, 16);

        scene.Core.End();
        scene.Forced.Complete();
        scene.Forced.RunDue(scene.Clock.Milliseconds);

        Assert.Equal(new AudioFault.Ended("a.wav", VirtualTime.Start.AddSeconds(3), "The program ended before the disk took it."), scene.Faults[^1]);
        Assert.Equal((0, 0), (scene.Core.Held, scene.Disk.Open));
    }

    [Fact]
    public void A_disk_that_comes_and_goes_at_random_leaves_each_byte_as_it_was_sent_or_told_to_be_silent()
    {
        for (var seed = 1; seed <= 20; seed++)
        {
            var random = new Random(seed);
            var scene = new WriterScene(new AudioFileWriterOptions { QueueCapacity = random.Next(2, 12) });
            var stream = scene.Begin("a.wav");
            for (var now = 0; now < 40_000; now += random.Next(50, 4000))
            {
                scene.RunUntil(now);
                scene.Disk.Refusal = random.Next(2) == 0 ? Full : null;
                scene.Disk.Capacity = random.Next(3) == 0 ? scene.Disk.LengthOf("a.wav") + random.Next(9000) : long.MaxValue;
            }

            (scene.Disk.Refusal, scene.Disk.Capacity) = (null, long.MaxValue);
            scene.RunUntil(scene.Clock.Milliseconds + 3000);
            scene.End(stream);

            var missing = scene.Faults.OfType<AudioFault.Resumed>().SelectMany(fault => fault.Missing).ToList();
            Assert.Equal(Silenced(stream.Sent, missing), scene.AudioOf(stream));
            Assert.Equal((0, 0), (scene.Core.Held, scene.Disk.Open));
            AssertAlternating([.. scene.Faults.Where(fault => fault is not AudioFault.NotForced)]);
        }
    }

    private static void AssertAlternating(IReadOnlyList<AudioFault> faults)
    {
        Assert.All(faults.Index(), fault => Assert.Equal(fault.Index % 2 == 0, fault.Item is AudioFault.Refused));
        Assert.Equal(0, faults.Count % 2);
    }

    private static byte[] Silenced(IReadOnlyList<byte> sent, IReadOnlyList<AudioSpan> missing)
    {
        byte[] audio = [.. sent];
        foreach (var span in missing) audio.AsSpan((int)span.From, (int)span.Length).Fill(Silence);
        return audio;
    }

    private static double Milliseconds(DateTimeOffset at) => (at - VirtualTime.Start).TotalMilliseconds;
}
