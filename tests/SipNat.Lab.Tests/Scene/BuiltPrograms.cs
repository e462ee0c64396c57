namespace SipNat.Lab.Tests.Scene;

/// <summary>Where the programs under test were built, seen from this assembly's own folder.</summary>
internal static class BuiltPrograms
{
    /// <summary>The client's program, copied beside the tests.</summary>
    public static string Bench => Existing(Path.Combine(AppContext.BaseDirectory, "SipNat.Bench.dll"));

    /// <summary>The recorder's program in its own output folder, of the same configuration as the tests.</summary>
    public static string Server => Existing(Path.Combine(Root, "src", "SipNat.Server", "bin", Configuration, "net10.0", "sipnat.dll"));

    public static string Sipp(string scenario) => Existing(Path.Combine(AppContext.BaseDirectory, "sipp", scenario));

    // The tests stand in tests/SipNat.Lab.Tests/bin/CONFIGURATION/net10.0.
    private static string Root => Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "..", "..", "..", "..", ".."));

    private static string Configuration => new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;

    private static string Existing(string path) =>
        File.Exists(path) ? path : throw new FileNotFoundException($"{path} is not built; build the whole solution first.");
}
