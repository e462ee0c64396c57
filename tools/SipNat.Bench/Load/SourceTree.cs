namespace SipNat.Bench.Load;

/// <summary>The tree that this program was built from.</summary>
internal static class SourceTree
{
    /// <exception cref="InvalidDataException">The program stands outside of its tree.</exception>
    public static string PathOf(params string[] parts)
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "SipNat.sln"))) return Path.Combine([folder.FullName, .. parts]);
        }

        throw new InvalidDataException("This program stands outside of its source tree; run it from there.");
    }
}
