using Microsoft.Data.Sqlite;
using SipNat.Archive.Documents;

namespace SipNat.Archive.Index;

/// <summary>The statement that adds or replaces a row, prepared once for all rows of a transaction.</summary>
internal sealed class RowUpsert : IDisposable
{
    private const string Text =
        """
        INSERT INTO recordings (id, folder, state, started_at, ended_at, call_id, remote, parties, json)
        VALUES (@id, @folder, @state, @started_at, @ended_at, @call_id, @remote, @parties, @json)
        ON CONFLICT (id) DO UPDATE SET folder = excluded.folder, state = excluded.state, started_at = excluded.started_at,
            ended_at = excluded.ended_at, call_id = excluded.call_id, remote = excluded.remote,
            parties = excluded.parties, json = excluded.json
        """;

    private static readonly string[] Names = ["@id", "@folder", "@state", "@started_at", "@ended_at", "@call_id", "@remote", "@parties", "@json"];

    private readonly SqliteCommand _command;

    public RowUpsert(SqliteConnection connection, SqliteTransaction transaction)
    {
        _command = connection.CreateCommand();
        (_command.CommandText, _command.Transaction) = (Text, transaction);
        foreach (var name in Names) _command.Parameters.Add(new SqliteParameter(name, null));
    }

    public void Run(string folder, RecordingDocument document)
    {
        object?[] values =
        [
            document.Id, folder, NameOf(document.State), document.StartedAt.ToUnixTimeMilliseconds(), document.EndedAt?.ToUnixTimeMilliseconds(),
            document.CallId, document.Remote, PartiesOf(document), Catalogue.SummaryOf(document),
        ];
        for (var i = 0; i < values.Length; i++) _command.Parameters[i].Value = values[i] ?? DBNull.Value;
        _command.ExecuteNonQuery();
    }

    public void Dispose() => _command.Dispose();

    private static string NameOf(RecordingState state) => state switch
    {
        RecordingState.Recording => "recording",
        RecordingState.Paused => "paused",
        RecordingState.Complete => "complete",
        RecordingState.Interrupted => "interrupted",
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    private static string PartiesOf(RecordingDocument document)
    {
        var names = document.Participants.Concat(document.Streams.SelectMany(stream => stream.Participants))
            .SelectMany(participant => new[] { participant.Aor, participant.Name })
            .OfType<string>()
            .Select(name => name.ToLowerInvariant())
            .Distinct(StringComparer.Ordinal);
        return string.Join('\n', names);
    }
}
