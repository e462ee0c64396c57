using System.Text;

namespace SipNat.Fuzz.Engine;

/// <summary>
/// The folder of seeds: <c>sip/*.dat</c>, <c>siprec/*.txt</c> and, for each target, <c>fuzz/NAME/*</c>; beside it
/// <c>data/stun/*.hex</c>. What is not there is no error: a target has seeds of its own too.
/// </summary>
public sealed class Corpus(string root)
{
    public string Root { get; } = root;

    /// <summary>The corpora of the repository that the program runs in, or those copied beside it; null where there are none.</summary>
    public static Corpus? Find()
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            foreach (var place in (string[])["corpora", "tests/corpora"])
            {
                if (Directory.Exists(Path.Combine(folder, place))) return new(Path.Combine(folder, place));
            }
        }

        return null;
    }

    /// <summary>Files of one folder below the root, by name.</summary>
    public IEnumerable<byte[]> Files(string folder, string pattern = "*")
    {
        var path = Path.Combine(Root, folder);
        return Directory.Exists(path)
            ? Directory.GetFiles(path, pattern).Order(StringComparer.Ordinal).Select(File.ReadAllBytes)
            : [];
    }

    /// <summary>Each body of a recording client: the values of Content-Type and Content-Disposition, and the body with CRLF.</summary>
    public IEnumerable<(string Type, string Disposition, byte[] Body)> SiprecBodies()
    {
        foreach (var file in Files("siprec", "*.txt"))
        {
            var text = Encoding.UTF8.GetString(file).ReplaceLineEndings("\n");
            var blank = text.IndexOf("\n\n", StringComparison.Ordinal);
            if (blank < 0) continue;

            var headers = text[..blank].Replace("\n ", " ", StringComparison.Ordinal).Split('\n');
            yield return (Value(headers, "Content-Type: "), Value(headers, "Content-Disposition: "), Encoding.UTF8.GetBytes(text[(blank + 2)..].ReplaceLineEndings("\r\n")));
        }
    }

    /// <summary>The STUN messages of the RFCs, which are kept as hexadecimal digits with comment lines.</summary>
    public IEnumerable<byte[]> StunMessages()
    {
        var folder = Path.Combine(Root, "..", "data", "stun");
        if (!Directory.Exists(folder)) yield break;

        foreach (var path in Directory.GetFiles(folder, "*.hex").Order(StringComparer.Ordinal))
        {
            var digits = File.ReadLines(path).Where(line => !line.StartsWith('#')).SelectMany(line => line.Where(char.IsAsciiHexDigit));
            yield return Convert.FromHexString(string.Concat(digits));
        }
    }

    private static string Value(string[] headers, string prefix) =>
        headers.FirstOrDefault(h => h.StartsWith(prefix, StringComparison.OrdinalIgnoreCase))?[prefix.Length..] ?? string.Empty;
}
