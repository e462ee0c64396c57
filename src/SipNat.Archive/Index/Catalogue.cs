using System.Text;
using Dapper;
using Microsoft.Data.Sqlite;
using SipNat.Archive.Documents;
using SipNat.Archive.Storage;

namespace SipNat.Archive.Index;

/// <summary>
/// The list of all recordings, in SQLite. It holds nothing that the folders do not hold: <see cref="Reindexer"/>
/// builds it from them. Any number of threads and processes may use it at the same time.
/// </summary>
/// <remarks>Members throw <see cref="ArchiveException"/> when the database cannot be used.</remarks>
public sealed class Catalogue
{
    // How long a writer waits for one of another process before it gives up.
    private const int BusySeconds = 30;

    // How long a start waits, with calls at the door.
    private const int ProbeSeconds = 2;

    /// <summary>Recordings of a page of a list.</summary>
    public const int PageSize = 100;

    private const string Columns = "id AS Id, folder AS Folder, json AS Json";
    private readonly string _connectionString;
    private readonly string _path;

    /// <summary>Opens the catalogue, and makes it and its folder where they are not there.</summary>
    /// <param name="connectionString">Such as <c>Data Source=data/catalogue.db</c>.</param>
    public Catalogue(string connectionString)
        : this(connectionString, openNow: true)
    {
    }

    /// <param name="openNow">
    /// Whether the database is touched at once: whoever can go on without it does so with its first use.
    /// </param>
    internal Catalogue(string connectionString, bool openNow)
    {
        var settings = Parse(connectionString);
        _path = Path.GetFullPath(settings.DataSource);
        _connectionString = settings.ToString();
        if (openNow) Run(static _ => 0);
    }

    /// <summary>Whether it can be written to; what keeps it from that where it cannot.</summary>
    internal CatalogueState Inspect()
    {
        try
        {
            return Run(static connection => IsSound(connection) ? CatalogueState.Usable : CatalogueState.Damaged, ProbeSeconds);
        }
        catch (ArchiveException exception)
        {
            if (IsDamage(exception)) return CatalogueState.Damaged;
            if (exception.InnerException is SqliteException or IOException or UnauthorizedAccessException) return CatalogueState.Unusable;

            throw;
        }
    }

    /// <summary>Whether an error says that the file is damaged, and not only locked or out of reach.</summary>
    internal static bool IsDamage(ArchiveException exception) =>
        exception.InnerException is SqliteException { SqliteErrorCode: SQLitePCL.raw.SQLITE_CORRUPT or SQLitePCL.raw.SQLITE_NOTADB };

    /// <summary>Renames the database with its logs, so that the next use begins an empty one; the name that it has then.</summary>
    internal string MoveAside(DateTimeOffset now)
    {
        var aside = $"{_path}.damaged-{now.UtcDateTime:yyyyMMdd'T'HHmmssfff}";
        try
        {
            SqliteConnection.ClearAllPools();
            foreach (var suffix in (string[])["", "-wal", "-shm"])
            {
                if (File.Exists(_path + suffix)) File.Move(_path + suffix, aside + suffix);
            }

            return aside;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new ArchiveException($"The damaged catalogue {_path} cannot be moved aside: {exception.Message}", exception);
        }
    }

    public void Upsert(StoredRecording recording) => Upsert([recording]);

    /// <summary>Adds or replaces rows in one transaction; recordings without a document are passed over.</summary>
    /// <param name="recordings">
    /// Enumerated inside the transaction, while no other process can write: a document that is read here cannot be
    /// older than the row that it replaces.
    /// </param>
    public void Upsert(IEnumerable<StoredRecording> recordings) => Run(connection =>
    {
        using var transaction = connection.BeginTransaction(deferred: false);
        using var upsert = new RowUpsert(connection, transaction);
        foreach (var recording in recordings)
        {
            if (recording.Document is { } document) upsert.Run(recording.Folder, document);
        }

        transaction.Commit();
        return 0;
    });

    public CatalogueEntry? Find(string id) => Run(connection => connection.QuerySingleOrDefault<CatalogueEntry>(
        $"SELECT {Columns} FROM recordings WHERE id = @id", new { id }));

    /// <summary>The recordings that match, newest first, without metadata and timeline.</summary>
    public IReadOnlyList<RecordingDocument> List(RecordingFilter filter) => [.. Pages(filter).SelectMany(page => page)];

    /// <summary>
    /// The same in pages of <see cref="PageSize"/>, each read when it is asked for: a long list is never in memory as a whole,
    /// and no transaction is open while somebody takes his time with it.
    /// </summary>
    public IEnumerable<IReadOnlyList<RecordingDocument>> Pages(RecordingFilter filter)
    {
        var last = default(ListedEntry);
        for (var left = Math.Clamp(filter.Limit, 1, RecordingFilter.MaxLimit); left > 0; left -= PageSize)
        {
            var entries = PageOf(filter, last, Math.Min(left, PageSize));
            yield return [.. entries.Select(entry => Read(entry.Id, entry.Json))];
            if (entries.Count < PageSize) yield break;

            last = entries[^1];
        }
    }

    private List<ListedEntry> PageOf(RecordingFilter filter, ListedEntry? last, int limit) => Run(connection => connection.Query<ListedEntry>(
        """
        SELECT id AS Id, json AS Json, started_at AS StartedAt FROM recordings
        WHERE (@since IS NULL OR started_at >= @since) AND (@until IS NULL OR started_at < @until)
            AND (@party IS NULL OR instr(parties, @party) > 0)
            AND (@lastStart IS NULL OR (started_at, id) < (@lastStart, @lastId))
        ORDER BY started_at DESC, id DESC LIMIT @limit
        """,
        new
        {
            since = filter.Since?.ToUnixTimeMilliseconds(),
            until = filter.Until?.ToUnixTimeMilliseconds(),
            party = filter.Party?.ToLowerInvariant(),
            lastStart = last?.StartedAt,
            lastId = last?.Id,
            limit,
        }).AsList());

