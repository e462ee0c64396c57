namespace SipNat.Server.Options;

/// <summary>Finds the known key that an unknown one was most likely meant to be.</summary>
internal static class NearestKey
{
    // Keys come from files and the environment: the work is bounded, whatever they hold.
    private const int MaxLength = 100;
    private const int MinWord = 4;

    public static string Explain(string key, IEnumerable<string> known)
    {
        var nearest = Find(key, known);
        return nearest is null
            ? "is not a known key; docs/configuration.md lists them all."
            : $"is not a known key; the nearest known one is {nearest}.";
    }

    /// <summary>The nearest key, ignoring case; null where none is near.</summary>
    public static string? Find(string key, IEnumerable<string> known)
    {
        if (key.Length > MaxLength) return null;

        var folded = Fold(key);
        var nearest = known.MinBy(candidate => (Score(folded, Fold(candidate)), Distance(folded, Fold(candidate))));
        return nearest is not null && Score(folded, Fold(nearest)) <= Math.Max(3, key.Length / 2) ? nearest : null;
    }

    /// <summary>Insertions, deletions and substitutions between two texts (Levenshtein).</summary>
    public static int Distance(ReadOnlySpan<char> left, ReadOnlySpan<char> right)
    {
        var row = new int[right.Length + 1];
        for (var j = 0; j < row.Length; j++) row[j] = j;

        for (var i = 0; i < left.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i + 1;
            for (var j = 0; j < right.Length; j++)
            {
                var substituted = diagonal + (left[i] == right[j] ? 0 : 1);
                diagonal = row[j + 1];
                row[j + 1] = Math.Min(substituted, Math.Min(diagonal, row[j]) + 1);
            }
        }

        return row[^1];
    }

    // Edits, or few where a whole word of the name is there: a forgotten section costs many letters and is one mistake.
    private static int Score(string key, string candidate)
    {
        var word = key[(key.LastIndexOf(':') + 1)..];
        var holdsWord = word.Length >= MinWord && candidate[(candidate.LastIndexOf(':') + 1)..].Contains(word, StringComparison.Ordinal);
        return Math.Min(Distance(key, candidate), holdsWord ? 2 : int.MaxValue);
    }

    // The number of an entry says nothing about which list was meant.
    private static string Fold(string key)
    {
        var parts = key.ToUpperInvariant().Split(':');
        for (var i = 0; i < parts.Length; i++)
        {
            if (parts[i].Length > 0 && parts[i].All(char.IsAsciiDigit)) parts[i] = "N";
        }

        return string.Join(':', parts);
    }
}
