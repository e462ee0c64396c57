using SipNat.Archive.Documents;
using SipNat.Archive.Index;
using SipNat.Archive.Storage;
using SipNat.Media.Codecs;
using SipNat.Media.Wav;

namespace SipNat.Server.Tests.Archive;

public sealed class ReindexerTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly RecordingStore _store;
    private readonly Catalogue _catalogue;
    private readonly Reindexer _reindexer;

    public ReindexerTests()
    {
        _store = new RecordingStore(_folder.Recordings);
        _catalogue = new Catalogue(_folder.Database);
        _reindexer = new Reindexer(_store, _catalogue);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void An_empty_catalogue_is_filled_from_the_folders_and_progress_is_told()
    {
        for (var i = 0; i < 130; i++) _store.Write(TemporaryFolder.Document($"session-{i:D3}", start: TemporaryFolder.Start.AddHours(i)), durable: false);
        var progress = new Reports();

        var result = _reindexer.Rebuild(static _ => false, progress, TestContext.Current.CancellationToken);

        Assert.Equal((130, 0, 0, 0), (result.Indexed, result.Recovered, result.Removed, result.ProblemCount));
        Assert.Equal([64, 128, 130], progress.Values);
        Assert.Equal(130, _catalogue.List(new RecordingFilter { Limit = 1000 }).Count);
        Assert.Equal("session-129", _catalogue.List(new RecordingFilter { Limit = 1 })[0].Id);
    }

    [Fact]
    public void Unreadable_documents_are_listed_and_stop_nothing()
    {
        _store.Write(TemporaryFolder.Document("session-1"));
        var bad = _store.Create("session-2", TemporaryFolder.Start);
        File.WriteAllText(_store.PathOf($"{bad}/session.json"), "{");
        var empty = _store.Create("session-3", TemporaryFolder.Start);

        var result = _reindexer.Rebuild(static _ => false, null, TestContext.Current.CancellationToken);

        Assert.Equal((1, 2), (result.Indexed, result.ProblemCount));
        Assert.Equal(
            [(bad, RecordingProblemKind.DocumentUnreadable), (empty, RecordingProblemKind.DocumentMissing)],
            result.Problems.Select(problem => (problem.Folder, problem.Kind)));
    }

    [Fact]
    public void Rows_without_a_folder_are_removed()
    {
        var kept = _store.Write(TemporaryFolder.Document("session-1"));
        _catalogue.Upsert([kept, new StoredRecording("2026/11/20/session-2", TemporaryFolder.Document("session-2"), null), new StoredRecording("../..", TemporaryFolder.Document("session-3"), null)]);

        var result = _reindexer.Rebuild(static _ => false, null, TestContext.Current.CancellationToken);

        Assert.Equal((1, 2), (result.Indexed, result.Removed));
        Assert.Equal(["session-1"], _catalogue.List(new RecordingFilter()).Select(document => document.Id));
    }

    [Fact]
    public void A_running_recording_of_a_live_server_is_indexed_and_not_touched()
    {
        var stored = _store.Write(TemporaryFolder.Document(state: RecordingState.Recording));

        var result = _reindexer.Rebuild(static id => id == TemporaryFolder.Id, null, TestContext.Current.CancellationToken);

        Assert.Equal((1, 0), (result.Indexed, result.Recovered));
        Assert.Equal(RecordingState.Recording, _store.Read(stored.Folder).Document?.State);
        Assert.Single(_catalogue.Running());
    }

    [Fact]
    public void A_killed_servers_recording_becomes_interrupted_with_all_audio_that_reached_the_disk()
    {
        var folder = _store.Create(TemporaryFolder.Id, TemporaryFolder.Start);

        // The header of the first stream is older than its audio; the second stream is younger than the document.
        var audio = new byte[4001];
        var stale = TemporaryFolder.Wav(AudioCodec.Pcma, audio)[..(WavHeader.Length + 4001)];
        WavHeader.Write(stale, WavFormat.Of(AudioCodec.Pcma), 160);
        File.WriteAllBytes(_store.PathOf($"{folder}/stream-1.wav"), stale);
        File.WriteAllBytes(_store.PathOf($"{folder}/stream-1-2.wav"), TemporaryFolder.Wav(AudioCodec.Pcmu, new byte[800]));
        File.WriteAllBytes(_store.PathOf($"{folder}/stream-2.wav"), []);
        var document = TemporaryFolder.Document(state: RecordingState.Paused) with
        {
            Streams = [new RecordedStream { Label = "1", Files = [new RecordedFile { File = $"{folder}/stream-1.wav", Codec = "PCMA", StartOffsetSeconds = 0.5, DurationSeconds = 0.02 }] }],
        };
        _store.Write(document);
        foreach (var file in Directory.EnumerateFiles(_store.PathOf(folder))) File.SetLastWriteTimeUtc(file, TemporaryFolder.Start.AddSeconds(2).UtcDateTime);
        _catalogue.Upsert(new StoredRecording(folder, document, null));

        var result = _reindexer.RecoverInterrupted(static _ => false, TestContext.Current.CancellationToken);

        Assert.Equal((1, 1, 0), (result.Indexed, result.Recovered, result.ProblemCount));
        var recovered = _store.Read(folder).Document!;
        Assert.Equal((RecordingState.Interrupted, TemporaryFolder.Start.AddSeconds(2)), (recovered.State, recovered.EndedAt));
        Assert.Equal(
            [
                new RecordedFile { File = $"{folder}/stream-1.wav", Codec = "PCMA", StartOffsetSeconds = 0.5, DurationSeconds = 4001 / 8000.0 },
                new RecordedFile { File = $"{folder}/stream-1-2.wav", Codec = "PCMU", StartOffsetSeconds = 1.9, DurationSeconds = 0.1 },
                new RecordedFile { File = $"{folder}/stream-2.wav", Codec = "PCMU", StartOffsetSeconds = 2, DurationSeconds = 0 },
            ],
            recovered.Streams.SelectMany(stream => stream.Files));
        Assert.Equal([(4001 / 8000.0) + 0.1, 0], recovered.Streams.Select(stream => stream.RecordedSeconds));
        Assert.Equal([new TimelineEntry(TemporaryFolder.Start.AddSeconds(2), "interrupted", "The program ended before the session did.")], recovered.Timeline);
        Assert.Equal(TemporaryFolder.Wav(AudioCodec.Pcma, audio), File.ReadAllBytes(_store.PathOf($"{folder}/stream-1.wav")));
        Assert.Equal(TemporaryFolder.Wav(AudioCodec.Pcmu, []), File.ReadAllBytes(_store.PathOf($"{folder}/stream-2.wav")));
        Assert.Empty(new RecordingVerifier(_store, _catalogue).Verify(static _ => false));
        Assert.Equal(0, _reindexer.RecoverInterrupted(static _ => false, TestContext.Current.CancellationToken).Recovered);
    }

    [Fact]
    public void Audio_whose_document_was_never_written_is_recovered_and_half_a_file_is_swept_away()
    {
        var today = DateTimeOffset.UtcNow;
        var folder = _store.Create("session-1", today);
        TemporaryFolder.WriteAudio(_store, $"{folder}/stream-2.wav", AudioCodec.Pcma, 0, new byte[8000]);
        File.WriteAllText(_store.PathOf($"{folder}/session.json.tmp"), "{");
        File.WriteAllText(_store.PathOf($"{folder}/metadata-001.xml.tmp"), "<");

        var result = _reindexer.RecoverInterrupted(static _ => false, TestContext.Current.CancellationToken);

        Assert.Equal((1, 1, 0), (result.Indexed, result.Recovered, result.ProblemCount));
        Assert.Equal([folder], result.RecoveredFolders);
        var recovered = _store.Read(folder).Document!;
        Assert.Equal((RecordingState.Interrupted, 2), (recovered.State, recovered.Streams.Count));
        Assert.Equal(("PCMA", 1.0), (recovered.Streams[1].Files[0].Codec, recovered.Streams[1].Files[0].DurationSeconds));
        Assert.Empty(new RecordingVerifier(_store, _catalogue).Verify(static _ => false));
    }

    [Fact]
    public void Sessions_that_the_catalogue_has_not_seen_are_found_at_the_start()
    {
        _catalogue.Upsert(_store.Write(TemporaryFolder.Document("session-1")));
        _store.Write(TemporaryFolder.Document("session-2", RecordingState.Recording, TemporaryFolder.Start.AddSeconds(5)));

        var result = _reindexer.RecoverInterrupted(static _ => false, TestContext.Current.CancellationToken);

        Assert.Equal((1, 1), (result.Indexed, result.Recovered));
        Assert.Equal(["session-2", "session-1"], _catalogue.List(new RecordingFilter()).Select(document => document.Id));
        Assert.Equal(RecordingState.Interrupted, _catalogue.List(new RecordingFilter())[0].State);
    }

    [Fact]
    public void A_running_recording_that_names_a_file_elsewhere_is_a_problem_and_stops_nothing()
    {
        var bad = _store.Write(TemporaryFolder.Document("session-1", RecordingState.Recording) with
        {
            Streams = [new RecordedStream { Files = [new RecordedFile { File = "../../catalogue.db", Codec = "PCMU", StartOffsetSeconds = 0 }] }],
        });
        _store.Write(TemporaryFolder.Document("session-2", RecordingState.Recording));

        var result = _reindexer.RecoverInterrupted(static _ => false, TestContext.Current.CancellationToken);

        Assert.Equal((2, 1), (result.Indexed, result.Recovered));
        Assert.Equal((bad.Folder, RecordingProblemKind.FileUnreadable), (result.Problems[0].Folder, result.Problems[0].Kind));
    }

    private sealed class Reports : IProgress<int>
    {
        public List<int> Values { get; } = [];

        public void Report(int value) => Values.Add(value);
    }
}