    /// <summary>The recordings that run by their last known state.</summary>
    public IReadOnlyList<CatalogueEntry> Running() => Run(connection => connection.Query<CatalogueEntry>(
        $"SELECT {Columns} FROM recordings WHERE state IN ('recording', 'paused') ORDER BY started_at, id").AsList());

    /// <summary>Rows in the order of their ids, for a walk over all of them.</summary>
    /// <param name="after">The last id of the page before; empty for the first page.</param>
    public IReadOnlyList<CatalogueEntry> Page(string after, int limit) => Run(connection => connection.Query<CatalogueEntry>(
        $"SELECT {Columns} FROM recordings WHERE id > @after ORDER BY id LIMIT @limit", new { after, limit }).AsList());

    /// <summary>When the newest recording began; null when there is none.</summary>
    public DateTimeOffset? NewestStart() =>
        Run(connection => connection.ExecuteScalar<long?>("SELECT max(started_at) FROM recordings")) is { } milliseconds
            ? DateTimeOffset.FromUnixTimeMilliseconds(milliseconds)
            : null;

    /// <summary>Removes a row, and says whether there was one.</summary>
    public bool Delete(string id) => Run(connection => connection.Execute("DELETE FROM recordings WHERE id = @id", new { id })) > 0;

    /// <summary>The version of the native library in use, such as 3.40.1.</summary>
    public string SqliteVersion() => Run(connection => connection.ExecuteScalar<string>("SELECT sqlite_version()")) ?? "";

    private static SqliteConnectionStringBuilder Parse(string connectionString)
    {
        if (connectionString.StartsWith("Host=", StringComparison.OrdinalIgnoreCase))
        {
            throw new ArchiveException("Recording:Database names a PostgreSQL server, which this version cannot use: give \"Data Source=FILE\".");
        }

        try
        {
            var settings = new SqliteConnectionStringBuilder(connectionString) { DefaultTimeout = BusySeconds };
            return settings.DataSource is not ("" or ":memory:")
                ? settings
                : throw new ArchiveException("Recording:Database has to name a file: \"Data Source=FILE\".");
        }
        catch (ArgumentException exception)
        {
            throw new ArchiveException($"Recording:Database is not a connection string: {exception.Message}", exception);
        }
    }

    /// <summary>What a row's JSON has to be.</summary>
    internal static string SummaryOf(RecordingDocument document) => Encoding.UTF8.GetString(RecordingJson.Write(document.ToSummary()));

    private RecordingDocument Read(string id, string json) =>
        RecordingJson.TryRead(Encoding.UTF8.GetBytes(json), out var document, out var defect)
            ? document
            : throw new ArchiveException($"The row of '{id}' in the catalogue {_path} is {defect}: run 'recordings reindex'.");

    private static void CreateFolder(string path)
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path) ?? path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new ArchiveException($"The folder of the catalogue {path} cannot be made: {exception.Message}", exception);
        }
    }

    // Immediate: a database that can be read and not written is of no use to a recorder.
    private static bool IsSound(SqliteConnection connection)
    {
        using (connection.BeginTransaction(deferred: false))
        {
            return connection.ExecuteScalar<string>("PRAGMA quick_check(1)") is "ok";
        }
    }

    private T Run<T>(Func<SqliteConnection, T> work, int busySeconds = BusySeconds)
    {
        CreateFolder(_path);
        var connection = new SqliteConnection(_connectionString);
        try
        {
            connection.DefaultTimeout = busySeconds;
            connection.Open();

            // In WAL mode NORMAL can lose the last transactions in a power cut, which the folders bring back.
            connection.Execute("PRAGMA synchronous = NORMAL");
            CatalogueSchema.Migrate(connection);
            return work(connection);
        }
        catch (SqliteException exception)
        {
            // A connection of the pool may have the file that another process has moved away.
            SqliteConnection.ClearPool(connection);
            throw new ArchiveException(Explain(exception, busySeconds), exception);
        }
        finally
        {
            Close(connection);
        }
    }

    // A full disk ends a transaction by itself, and the end of its connection then fails to end it once more.
    private static void Close(SqliteConnection connection)
    {
        try
        {
            connection.Dispose();
        }
        catch (SqliteException)
        {
            SqliteConnection.ClearPool(connection);
        }
    }

    private string Explain(SqliteException exception, int busySeconds) => exception.SqliteErrorCode switch
    {
        SQLitePCL.raw.SQLITE_CORRUPT or SQLitePCL.raw.SQLITE_NOTADB =>
            $"The catalogue {_path} is damaged. 'recordings reindex' moves it aside and builds another: the folders hold everything.",
        SQLitePCL.raw.SQLITE_BUSY or SQLitePCL.raw.SQLITE_LOCKED =>
            $"The catalogue {_path} was locked by another process for more than {busySeconds} s.",
        _ => $"The catalogue {_path} cannot be used: {exception.Message}",
    };

    private sealed record ListedEntry(string Id, string Json, long StartedAt);
}

/// <summary>What can be done with a catalogue.</summary>
internal enum CatalogueState
{
    Usable,

    /// <summary>Its content is broken.</summary>
    Damaged,

    /// <summary>Locked, out of reach or on a disk that is full: it may be better later.</summary>
    Unusable,
}
