using Microsoft.Data.Sqlite;

namespace SipNat.Server.Options;

/// <summary>The connection string of the catalogue, with the path of its file made absolute.</summary>
internal static class CatalogueConnection
{
    public static Parsed<string> Parse(string text, Func<string, string> rooted)
    {
        const string Right = "must be a SQLite connection string such as Data Source=data/catalogue.db.";
        if (text.TrimStart().StartsWith("Host=", StringComparison.OrdinalIgnoreCase))
        {
            return Parsed.Not<string>($"PostgreSQL is not available in this version: {Right}");
        }

        try
        {
            var connection = new SqliteConnectionStringBuilder(text);
            var file = connection.DataSource;
            if (file.Length == 0 || file.StartsWith(':') || connection.Mode is SqliteOpenMode.Memory) return Parsed.Not<string>(Right);

            connection.DataSource = rooted(file);
            return connection.ToString();
        }
        catch (Exception error) when (error is ArgumentException or FormatException or InvalidCastException)
        {
            return Parsed.Not<string>(Right);
        }
    }
}
