using SipNat.Archive.Audio;
using SipNat.Archive.Documents;
using SipNat.Archive.Index;
using SipNat.Archive.Storage;
using SipNat.Media.Codecs;

namespace SipNat.Server.Tests.Archive;

/// <summary>Files that keep packets: written, cut off, mended and verified.</summary>
public sealed class PacketFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly RecordingStore _store;
    private readonly Catalogue _catalogue;

    public PacketFileTests() => (_store, _catalogue) = (new(_folder.Recordings), new(_folder.Database));

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Half_a_record_that_a_killed_process_left_is_cut_off_and_what_is_whole_is_listed()
    {
        var document = DumpFile.WithPackets(_store, TemporaryFolder.Document(state: RecordingState.Recording), Enumerable.Range(0, 3), Enumerable.Range(0, 3)) with
        {
            Assurance = new RecordingAssurance { ExpectedSeconds = 0.08, RecordedSeconds = 0.08 },
        };
        var folder = _store.Write(document).Folder;
        var whole = DumpFile.Of(Enumerable.Range(0, 51));
        File.WriteAllBytes(_store.PathOf($"{folder}/stream-1.rtpdump"), [.. whole, .. DumpFile.Record(1020, DumpFile.Packet(51))[..17]]);

        // One began after the last document, one has no more than half of its header.
        File.WriteAllBytes(_store.PathOf($"{folder}/stream-2-2.rtpdump"), DumpFile.Of(Enumerable.Range(0, 11)));
        File.WriteAllBytes(_store.PathOf($"{folder}/stream-3.rtpdump"), whole[..20]);

        var result = new Reindexer(_store, _catalogue).RecoverInterrupted(static _ => false, TestContext.Current.CancellationToken);

        Assert.Equal((1, 1, 0), (result.Indexed, result.Recovered, result.ProblemCount));
        var recovered = _store.Read(folder).Document!;
        Assert.Equal(
            [("stream-1.rtpdump", "AMR", 51L, 1.0), ("stream-2.rtpdump", "AMR", 3L, 0.04), ("stream-2-2.rtpdump", "unknown", 11L, 0.2), ("stream-3.rtpdump", "unknown", 0L, 0.0)],
            recovered.Streams.SelectMany(stream => stream.Files).Select(file => (Path.GetFileName(file.File), file.Codec, file.Packets ?? -1, file.DurationSeconds)));
        Assert.Equal([1.0, 0.24, 0.0], recovered.Streams.Select(stream => Math.Round(stream.RecordedSeconds, 6)));
        Assert.Equal((1.24, 1.24), (recovered.Assurance!.ExpectedSeconds, recovered.Assurance.RecordedSeconds));
        Assert.Equal(whole, File.ReadAllBytes(_store.PathOf($"{folder}/stream-1.rtpdump")));
        Assert.Empty(Verify());
    }

    [Fact]
    public void Every_length_that_a_killed_process_can_leave_is_mended_to_whole_records()
    {
        var path = _folder["stream-1.rtpdump"];
        var whole = DumpFile.Of(0, 1);
        for (var length = 0; length <= whole.Length; length++)
        {
            File.WriteAllBytes(path, whole[..length]);

            var content = PacketFile.Repair(path)!;

            Assert.Equal(length == whole.Length ? 2 : length >= DumpFile.HeaderLength + 40 ? 1 : 0, content.Packets.Packets);
            Assert.Equal(new FileInfo(path).Length, content.WholeLength);
            Assert.Equal(content.Packets.Packets, DumpFile.Read(File.ReadAllBytes(path)).Sequences.Count);
        }
    }

    [Fact]
    public void File_of_another_kind_is_left_as_it_is()
    {
        var path = _folder["stream-1.rtpdump"];
        var text = new string('x', 1000);
        File.WriteAllText(path, text);

        Assert.Null(PacketFile.Repair(path));
        Assert.Equal(text, File.ReadAllText(path));
    }

    [Fact]
    public void A_long_file_is_measured_as_a_short_one()
    {
        var path = _folder["stream-1.rtpdump"];
        File.WriteAllBytes(path, DumpFile.Of(Enumerable.Range(0, 30_000)));

        var content = PacketFile.Measure(path)!;

        Assert.Equal((30_000, 599.98, 599.98, 18), (content.Packets.Packets, content.Packets.Duration.TotalSeconds, content.Packets.Covered.TotalSeconds, content.PayloadType));
        Assert.Equal(content.Length, content.WholeLength);
    }

    [Fact]
    public void A_whole_recording_of_packets_has_no_problem()
    {
        Save(DumpFile.WithPackets(_store, TemporaryFolder.Document(), Enumerable.Range(0, 101), Enumerable.Range(0, 101).Where(i => i % 4 != 1)) with
        {
            Assurance = new RecordingAssurance { ExpectedSeconds = 4, RecordedSeconds = 2 + (2.0 * 76 / 101), Reasons = [new(2, 2 - (2.0 * 76 / 101), "not-received")] },
        });

        Assert.Empty(Verify());
    }

    [Fact]
    public void Packets_that_are_missing_cut_or_of_another_kind_are_named()
    {
        var folder = Save(DumpFile.WithPackets(_store, TemporaryFolder.Document(), Enumerable.Range(0, 51), [0], [0], Enumerable.Range(0, 5)) with
        {
            Assurance = new RecordingAssurance { ExpectedSeconds = 1, RecordedSeconds = 1 },
        });
        File.WriteAllBytes(_store.PathOf($"{folder}/stream-1.rtpdump"), [.. DumpFile.Of(Enumerable.Range(0, 41)), 0, 40, 0]);
        File.Delete(_store.PathOf($"{folder}/stream-2.rtpdump"));
        File.WriteAllText(_store.PathOf($"{folder}/stream-3.rtpdump"), "no packets");

        Assert.Equal(
            [
                $"{folder}/stream-1.rtpdump ends within a packet: 3 of its {DumpFile.HeaderLength + (41 * 40) + 3} bytes are no whole record.",
                $"{folder}/stream-1.rtpdump has 41 packets and should have 51.",
                $"{folder}/stream-1.rtpdump lasts 0.800 s and should last 1.000 s.",
                $"{folder}/stream-2.rtpdump is not there.",
                $"{folder}/stream-3.rtpdump cannot be read: it is not an rtpdump file.",
            ],
            Verify());
    }

    [Fact]
    public void An_assurance_that_the_packets_do_not_bear_out_is_a_problem()
    {
        Save(DumpFile.WithPackets(_store, TemporaryFolder.Document(), Enumerable.Range(0, 101).Where(i => i is < 25 or > 75)) with
        {
            Assurance = new RecordingAssurance { ExpectedSeconds = 2, RecordedSeconds = 2 },
        });

        // A hole of a second and more is a pause, of which 0.2 s may have been the packet before it.
        Assert.Equal([$"{TemporaryFolder.Id} assures 2.000 s of audio and 0.000 s of silence, and its files play 1.160 s."], Verify());
    }

    [Fact]
    public void What_came_beside_a_stream_is_verified_and_recovered_with_it_and_is_no_part_of_its_length()
    {
        var document = TemporaryFolder.WithAudio(_store, TemporaryFolder.Document(state: RecordingState.Recording), (AudioCodec.Pcmu, 0, Enumerable.Repeat((byte)1, 8000).ToArray()), (AudioCodec.Pcmu, 0, [])) with
        {
            Assurance = new RecordingAssurance { ExpectedSeconds = 1, RecordedSeconds = 1 },
        };
        var folder = _store.Create(document.Id, document.StartedAt);
        document = document with
        {
            Streams = [document.Streams[0] with { Other = new RecordedFile { File = $"{folder}/stream-1-other.rtpdump", Codec = "various", StartOffsetSeconds = 0.5, DurationSeconds = 0, Packets = 1 } }, document.Streams[1]],
        };
        _store.Write(document);
        File.WriteAllBytes(_store.PathOf($"{folder}/stream-1-other.rtpdump"), [.. DumpFile.Of(Enumerable.Range(0, 26)), 0, 40, 0]);
        File.WriteAllBytes(_store.PathOf($"{folder}/stream-2-other.rtpdump"), DumpFile.Of(Enumerable.Range(0, 11)));
        File.WriteAllBytes(_store.PathOf($"{folder}/stream-3-other.rtpdump"), DumpFile.Of(Enumerable.Range(0, 6)));

        new Reindexer(_store, _catalogue).RecoverInterrupted(static _ => false, TestContext.Current.CancellationToken);

        var recovered = _store.Read(folder).Document!;
        Assert.Equal([("various", 26L, 0.5), ("various", 11L, 0.2), ("various", 6L, 0.1)], recovered.Streams.Select(stream => (stream.Other!.Codec, stream.Other.Packets ?? -1, stream.Other.DurationSeconds)));
        Assert.Equal([1, 0, 0], recovered.Streams.Select(stream => stream.RecordedSeconds));
        Assert.Equal((1, 1), (recovered.Assurance!.ExpectedSeconds, recovered.Assurance.RecordedSeconds));
        Assert.Empty(Verify());

        File.Delete(_store.PathOf($"{folder}/stream-1-other.rtpdump"));
        Assert.Equal([$"{folder}/stream-1-other.rtpdump is not there."], Verify());
    }

    private string Save(RecordingDocument document)
    {
        var stored = _store.Write(document);
        _catalogue.Upsert(stored);
        return stored.Folder;
    }

    private IEnumerable<string> Verify() => new RecordingVerifier(_store, _catalogue).Verify(static _ => false).Select(problem => problem.Text);
}
