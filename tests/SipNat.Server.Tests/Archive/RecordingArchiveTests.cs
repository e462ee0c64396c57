using SipNat.Archive;
using SipNat.Archive.Documents;
using SipNat.Archive.Export;
using SipNat.Archive.Index;
using SipNat.Archive.Storage;
using SipNat.Media.Codecs;

namespace SipNat.Server.Tests.Archive;

public sealed class RecordingArchiveTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly RecordingArchive _archive;

    public RecordingArchiveTests() => _archive = RecordingArchive.Open(_folder.Recordings, _folder.Database);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _archive.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void What_is_saved_is_listed_found_exported_and_deleted()
    {
        var document = TemporaryFolder.WithAudio(_archive.Store, TemporaryFolder.Document(), (AudioCodec.Pcmu, 0, [0x80])) with { Timeline = [new TimelineEntry(TemporaryFolder.Start, "started")] };

        _archive.Save([document], durable: true);

        Assert.Equal(RecordingJson.Write(document.ToSummary()), RecordingJson.Write(Assert.Single(_archive.List(new RecordingFilter()))));
        Assert.Equal(RecordingJson.Write(document), RecordingJson.Write(_archive.Find(document.Id)!));
        Assert.Empty(_archive.Verify());
        Assert.Single(_archive.Export(document.Id, _folder["call.wav"], new ExportOptions(), Token).Files);
        Assert.True(_archive.Delete(document.Id));
        Assert.Null(_archive.Find(document.Id));
        Assert.False(_archive.Delete(document.Id));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Recordings));
    }

    [Fact]
    public void One_process_at_a_time_records_into_a_directory()
    {
        using var other = RecordingArchive.Open(_folder.Recordings, _folder.Database);
        Assert.False(other.IsServed());

        Assert.True(_archive.TryClaim());
        Assert.True(_archive.TryClaim());
        Assert.True(_archive.IsServed());
        Assert.True(other.IsServed());
        Assert.False(other.TryClaim());

        _archive.Dispose();
        Assert.False(other.IsServed());
        Assert.True(other.TryClaim());
    }

    [Fact]
    public void A_running_recording_is_safe_from_commands_while_its_server_lives()
    {
        using var commands = RecordingArchive.Open(_folder.Recordings, _folder.Database);
        Assert.True(_archive.TryClaim());
        _archive.Save([TemporaryFolder.Document(state: RecordingState.Recording)], durable: false);

        Assert.Equal(
            $"{TemporaryFolder.Id} is being recorded: it can be deleted when it has ended.",
            Assert.Throws<ArchiveException>(() => commands.Delete(TemporaryFolder.Id)).Message);
        Assert.Equal(0, commands.Reindex(cancellationToken: Token).Recovered);
        Assert.Empty(commands.Verify());

        _archive.Dispose();
        Assert.Equal([RecordingProblemKind.NotRecovered], commands.Verify().Select(problem => problem.Kind));
        Assert.Equal(1, commands.Reindex(cancellationToken: Token).Recovered);
        Assert.Empty(commands.Verify());
        Assert.True(commands.Delete(TemporaryFolder.Id));
    }

    [Fact]
    public void The_next_server_recovers_what_the_last_one_left_running()
    {
        _archive.Save([TemporaryFolder.Document(state: RecordingState.Paused), TemporaryFolder.Document("session-whole")], durable: true);

        var result = _archive.RecoverInterrupted(Token);

        Assert.Equal((1, 1, 0), (result.Indexed, result.Recovered, result.ProblemCount));
        Assert.Equal(
            [("session-whole", RecordingState.Complete), (TemporaryFolder.Id, RecordingState.Interrupted)],
            _archive.List(new RecordingFilter()).Select(document => (document.Id, document.State)));
    }

    [Theory]
    [InlineData("20261120-none")]
    [InlineData("../../etc/passwd")]
    [InlineData("")]
    public void An_unknown_id_is_nothing_and_an_export_of_it_says_where_ids_are(string id)
    {
        Assert.Null(_archive.Find(id));
        Assert.False(_archive.Delete(id));
        Assert.Equal(
            $"There is no recording '{id}': 'recordings list' shows the ids.",
            Assert.Throws<ArchiveException>(() => _archive.Export(id, _folder["call.wav"], new ExportOptions(), Token)).Message);
    }

    [Fact]
    public void A_catalogued_recording_whose_document_is_torn_says_so()
    {
        _archive.Save([TemporaryFolder.Document()], durable: false);
        File.WriteAllText(_archive.Store.PathOf($"2026/11/20/{TemporaryFolder.Id}/session.json"), "{\"sche");

        Assert.StartsWith(
            $"2026/11/20/{TemporaryFolder.Id}/session.json cannot be read: not a recording's JSON",
            Assert.Throws<ArchiveException>(() => _archive.Find(TemporaryFolder.Id)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_directory_that_cannot_be_written_is_an_error_that_names_it()
    {
        File.WriteAllText(_folder.Recordings, "a file where the folder should be");

        var exception = Assert.Throws<ArchiveException>(() => _archive.Save([TemporaryFolder.Document()], durable: false));

        Assert.StartsWith($"The recordings' directory {_folder.Recordings} cannot be used: ", exception.Message, StringComparison.Ordinal);
    }
}
