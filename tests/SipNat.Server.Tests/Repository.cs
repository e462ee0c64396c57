namespace SipNat.Server.Tests;

/// <summary>Where the sources and the built programs are.</summary>
internal static class Repository
{
    public static string Root { get; } = Find();

    /// <summary>The server as it was built in the same configuration as this test.</summary>
    public static string ServerProgram { get; } = Path.Combine(
        Root, "src", "SipNat.Server", "bin", new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name, "net10.0", "sipnat.dll");

    private static string Find()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "SipNat.sln"))) folder = Path.GetDirectoryName(folder)!;
        return folder;
    }
}
