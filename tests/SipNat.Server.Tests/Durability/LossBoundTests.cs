using SipNat.Archive.Audio;
using SipNat.Media.Codecs;
using SipNat.Media.RtpDump;
using SipNat.Media.Streams;
using SipNat.Media.Wav;

namespace SipNat.Server.Tests.Durability;

/// <summary>What a killed process and a power cut may cost, held at every millisecond.</summary>
public sealed class LossBoundTests
{
    [Theory]
    [InlineData(1, 5000)]
    [InlineData(20, 5000)]
    [InlineData(3, 2000)]
    [InlineData(3, 60_000)]
    public void Everything_but_the_last_second_is_with_the_kernel_and_all_but_the_sync_interval_on_the_medium(int streams, int syncInterval)
    {
        const int Length = 12_000;
        const int Block = 750;
        var scene = new WriterScene(new AudioFileWriterOptions { SyncInterval = TimeSpan.FromMilliseconds(syncInterval) });
        var files = new List<SceneStream>();
        scene.EachMillisecond = now =>
        {
            foreach (var stream in files)
            {
                Assert.InRange(scene.Disk.LengthOf(stream.File.Path) - WavHeader.Length, stream.ArrivedAt(now - 1000), long.MaxValue);
                Assert.InRange(scene.Disk.ForcedLengthOf(stream.File.Path) - WavHeader.Length, ForcedAtLeast(stream, now - syncInterval), long.MaxValue);
            }
        };

        for (var i = 0; i < streams; i++)
        {
            files.Add(scene.Begin($"{i}.wav"));
            scene.RunUntil((i + 1) * 37);
        }

        scene.RunUntil(Length);

        // One pass for all files that wait, however many: half of the interval lies between the first write after one and
        // the next.
        Assert.InRange(scene.Disk.Forces, (Length / ((syncInterval / 2) + Block)) - 1, (Length / (syncInterval / 2)) + 1);
        foreach (var stream in files) scene.End(stream);
        Assert.All(files, stream => Assert.Equal(scene.Disk.LengthOf(stream.File.Path), scene.Disk.ForcedLengthOf(stream.File.Path)));
        Assert.All(files, stream => Assert.Equal(stream.Sent, scene.AudioOf(stream)));
        Assert.Empty(scene.Faults);
        Assert.Equal(0, scene.Disk.Open);

        static long ForcedAtLeast(SceneStream stream, long at) => at < stream.BeganAt ? -WavHeader.Length : stream.ArrivedAt(at);
    }

    [Fact]
    public void Of_packets_too_everything_but_the_last_second_is_with_the_kernel_and_all_but_the_sync_interval_on_the_medium()
    {
        var scene = new WriterScene();
        var stream = scene.Begin("a.rtpdump", new AudioFileFormat.Packets(new RtpDumpHeader(Archive.VirtualTime.Start, default, default)));
        var header = stream.File.Format.HeaderLength;
        scene.EachMillisecond = now =>
        {
            Assert.InRange(scene.Disk.LengthOf("a.rtpdump") - header, stream.ArrivedAt(now - 1000), long.MaxValue);
            Assert.InRange(scene.Disk.ForcedLengthOf("a.rtpdump"), now < 5000 ? 0 : header + stream.ArrivedAt(now - 5000), long.MaxValue);
        };

        scene.RunUntil(20_000);
        scene.End(stream);

        Assert.Equal(header + stream.ArrivedAt(19_999), scene.Disk.LengthOf("a.rtpdump"));
        Assert.Equal(Enumerable.Range(1000, 1000), Archive.DumpFile.Read(scene.Disk["a.rtpdump"]).Sequences);
        Assert.Empty(scene.Faults);
    }

    [Fact]
    public void Each_header_is_true_within_five_seconds_of_its_audio()
    {
        var scene = new WriterScene();
        var stream = scene.Begin("a.wav");
        var longest = 0L;
        scene.EachMillisecond = now =>
        {
            var bytes = scene.Disk["a.wav"];
            Assert.True(WavHeader.TryRead(bytes, bytes.Length, out var header, out _), $"at {now} ms");
            Assert.InRange(header.DeclaredLength, 0, bytes.Length - WavHeader.Length);
            longest = Math.Max(longest, bytes.Length - WavHeader.Length - header.DeclaredLength);
        };

        scene.RunUntil(15_000);

        // Five seconds, and the block that was the first not to be stated.
        Assert.InRange(longest, 1, (5 * 8000) + 6400);
        Assert.Equal(750, stream.Sent.Count / 160);
    }

    [Fact]
    public void A_medium_that_does_not_confirm_is_told_once_for_each_attempt_and_asked_again()
    {
        var scene = new WriterScene();
        scene.Disk.ForceRefusal = "Input/output error";
        var stream = scene.Begin("a.wav");
        scene.RunUntil(6000);

        Assert.Equal(
            [new AudioFault.NotForced("a.wav", At(2500), "Input/output error"), new AudioFault.NotForced("a.wav", At(5000), "Input/output error")],
            scene.Faults);

        scene.Disk.ForceRefusal = null;
        scene.RunUntil(8000);
        Assert.InRange(scene.Disk.ForcedLengthOf("a.wav"), stream.ArrivedAt(6700), long.MaxValue);
    }

    [Fact]
    public void Past_four_gibibytes_the_header_is_that_of_rf64()
    {
        const long Large = 4L * 1024 * 1024 * 1024;
        var scene = new WriterScene(disk: new Archive.TestDisk { KeepsBytes = false });
        var file = new AudioFile("a.wav", new AudioFileFormat.Wave(AudioCodec.Pcma), null, scene.Clock);
        var buffer = WriteBuffer.Rent(Large, 160, 160);

        scene.Core.Do(new WriteJob(WriteJobKind.Open, file));
        scene.Core.Do(new WriteJob(WriteJobKind.Write, file, buffer));
        Assert.Equal("RIFF"u8, scene.Disk.HeaderOf("a.wav").AsSpan(0, 4));
        scene.Core.RunDue(scene.Clock.Milliseconds + 5000);

        var header = scene.Disk.HeaderOf("a.wav");
        Assert.Equal("RF64"u8, header.AsSpan(0, 4));
        Assert.True(WavHeader.TryRead(header, WavHeader.Length + Large + 160, out var read, out _));
        Assert.Equal(new WavHeader(WavFormat.Of(AudioCodec.Pcma), WavHeader.Length, Large + 160, Large + 160), read);
        Assert.Equal(WavHeader.Length + Large + 160, scene.Disk.LengthOf("a.wav"));
    }

    private static DateTimeOffset At(long milliseconds) => Archive.VirtualTime.Start.AddMilliseconds(milliseconds);
}
