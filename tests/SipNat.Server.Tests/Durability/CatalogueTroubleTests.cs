using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
using SipNat.Archive;
using SipNat.Archive.Documents;
using SipNat.Archive.Index;
using SipNat.Server.Hosting;
using SipNat.Server.Tests.Archive;

namespace SipNat.Server.Tests.Durability;

/// <summary>A catalogue that is locked or damaged costs no recording, and is mended from the folders.</summary>
public sealed class CatalogueTroubleTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string CataloguePath => _folder["catalogue.db"];

    public void Dispose()
    {
        SqliteConnection.ClearAllPools();
        _folder.Dispose();
    }

    [Fact]
    public void A_damaged_catalogue_is_moved_aside_at_the_start_and_built_from_the_folders()
    {
        using var archive = Open();
        archive.Store.Write(TemporaryFolder.Document("session-1"));
        archive.Store.Write(TemporaryFolder.Document("session-2", RecordingState.Recording));
        var damaged = Damage();

        var result = archive.RecoverInterrupted(Cancel);

        Assert.Equal((2, 1, true), (result.Indexed, result.Recovered, result.HasRows));
        Assert.Equal(damaged, File.ReadAllBytes(result.MovedAside!));
        Assert.StartsWith($"{CataloguePath}.damaged-", result.MovedAside, StringComparison.Ordinal);
        Assert.Equal(["session-1", "session-2"], archive.List(new RecordingFilter()).Select(document => document.Id).Order(StringComparer.Ordinal));
        Assert.Null(archive.RecoverInterrupted(Cancel).MovedAside);
    }

    [Fact]
    public void A_page_that_was_overwritten_in_the_middle_is_found_at_the_start()
    {
        using var archive = Open();
        archive.Save([.. Enumerable.Range(0, 200).Select(i => TemporaryFolder.Document($"session-{i:D3}"))], durable: false);
        SqliteConnection.ClearAllPools();
        using (var file = File.OpenHandle(CataloguePath, FileMode.Open, FileAccess.Write)) RandomAccess.Write(file, new byte[4096].AsSpan(), 5 * 4096);

        var result = archive.RecoverInterrupted(Cancel);

        Assert.NotNull(result.MovedAside);
        Assert.Equal(200, archive.List(new RecordingFilter { Limit = 1000 }).Count);
    }

    [Fact]
    public void Reindex_mends_a_damaged_catalogue()
    {
        Damage();
        using var archive = Open();
        archive.Store.Write(TemporaryFolder.Document());
        Assert.Contains("'recordings reindex' moves it aside", Assert.Throws<ArchiveException>(() => archive.List(new RecordingFilter())).Message, StringComparison.Ordinal);

        var result = archive.Reindex(cancellationToken: Cancel);

        Assert.NotNull(result.MovedAside);
        Assert.Single(archive.List(new RecordingFilter()));
    }

    [Fact]
    public void A_server_that_finds_its_catalogue_locked_recovers_its_sessions_and_begins_without_it()
    {
        using var archive = Open();
        archive.Save([TemporaryFolder.Document("session-1")], durable: false);
        archive.Store.Write(TemporaryFolder.Document("session-2", RecordingState.Recording));
        archive.Store.Write(TemporaryFolder.Document("session-3", RecordingState.Recording, TemporaryFolder.Start.AddDays(1)));
        using var locked = Lock();

        var result = archive.RecoverInterrupted(Cancel);

        Assert.Equal((0, 2, false), (result.Indexed, result.Recovered, result.HasRows));
        Assert.All((string[])["session-2", "session-3"], id => Assert.Equal(RecordingState.Interrupted, archive.Store.Enumerate().Single(stored => stored.Document!.Id == id).Document!.State));
    }

    [Fact]
    public async Task Rows_wait_until_the_lock_is_gone_and_a_catalogue_that_is_behind_is_built()
    {
        using var archive = Open();
        // Without the claim a session that runs is taken for one that was interrupted, and written beside us.
        Assert.True(archive.TryClaim());
        archive.Store.Write(TemporaryFolder.Document("session-1"));
        await using (var rows = new RecordingRows(archive, isBehind: true, NullLoggerFactory.Instance))
        {
            rows.Add([archive.Store.Write(TemporaryFolder.Document("session-2", RecordingState.Recording))]);
            rows.Add([archive.Store.Write(TemporaryFolder.Document("session-2"))]);
        }

        Assert.Equal(
            [("session-1", RecordingState.Complete), ("session-2", RecordingState.Complete)],
            archive.List(new RecordingFilter()).Select(document => (document.Id, document.State)).Order());
    }

    [Fact]
    public async Task A_catalogue_that_is_damaged_under_a_running_server_is_replaced_with_all_its_rows()
    {
        using var archive = Open();
        Assert.True(archive.TryClaim());
        archive.Save([TemporaryFolder.Document("session-1")], durable: false);
        await using (var rows = new RecordingRows(archive, isBehind: false, NullLoggerFactory.Instance))
        {
            Damage();
            rows.Add([archive.Store.Write(TemporaryFolder.Document("session-2", RecordingState.Recording))]);
        }

        Assert.Equal(["session-1", "session-2"], archive.List(new RecordingFilter()).Select(document => document.Id).Order(StringComparer.Ordinal));
        Assert.Single(Directory.GetFiles(_folder.Path, "catalogue.db.damaged-*"));
        Assert.Equal(RecordingState.Recording, archive.Find("session-2")!.State);
    }

    private RecordingArchive Open() => RecordingArchive.Open(_folder.Recordings, _folder.Database);

    private byte[] Damage()
    {
        SqliteConnection.ClearAllPools();
        byte[] bytes = [.. Enumerable.Repeat((byte)'x', 4096)];
        foreach (var log in Directory.GetFiles(_folder.Path, "catalogue.db-*")) File.Delete(log);
        File.WriteAllBytes(CataloguePath, bytes);
        return bytes;
    }

    // A writer of another process, as an open shell of SQLite is.
    private SqliteConnection Lock()
    {
        var connection = new SqliteConnection($"{_folder.Database};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "BEGIN IMMEDIATE";
        command.ExecuteNonQuery();
        return connection;
    }
}
