using SipNat.Archive.Documents;
using SipNat.Archive.Storage;

namespace SipNat.Server.Tests.Archive;

public sealed class RecordingBatchTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly RecordingStore _store;

    public RecordingBatchTests() => _store = new RecordingStore(_folder.Recordings);

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(40)]
    public void Files_have_their_names_once_the_batch_is_on_the_disk_and_not_before(int sessions)
    {
        var documents = Enumerable.Range(0, sessions).Select(i => TemporaryFolder.Document($"session-{i:D3}")).ToList();
        using var batch = new RecordingBatch(_store);
        foreach (var document in documents)
        {
            Assert.Equal("metadata-001.xml", batch.AddMetadata(FolderOf(document), 1, "<recording/>"u8));
            batch.Add(FolderOf(document), document, durable: true);
        }

        Assert.All(documents, document => Assert.Equal(["metadata-001.xml.tmp", "session.json.tmp"], FilesOf(document)));
        Assert.Empty(batch.Commit());
        Assert.All(documents, document =>
        {
            Assert.Equal(["metadata-001.xml", "session.json"], FilesOf(document));
            Assert.Equal("<recording/>", File.ReadAllText(_store.PathOf($"{FolderOf(document)}/metadata-001.xml")));
            Assert.Equal(RecordingJson.Write(document), RecordingJson.Write(_store.Read(FolderOf(document)).Document!));
        });
    }

    [Theory]
    [InlineData(2)]
    [InlineData(20)]
    public void What_the_disk_refuses_of_one_session_is_told_and_the_others_are_written(int sessions)
    {
        var documents = Enumerable.Range(0, sessions).Select(i => TemporaryFolder.Document($"session-{i:D3}")).ToList();
        using var batch = new RecordingBatch(_store);
        foreach (var document in documents) batch.Add(FolderOf(document), document, durable: true);
        Directory.CreateDirectory(_store.PathOf($"{FolderOf(documents[0])}/session.json/in-the-way"));

        Assert.Equal([FolderOf(documents[0])], batch.Commit().Keys);
        Assert.All(documents.Skip(1), document => Assert.Equal(["session.json"], FilesOf(document)));
    }

    [Fact]
    public void A_later_document_takes_the_place_of_the_former_and_of_an_attempt_that_failed()
    {
        var document = TemporaryFolder.Document(state: RecordingState.Recording);
        _store.Write(document);
        File.WriteAllText(_store.PathOf($"{FolderOf(document)}/session.json.tmp"), "{\"schema\":1,\"id\":\"a longer text than the document that takes its place, which is not to be seen\"" + new string(' ', 4096));
        var complete = document with { State = RecordingState.Complete };
        using var batch = new RecordingBatch(_store);
        batch.Add(FolderOf(document), complete, durable: false);

        Assert.Empty(batch.Commit());
        Assert.Equal(["session.json"], FilesOf(document));
        Assert.Equal(RecordingJson.Write(complete), File.ReadAllBytes(_store.PathOf($"{FolderOf(document)}/session.json")));
    }

    [Fact]
    public void An_empty_batch_does_nothing()
    {
        using var batch = new RecordingBatch(_store);

        Assert.Empty(batch.Commit());
        Assert.False(Directory.Exists(_store.Directory));
    }

    private static string FolderOf(RecordingDocument document) => RecordingStore.FolderOf(document.Id, document.StartedAt);

    private List<string?> FilesOf(RecordingDocument document) =>
        [.. Directory.EnumerateFiles(_store.PathOf(FolderOf(document))).Select(Path.GetFileName).Order(StringComparer.Ordinal)];
}
