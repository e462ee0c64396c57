using Microsoft.Data.Sqlite;
using SipNat.Archive;
using SipNat.Archive.Documents;
using SipNat.Archive.Index;
using SipNat.Archive.Storage;

namespace SipNat.Server.Tests.Archive;

public sealed class CatalogueTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_row_gives_back_the_summary_of_its_document()
    {
        var catalogue = new Catalogue(_folder.Database);
        var document = TemporaryFolder.Document() with { Participants = [new Participant("sip:bob@example.com", "Bob")], Timeline = [new TimelineEntry(TemporaryFolder.Start, "started")] };

        catalogue.Upsert(Stored(document));

        var listed = Assert.Single(catalogue.List(new RecordingFilter()));
        Assert.Equal(RecordingJson.Write(document.ToSummary()), RecordingJson.Write(listed));
        Assert.Equal((document.Id, "folder-of-" + document.Id), (catalogue.Find(document.Id)?.Id, catalogue.Find(document.Id)?.Folder));
        Assert.Null(catalogue.Find("20261120-other"));
    }

    [Fact]
    public void A_second_write_replaces_the_row()
    {
        var catalogue = new Catalogue(_folder.Database);
        catalogue.Upsert(Stored(TemporaryFolder.Document(state: RecordingState.Recording)));
        Assert.Equal([TemporaryFolder.Id], catalogue.Running().Select(entry => entry.Id));

        catalogue.Upsert(Stored(TemporaryFolder.Document()));

        Assert.Empty(catalogue.Running());
        Assert.Equal(RecordingState.Complete, Assert.Single(catalogue.List(new RecordingFilter())).State);
        Assert.True(catalogue.Delete(TemporaryFolder.Id));
        Assert.False(catalogue.Delete(TemporaryFolder.Id));
        Assert.Empty(catalogue.List(new RecordingFilter()));
    }

    [Fact]
    public void A_list_is_newest_first_and_holds_to_its_bounds()
    {
        var catalogue = Filled();
        string[] List(RecordingFilter filter) => [.. catalogue.List(filter).Select(document => document.Id)];

        Assert.Equal(["session-4", "session-3", "session-2", "session-1", "session-0"], List(new RecordingFilter()));
        Assert.Equal(["session-4", "session-3"], List(new RecordingFilter { Limit = 2 }));
        Assert.Equal(["session-4"], List(new RecordingFilter { Limit = -1 }));
        Assert.Equal(["session-4", "session-3"], List(new RecordingFilter { Since = TemporaryFolder.Start.AddHours(3) }));
        Assert.Equal(["session-1", "session-0"], List(new RecordingFilter { Until = TemporaryFolder.Start.AddHours(2) }));
        Assert.Equal(["session-2"], List(new RecordingFilter { Since = TemporaryFolder.Start.AddHours(2), Until = TemporaryFolder.Start.AddHours(3) }));
    }

    [Theory]
    [InlineData("BOB2@", new[] { "session-2" })]
    [InlineData("müller", new[] { "session-0", "session-1", "session-2", "session-3", "session-4" })]
    [InlineData("%", new string[0])]
    [InlineData("'; DROP TABLE recordings; --", new string[0])]
    [InlineData("alice3", new[] { "session-3" })]
    public void A_party_is_any_part_of_an_address_or_name_in_any_case(string party, string[] expected)
    {
        var catalogue = Filled();

        Assert.Equal(expected, catalogue.List(new RecordingFilter { Party = party }).Select(document => document.Id).Order(StringComparer.Ordinal));
        Assert.Equal(5, catalogue.List(new RecordingFilter()).Count);
    }

    [Fact]
    public void A_walk_in_pages_meets_every_row_once()
    {
        var catalogue = Filled();
        var met = new List<string>();
        for (var page = catalogue.Page("", 2); page.Count > 0; page = catalogue.Page(page[^1].Id, 2)) met.AddRange(page.Select(entry => entry.Id));

        Assert.Equal(["session-0", "session-1", "session-2", "session-3", "session-4"], met);
        Assert.Equal(TemporaryFolder.Start.AddHours(4), catalogue.NewestStart());
        Assert.Null(new Catalogue($"Data Source={_folder["empty.db"]}").NewestStart());
    }

    [Fact]
    public async Task Two_catalogues_write_and_read_one_database_at_the_same_time()
    {
        const int Rows = 50;
        Catalogue[] catalogues = [new(_folder.Database), new(_folder.Database)];

        await Task.WhenAll(catalogues.Index().Select(item => Task.Run(
            () =>
            {
                for (var i = 0; i < Rows; i++)
                {
                    item.Item.Upsert(Stored(TemporaryFolder.Document($"session-{item.Index}-{i}")));
                    Assert.NotEmpty(item.Item.List(new RecordingFilter { Limit = 1 }));
                }
            },
            TestContext.Current.CancellationToken)));

        Assert.All(catalogues, catalogue => Assert.Equal(2 * Rows, catalogue.List(new RecordingFilter { Limit = 1000 }).Count));
    }

    [Fact]
    public async Task A_reader_is_not_held_up_by_an_open_transaction()
    {
        var catalogue = Filled();
        using var other = new SqliteConnection(_folder.Database);
        await other.OpenAsync(TestContext.Current.CancellationToken);
        await using var transaction = other.BeginTransaction(deferred: false);
        using var command = other.CreateCommand();
        command.CommandText = "DELETE FROM recordings";
        command.Transaction = transaction;
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);

        Assert.Equal(5, new Catalogue(_folder.Database).List(new RecordingFilter()).Count);
        Assert.Equal(5, catalogue.List(new RecordingFilter()).Count);
    }

    [Fact]
    public void A_batch_that_fails_half_way_changes_nothing()
    {
        var catalogue = Filled();

        Assert.Throws<InvalidOperationException>(() => catalogue.Upsert(Failing()));

        Assert.Equal(5, catalogue.List(new RecordingFilter()).Count);

        static IEnumerable<StoredRecording> Failing()
        {
            yield return Stored(TemporaryFolder.Document("session-9"));
            throw new InvalidOperationException();
        }
    }

    [Fact]
    public void A_catalogue_of_a_later_version_is_left_alone()
    {
        _ = new Catalogue(_folder.Database);
        Execute("PRAGMA user_version = 99");

        var exception = Assert.Throws<ArchiveException>(() => new Catalogue(_folder.Database));

        Assert.Equal($"The catalogue {_folder["catalogue.db"]} has version 99, and this program knows up to {CatalogueSchema.Current}: a later version has written it.", exception.Message);
    }

    [Theory]
    [InlineData("Host=db;Username=u", "PostgreSQL")]
    [InlineData("Data Source=:memory:", "has to name a file")]
    [InlineData("", "has to name a file")]
    [InlineData("Colour=blue", "is not a connection string")]
    public void A_database_that_cannot_be_used_is_refused_with_the_key_of_its_setting(string connection, string text)
    {
        var exception = Assert.Throws<ArchiveException>(() => new Catalogue(connection));

        Assert.StartsWith("Recording:Database ", exception.Message, StringComparison.Ordinal);
        Assert.Contains(text, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_damaged_database_says_how_to_get_it_back()
    {
        File.WriteAllBytes(_folder["catalogue.db"], [.. Enumerable.Repeat((byte)'x', 4096)]);

        var exception = Assert.Throws<ArchiveException>(() => new Catalogue(_folder.Database));

        Assert.Equal(
            $"The catalogue {_folder["catalogue.db"]} is damaged. 'recordings reindex' moves it aside and builds another: the folders hold everything.",
            exception.Message);
    }

    [Fact]
    public void A_damaged_row_names_itself_and_the_remedy()
    {
        var catalogue = Filled();
        Execute("UPDATE recordings SET json = '{' WHERE id = 'session-3'");

        var exception = Assert.Throws<ArchiveException>(() => catalogue.List(new RecordingFilter()));

        Assert.StartsWith($"The row of 'session-3' in the catalogue {_folder["catalogue.db"]} is not a recording's JSON", exception.Message, StringComparison.Ordinal);
        Assert.EndsWith("run 'recordings reindex'.", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_native_library_is_of_this_decade()
    {
        var version = Version.Parse(new Catalogue(_folder.Database).SqliteVersion());

        // 3.35 is what the package brings; where the system has its own, that one is later.
        Assert.True(version >= new Version(3, 35), $"SQLite {version}");
        if (File.Exists("/lib/x86_64-linux-gnu/libsqlite3.so.0")) Assert.True(version > new Version(3, 35, 5), $"SQLite {version}");
    }

    private static StoredRecording Stored(RecordingDocument document) => new("folder-of-" + document.Id, document, null);

    private Catalogue Filled()
    {
        var catalogue = new Catalogue(_folder.Database);
        catalogue.Upsert(Enumerable.Range(0, 5).Select(i => Stored(TemporaryFolder.Document($"session-{i}", start: TemporaryFolder.Start.AddHours(i)) with
        {
            Participants = [new Participant($"sip:bob{i}@example.com", "Müller, B.")],
            Streams = [new RecordedStream { Participants = [new Participant(null, $"Alice{i}")] }],
        })));
        return catalogue;
    }

    private void Execute(string sql)
    {
        using var connection = new SqliteConnection(_folder.Database);
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
