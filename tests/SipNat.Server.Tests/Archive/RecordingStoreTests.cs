using System.Text;
using SipNat.Archive;
using SipNat.Archive.Documents;
using SipNat.Archive.Storage;

namespace SipNat.Server.Tests.Archive;

public sealed class RecordingStoreTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly RecordingStore _store;

    public RecordingStoreTests() => _store = new RecordingStore(_folder.Recordings);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_document_is_the_json_that_the_interface_promises()
    {
        var at = TemporaryFolder.Start;
        var document = TemporaryFolder.Document() with
        {
            CommunicationSessions = [new CommunicationSession { Id = "7+OTCyoxTmqmqyA/1weDAg==", Groups = ["g/1"] }],
            Participants = [new Participant("sip:bob@example.com", "Bob")],
            Streams =
            [
                new RecordedStream
                {
                    Label = "96",
                    Participants = [new Participant("sip:bob@example.com", null)],
                    Direction = "sendonly",
                    StartedAt = at.AddSeconds(0.25),
                    ExpectedSeconds = 3,
                    RecordedSeconds = 2.98,
                    Files = [new RecordedFile { File = "2026/11/20/x/stream-1.wav", Codec = "PCMU", StartOffsetSeconds = 0.25, DurationSeconds = 2.98 }],
                    Packets = 149,
                    Lost = 1,
                    Remote = "203.0.113.9:40000",
                    Local = "10.0.0.5:10000",
                    Advertised = "198.51.100.7:10000",
                    Why = "Nat:ExternalAddress",
                    Ssrcs = [0xDEADBEEF],
                },
            ],
            Findings = [new RecordingFinding("metadata-unreadable", "The metadata is not XML.", at)],
            Metadata = [new MetadataVersion(at, "complete", "metadata-001.xml")],
            Timeline = [new TimelineEntry(at, "started"), new TimelineEntry(at, "digit", "5", Stream: 1)],
        };

        Assert.Equal(
            """
            {"schema":1,"id":"20261120-a1b2c3","state":"complete","startedAt":"2026-11-20T23:59:58Z","endedAt":"2026-11-21T00:00:01Z",
            "callId":"b2f0@203.0.113.9","remote":"203.0.113.9:5060",
            "communicationSessions":[{"id":"7\u002BOTCyoxTmqmqyA/1weDAg==","sipSessionId":null,"groups":["g/1"]}],
            "participants":[{"aor":"sip:bob@example.com","name":"Bob"}],"links":[],"relatedSessions":[],
            "streams":[{"label":"96","participants":[{"aor":"sip:bob@example.com","name":null}],"direction":"sendonly",
            "startedAt":"2026-11-20T23:59:58.25Z","expectedSeconds":3,"recordedSeconds":2.98,
            "files":[{"file":"2026/11/20/x/stream-1.wav","codec":"PCMU","startOffsetSeconds":0.25,"durationSeconds":2.98}],
            "packets":149,"lost":1,"duplicates":0,"late":0,"remote":"203.0.113.9:40000","local":"10.0.0.5:10000",
            "advertised":"198.51.100.7:10000","why":"Nat:ExternalAddress","path":null,"ssrcs":[3735928559]}],
            "findings":[{"code":"metadata-unreadable","text":"The metadata is not XML.","at":"2026-11-20T23:59:58Z"}],
            "metadata":[{"at":"2026-11-20T23:59:58Z","dataMode":"complete","file":"metadata-001.xml"}],
            "timeline":[{"at":"2026-11-20T23:59:58Z","kind":"started","text":null},{"at":"2026-11-20T23:59:58Z","kind":"digit","text":"5","stream":1}]}
            """.ReplaceLineEndings(""),
            Encoding.UTF8.GetString(RecordingJson.Write(document)));
        Assert.True(RecordingJson.TryRead(RecordingJson.Write(document), out var again, out _));
        Assert.Equal(RecordingJson.Write(document), RecordingJson.Write(again));
    }

    [Fact]
    public void A_list_is_an_array_without_metadata_and_timeline()
    {
        var document = TemporaryFolder.Document(state: RecordingState.Recording) with { Metadata = [], Timeline = [] };

        Assert.Equal(
            """
            [{"schema":1,"id":"20261120-a1b2c3","state":"recording","startedAt":"2026-11-20T23:59:58Z","endedAt":null,
            "callId":"b2f0@203.0.113.9","remote":"203.0.113.9:5060","communicationSessions":[],"participants":[],"links":[],"relatedSessions":[],"streams":[],"findings":[]}]
            """.ReplaceLineEndings(""),
            Encoding.UTF8.GetString(RecordingJson.WriteList([document.ToSummary()])));
    }

    [Fact]
    public void A_session_lives_in_the_folder_of_its_utc_day()
    {
        var start = new DateTimeOffset(2026, 11, 21, 1, 30, 0, TimeSpan.FromHours(2));

        var written = _store.Write(TemporaryFolder.Document(start: start));

        Assert.Equal($"2026/11/20/{TemporaryFolder.Id}", written.Folder);
        Assert.Equal(start, _store.Read(written.Folder).Document?.StartedAt);
        Assert.Equal(["session.json"], FilesOf(written.Folder));
        Assert.Equal("metadata-001.xml", _store.WriteMetadata(written.Folder, 1, "<recording/>"u8));
        Assert.Equal("<recording/>", File.ReadAllText(_store.PathOf($"{written.Folder}/metadata-001.xml")));
        Assert.Equal(["metadata-001.xml", "session.json"], FilesOf(written.Folder));
    }

    [Theory]
    [InlineData("stream-1.wav", 1, 1)]
    [InlineData("stream-1-2.wav", 1, 2)]
    [InlineData("stream-12-3.wav", 12, 3)]
    public void Audio_files_are_named_by_number_alone(string name, int stream, int file) =>
        Assert.Equal(name, RecordingStore.AudioName(stream, file));

    [Theory]
    [InlineData("12345678", true)]
    [InlineData("1234567", false)]
    [InlineData("../../../etc", false)]
    [InlineData("abcd_efgh", false)]
    [InlineData("abcdefgé", false)]
    [InlineData("abcdefgh/ijkl", false)]
    public void An_id_is_letters_digits_and_hyphens(string id, bool valid)
    {
        Assert.Equal(valid, RecordingId.IsValid(id));
        if (!valid) Assert.Throws<ArgumentException>(() => _store.Create(id, TemporaryFolder.Start));
    }

    [Fact]
    public void An_id_has_64_characters_at_most()
    {
        Assert.True(RecordingId.IsValid(new string('a', 64)));
        Assert.False(RecordingId.IsValid(new string('a', 65)));
    }

    [Theory]
    [InlineData("../catalogue.db")]
    [InlineData("/etc/passwd")]
    [InlineData("2026/../..")]
    [InlineData("")]
    [InlineData("a\0b")]
    public void A_path_that_leads_out_of_the_directory_is_refused(string path)
    {
        Assert.Throws<ArchiveException>(() => _store.PathOf(path));
        Assert.False(_store.Exists(path));
    }

    [Theory]
    [InlineData("", "session.json cannot be read: not a recording's JSON: ")]
    [InlineData("{\"schema\":1,\"id\":\"20261120-a1", "session.json cannot be read: not a recording's JSON: ")]
    [InlineData("null", "session.json cannot be read: an empty document.")]
    [InlineData("{}", "session.json cannot be read: not a recording's JSON: ")]
    [InlineData("\0\0\0\0", "session.json cannot be read: not a recording's JSON: ")]
    [InlineData("""{"schema":2,"id":"20261120-a1b2c3","state":"complete","startedAt":"2026-11-20T00:00:00Z"}""", "session.json cannot be read: schema 2 is of a later version of this program, which reads up to 1.")]
    [InlineData("""{"id":"20261120-a1b2c3","state":"complete","startedAt":"2026-11-20T00:00:00Z"}""", "session.json cannot be read: it states no schema.")]
    [InlineData("""{"schema":1,"id":"20261120-another","state":"complete","startedAt":"2026-11-20T00:00:00Z"}""", "session.json cannot be read: it is the document of another recording, '20261120-another'.")]
    [InlineData("""{"schema":1,"id":"20261120-a1b2c3","state":"asleep","startedAt":"2026-11-20T00:00:00Z"}""", "session.json cannot be read: not a recording's JSON: ")]
    [InlineData("""{"schema":1,"id":"20261120-a1b2c3","state":3,"startedAt":"2026-11-20T00:00:00Z"}""", "session.json cannot be read: not a recording's JSON: ")]
    [InlineData("""{"schema":1,"id":"20261120-a1b2c3","state":"complete","startedAt":"yesterday"}""", "session.json cannot be read: not a recording's JSON: ")]
    [InlineData("""{"schema":1,"id":"20261120-a1b2c3","state":"complete","startedAt":"2026-11-20T00:00:00Z","streams":null}""", "session.json cannot be read: not a recording's JSON: ")]
    [InlineData("""{"schema":1,"id":"20261120-a1b2c3","state":"complete","startedAt":"2026-11-20T00:00:00Z","streams":[null]}""", "session.json cannot be read: a list contains null.")]
    public void A_torn_or_strange_document_is_a_problem_with_its_reason(string json, string text)
    {
        var folder = _store.Create(TemporaryFolder.Id, TemporaryFolder.Start);
        File.WriteAllText(_store.PathOf($"{folder}/session.json"), json);

        var stored = _store.Read(folder);

        Assert.Null(stored.Document);
        Assert.Equal((TemporaryFolder.Id, folder, RecordingProblemKind.DocumentUnreadable), (stored.Problem?.Id, stored.Problem?.Folder, stored.Problem?.Kind));
        Assert.StartsWith($"{folder}/{text}", stored.Problem?.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_without_a_document_is_a_problem()
    {
        var folder = _store.Create(TemporaryFolder.Id, TemporaryFolder.Start);

        Assert.Equal(
            new StoredRecording(folder, null, new RecordingProblem(TemporaryFolder.Id, folder, RecordingProblemKind.DocumentMissing, $"{folder} has no session.json.")),
            _store.Read(folder));
    }

    [Fact]
    public void Mutated_documents_never_throw()
    {
        var random = new Random(7865);
        var whole = RecordingJson.Write(TemporaryFolder.Document() with { Streams = [new RecordedStream { Label = "1", Files = [new RecordedFile { File = "f", Codec = "PCMU", StartOffsetSeconds = 1 }] }], Timeline = [] });
        for (var length = 0; length < whole.Length; length++) Assert.False(RecordingJson.TryRead(whole.AsSpan(0, length), out _, out _), $"{length} bytes");

        for (var round = 0; round < 2000; round++)
        {
            var bytes = whole.ToArray();
            for (var i = random.Next(1, 4); i > 0; i--) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            Assert.Equal(RecordingJson.TryRead(bytes, out var document, out var defect), document is not null && defect is null);
        }
    }

    [Fact]
    public void Folders_come_in_the_order_of_days_and_nothing_else_is_taken_for_one()
    {
        string[] ids = ["session-c", "session-a", "session-b"];
        foreach (var (index, id) in ids.Index()) _store.Write(TemporaryFolder.Document(id, start: TemporaryFolder.Start.AddDays(index)));
        _store.Create("session-0", TemporaryFolder.Start);
        Directory.CreateDirectory(_store.PathOf("2026/11/xx/session-x"));
        Directory.CreateDirectory(_store.PathOf("2026/02/31/session-x"));
        Directory.CreateDirectory(_store.PathOf("2026/11/20/no"));
        Directory.CreateDirectory(_store.PathOf("lost+found"));
        File.WriteAllText(_store.PathOf("2026/11/20/a-file-here"), "");

        Assert.Equal(["2026/11/20/session-0", "2026/11/20/session-c", "2026/11/21/session-a", "2026/11/22/session-b"], _store.Folders());
        Assert.Equal(["2026/11/21/session-a", "2026/11/22/session-b"], _store.Folders(new DateOnly(2026, 11, 21)));
        Assert.Equal([false, true, true, true], _store.Enumerate().Select(stored => stored.Problem is null));
        Assert.Empty(new RecordingStore(_folder["none"]).Folders());
    }

    [Fact]
    public void Deleting_the_last_recording_of_a_day_removes_the_day()
    {
        var first = _store.Write(TemporaryFolder.Document("session-a")).Folder;
        var second = _store.Write(TemporaryFolder.Document("session-b")).Folder;

        _store.Delete(first);
        Assert.Equal([second], _store.Folders());

        _store.Delete(second);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_store.Directory));

        _store.Delete(second);
    }

    private IEnumerable<string?> FilesOf(string folder) =>
        Directory.EnumerateFiles(_store.PathOf(folder)).Select(Path.GetFileName).Order(StringComparer.Ordinal);
}
