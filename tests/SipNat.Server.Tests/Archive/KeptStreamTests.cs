using SipNat.Archive.Audio;
using SipNat.Media.RtpDump;
using SipNat.Media.Streams;
using SipNat.Wire;

namespace SipNat.Server.Tests.Archive;

/// <summary>A stream whose packets are kept, from its datagrams to the file on the disk.</summary>
public sealed class KeptStreamTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Packets_of_a_stream_are_in_its_file_as_they_came_after_a_header_that_says_when_and_where()
    {
        var path = _folder["stream-1.rtpdump"];
        var header = new RtpDumpHeader(TemporaryFolder.Start, TransportAddress.Parse("198.51.100.10:10000"), TransportAddress.Parse("192.0.2.20:40000"));
        await using (var writer = new AudioFileWriter(new()))
        {
            var file = writer.Open(path, new AudioFileFormat.Packets(header));
            var stream = Stream();
            for (var i = 0; i < 1000; i++)
            {
                stream.HandleRtp(At(i), At(i), header.Source, DumpFile.Packet(i));
                if (stream.Deadline <= At(i)) stream.HandleTimeout(At(i));
                while (stream.Timeline.TryTake(out var write)) Assert.True(writer.TryWrite(file, write.Buffer));
            }

            stream.Finish(At(1000), At(1000));
            while (stream.Timeline.TryTake(out var write)) Assert.True(writer.TryWrite(file, write.Buffer));
            writer.Close(file, stream.Report(At(1000)).Files[0].Length);
        }

        var (line, sequences) = DumpFile.Read(File.ReadAllBytes(path));
        Assert.Equal("#!rtpplay1.0 198.51.100.10/10000", line);
        Assert.Equal(Enumerable.Range(0, 1000), sequences);
        Assert.Equal(DumpFile.Of(Enumerable.Range(0, 1000))[DumpFile.HeaderLength..], File.ReadAllBytes(path)[DumpFile.HeaderLength..]);
    }

    private static RecordedStream Stream()
    {
        var peer = TransportAddress.Parse("192.0.2.20:40000");
        var payloads = new PayloadMap();
        payloads.Negotiate(18, PayloadFormat.Packets("G729", 8000));
        return new(payloads, new(new(), peer, peer));
    }

    private static Instant At(int frame) => new(frame * 20 * TimeSpan.TicksPerMillisecond);
}
