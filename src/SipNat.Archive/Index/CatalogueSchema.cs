using Dapper;
using Microsoft.Data.Sqlite;

namespace SipNat.Archive.Index;

/// <summary>The tables of the catalogue, as steps from each version to the next. A step is never changed, only added.</summary>
internal static class CatalogueSchema
{
    // Times are milliseconds since 1970 UTC. parties holds addresses and names in lower case, one in a line.
    private static readonly string[] Migrations =
    [
        """
        CREATE TABLE recordings (
            id         TEXT    NOT NULL PRIMARY KEY,
            folder     TEXT    NOT NULL,
            state      TEXT    NOT NULL,
            started_at INTEGER NOT NULL,
            ended_at   INTEGER,
            call_id    TEXT,
            remote     TEXT,
            parties    TEXT    NOT NULL,
            json       TEXT    NOT NULL
        );
        CREATE INDEX recordings_by_start ON recordings (started_at, id);
        CREATE INDEX recordings_running ON recordings (state) WHERE state IN ('recording', 'paused');
        """,
    ];

    /// <summary>The version that this program reads and writes.</summary>
    public static int Current => Migrations.Length;

    /// <summary>Brings a database to <see cref="Current"/>; several processes may do so at once.</summary>
    /// <exception cref="ArchiveException">A later version of this program has written it.</exception>
    public static void Migrate(SqliteConnection connection)
    {
        if (VersionOf(connection) == Current) return;

        // WAL stays with the file: readers and one writer do not wait for each other.
        connection.Execute("PRAGMA journal_mode = WAL");
        using var transaction = connection.BeginTransaction(deferred: false);
        var version = VersionOf(connection);
        if (version > Current)
        {
            throw new ArchiveException(
                $"The catalogue {connection.DataSource} has version {version}, and this program knows up to {Current}: a later version has written it.");
        }

        for (; version < Current; version++) connection.Execute(Migrations[version], transaction: transaction);
        connection.Execute($"PRAGMA user_version = {Current}", transaction: transaction);
        transaction.Commit();
    }

    private static int VersionOf(SqliteConnection connection) => connection.ExecuteScalar<int>("PRAGMA user_version");
}
