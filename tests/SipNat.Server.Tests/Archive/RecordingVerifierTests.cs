using SipNat.Archive.Documents;
using SipNat.Archive.Index;
using SipNat.Archive.Storage;
using SipNat.Media.Codecs;

namespace SipNat.Server.Tests.Archive;

public sealed class RecordingVerifierTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly RecordingStore _store;
    private readonly Catalogue _catalogue;
    private readonly StoredRecording _stored;

    public RecordingVerifierTests()
    {
        _store = new RecordingStore(_folder.Recordings);
        _catalogue = new Catalogue(_folder.Database);
        var document = TemporaryFolder.WithAudio(_store, TemporaryFolder.Document(), (AudioCodec.Pcmu, 0, new byte[160]), (AudioCodec.Pcma, 0, new byte[81]));
        var folder = _store.Create(document.Id, document.StartedAt);
        var metadata = new MetadataVersion(document.StartedAt, "complete", _store.WriteMetadata(folder, 1, "<recording/>"u8));
        _stored = _store.Write(document with { Metadata = [metadata] });
        _catalogue.Upsert(_stored);
    }

    private string Folder => _stored.Folder;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_whole_recording_has_no_problem() => Assert.Empty(Verify());

    [Fact]
    public void A_missing_file_is_named()
    {
        File.Delete(_store.PathOf($"{Folder}/stream-2.wav"));
        File.Delete(_store.PathOf($"{Folder}/metadata-001.xml"));

        Assert.Equal(
            [(RecordingProblemKind.FileMissing, $"{Folder}/stream-2.wav is not there."), (RecordingProblemKind.FileMissing, $"{Folder}/metadata-001.xml is not there.")],
            Verify());
    }

    [Fact]
    public void A_file_without_a_header_is_named_with_its_defect()
    {
        File.WriteAllText(_store.PathOf($"{Folder}/stream-1.wav"), "no audio at all, only text");
        File.WriteAllBytes(_store.PathOf($"{Folder}/stream-2.wav"), []);

        Assert.Equal(
            [
                (RecordingProblemKind.FileUnreadable, $"{Folder}/stream-1.wav cannot be read: it is not a RIFF/WAVE file."),
                (RecordingProblemKind.FileUnreadable, $"{Folder}/stream-2.wav cannot be read: it is too short for a WAVE header."),
            ],
            Verify());
    }

    [Fact]
    public void A_file_that_was_cut_short_differs_from_its_header_and_its_document()
    {
        using (var file = File.OpenWrite(_store.PathOf($"{Folder}/stream-1.wav"))) file.SetLength(94 + 80);

        Assert.Equal(
            [
                (RecordingProblemKind.HeaderDiffers, $"{Folder}/stream-1.wav states 160 bytes of audio and has 80."),
                (RecordingProblemKind.DurationDiffers, $"{Folder}/stream-1.wav plays 0.010 s and should play 0.020 s."),
            ],
            Verify());
    }

    [Fact]
    public void Audio_beyond_the_header_is_found()
    {
        using (var file = new FileStream(_store.PathOf($"{Folder}/stream-1.wav"), FileMode.Append)) file.Write(new byte[10]);

        Assert.Equal([(RecordingProblemKind.HeaderDiffers, $"{Folder}/stream-1.wav states 160 bytes of audio and has 170.")], Verify());
    }

    [Fact]
    public void Another_codec_than_the_documents_is_found()
    {
        File.WriteAllBytes(_store.PathOf($"{Folder}/stream-1.wav"), TemporaryFolder.Wav(AudioCodec.Pcma, new byte[160]));

        Assert.Equal([(RecordingProblemKind.HeaderDiffers, $"{Folder}/stream-1.wav has the format ALaw and should be PCMU.")], Verify());
    }

    [Fact]
    public void A_file_that_nothing_names_is_found()
    {
        File.WriteAllText(_store.PathOf($"{Folder}/session.json.tmp"), "");

        Assert.Equal([(RecordingProblemKind.FileUnknown, $"{Folder}/session.json.tmp is not named by the document.")], Verify());
    }

    [Fact]
    public void The_catalogue_is_held_against_the_documents_both_ways()
    {
        _store.Write(_stored.Document! with { CallId = "another" });
        _store.Write(TemporaryFolder.Document("session-unlisted"));
        _catalogue.Upsert(new StoredRecording("2026/11/19/session-gone", TemporaryFolder.Document("session-gone"), null));

        Assert.Equal(
            [
                (RecordingProblemKind.CatalogueDiffers, $"The catalogue's row of {TemporaryFolder.Id} differs from its session.json: run 'recordings reindex'."),
                (RecordingProblemKind.NotInCatalogue, "session-unlisted is not in the catalogue: run 'recordings reindex'."),
                (RecordingProblemKind.FolderMissing, "The catalogue lists session-gone, and 2026/11/19/session-gone is not there: run 'recordings reindex'."),
            ],
            Verify());
    }

    [Fact]
    public void A_running_recording_is_left_alone_and_a_dead_one_is_found()
    {
        _store.Write(_stored.Document! with { State = RecordingState.Recording });

        Assert.Empty(new RecordingVerifier(_store, _catalogue).Verify(static _ => true));
        Assert.Equal(
            [(RecordingProblemKind.NotRecovered, $"{TemporaryFolder.Id} says that it is being recorded, and nothing records it: run 'recordings reindex'.")],
            Verify());
    }

    [Fact]
    public void A_torn_document_and_a_path_that_leads_elsewhere_are_problems()
    {
        File.WriteAllText(_store.PathOf($"{_store.Create("session-torn", TemporaryFolder.Start)}/session.json"), "{");
        _catalogue.Upsert(_store.Write(_stored.Document! with
        {
            Streams = [new RecordedStream { Files = [new RecordedFile { File = "../../../etc/passwd", Codec = "PCMU", StartOffsetSeconds = 0 }] }],
        }));
        File.Delete(_store.PathOf($"{Folder}/stream-1.wav"));
        File.Delete(_store.PathOf($"{Folder}/stream-2.wav"));

        var problems = Verify();

        Assert.Equal([RecordingProblemKind.FileUnreadable, RecordingProblemKind.DocumentUnreadable], problems.Select(problem => problem.Kind));
        Assert.Contains("leads out of the recordings' directory", problems[0].Text, StringComparison.Ordinal);
    }

    private List<(RecordingProblemKind Kind, string Text)> Verify() =>
        [.. new RecordingVerifier(_store, _catalogue).Verify(static _ => false).Select(problem => (problem.Kind, problem.Text))];
}
