using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace SipNat.Tests;

/// <summary>Holds the arrows between the assemblies, and that the pure ones stay pure.</summary>
public sealed partial class ArchitectureTests
{
    private static readonly string[] PureAssemblies = ["SipNat.Endpoint", "SipNat.Media", "SipNat.Sip", "SipNat.Traversal", "SipNat.Wire"];

    // Who may know whom. An arrow that is not here is a decision to be taken, not an accident.
    private static readonly SortedDictionary<string, string[]> Allowed = new(StringComparer.Ordinal)
    {
        ["SipNat.Archive"] = ["SipNat.Media", "SipNat.Wire"],
        ["SipNat.Endpoint"] = ["SipNat.Media", "SipNat.Sip", "SipNat.Traversal", "SipNat.Wire"],
        ["SipNat.Media"] = ["SipNat.Wire"],
        ["SipNat.Server"] = ["SipNat.Archive", "SipNat.Endpoint", "SipNat.Media", "SipNat.Sip", "SipNat.Traversal", "SipNat.Wire"],
        ["SipNat.Sip"] = ["SipNat.Wire"],
        ["SipNat.Traversal"] = ["SipNat.Wire"],
        ["SipNat.Wire"] = [],
    };

    [Fact]
    public void The_assemblies_are_those_that_have_their_arrows() =>
        Assert.Equal(Allowed.Keys, Directory.GetDirectories(Source).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal));

    [Fact]
    public void Project_references_follow_the_arrows() => Assert.Empty(
        from room in Allowed.Keys
        from reference in ProjectOf(room).Descendants("ProjectReference")
        let target = Path.GetFileNameWithoutExtension((string)reference.Attribute("Include")!)
        where !Allowed[room].Contains(target, StringComparer.Ordinal)
        select $"{room} -> {target}");

    [Fact]
    public void Using_lines_follow_the_arrows() => Assert.Empty(
        from room in Allowed.Keys
        from file in FilesOf(room)
        from target in RoomsUsedBy(file)
        where target != room && !Allowed[room].Contains(target, StringComparer.Ordinal)
        select $"{Path.GetRelativePath(Source, file)} -> {target}");

    [Fact]
    public void The_media_plane_knows_neither_calls_nor_sessions() => Assert.Empty(
        from file in FilesBelow(Path.Combine(Source, "SipNat.Endpoint", "Media"))
        where File.ReadLines(file).Any(line => line is "using SipNat.Endpoint.Calls;" or "using SipNat.Endpoint.Sessions;")
        select Path.GetFileName(file));

    [Fact]
    public void Of_the_bench_only_what_measures_pieces_knows_the_recorders_code() => Assert.Empty(
        from file in FilesBelow(Path.Combine(Root, "tools", "SipNat.Bench"))
        where Path.GetFileName(Path.GetDirectoryName(file)) is not ("Readers" or "Stages" or "Simulations")
        from target in RoomsUsedBy(file)
        where Allowed.ContainsKey(target)
        select $"{Path.GetFileName(file)} -> {target}");

    [Fact]
    public void Namespaces_follow_the_folders() => Assert.Empty(
        from room in Allowed.Keys
        from file in FilesOf(room)
        let folder = Path.GetDirectoryName(Path.GetRelativePath(Path.Combine(Source, room), file))!
        let expected = folder.Length == 0 ? room : $"{room}.{folder.Replace(Path.DirectorySeparatorChar, '.')}"
        from Match declared in NamespaceLine().Matches(File.ReadAllText(file))
        where declared.Groups["name"].Value != expected
        select $"{Path.GetRelativePath(Source, file)}: {declared.Groups["name"].Value}");

    [Fact]
    public void Pure_assemblies_have_no_packages_of_their_own() => Assert.Empty(
        from room in PureAssemblies
        from package in ProjectOf(room).Descendants("PackageReference")
        select $"{room} -> {(string?)package.Attribute("Include")}");

    [Fact]
    public void Only_the_edges_know_hosting_and_logging() => Assert.Empty(
        from room in PureAssemblies.Append("SipNat.Archive")
        from file in FilesOf(room)
        where EdgeUsing().IsMatch(File.ReadAllText(file))
        select Path.GetRelativePath(Source, file));

    [Fact]
    public void The_banned_symbols_apply_to_the_pure_assemblies()
    {
        var props = XDocument.Load(Path.Combine(Root, "Directory.Build.props"));
        var condition = (string)props.Descendants("IsPureAssembly").Last().Attribute("Condition")!;

        Assert.Equal(PureAssemblies, ProjectName().Matches(condition).Select(match => match.Value).Order(StringComparer.Ordinal));
        Assert.Single(props.Descendants("PackageReference"), Applies("Microsoft.CodeAnalysis.BannedApiAnalyzers"));
        Assert.Single(props.Descendants("AdditionalFiles"), Applies("$(MSBuildThisFileDirectory)BannedSymbols.txt"));

        static Predicate<XElement> Applies(string include) => element =>
            (string?)element.Attribute("Include") == include && (string?)element.Attribute("Condition") == "'$(IsPureAssembly)' == 'true'";
    }

    [Theory]
    [InlineData("P:System.DateTime.Now", "P:System.DateTime.UtcNow", "P:System.DateTimeOffset.Now", "P:System.DateTimeOffset.UtcNow")]
    [InlineData("T:System.Diagnostics.Stopwatch", "T:System.TimeProvider", "P:System.Environment.TickCount", "P:System.Environment.TickCount64")]
    [InlineData("T:System.Threading.Timer", "T:System.Threading.PeriodicTimer", "T:System.Threading.CancellationTokenSource")]
    [InlineData("T:System.Threading.Tasks.Task", "T:System.Threading.Tasks.Task`1", "T:System.Threading.Thread", "T:System.Threading.ThreadPool")]
    [InlineData("T:System.Net.Sockets.Socket", "T:System.Net.Dns", "T:System.Net.NetworkInformation.NetworkInterface", "T:System.Net.Http.HttpClient")]
    [InlineData("T:System.IO.File", "T:System.Diagnostics.Process", "T:System.Console", "M:System.Environment.GetEnvironmentVariable(System.String)")]
    [InlineData("T:System.Security.Cryptography.RandomNumberGenerator", "M:System.Random.#ctor", "P:System.Random.Shared", "M:System.Guid.NewGuid")]
    public void Clocks_threads_sockets_files_and_ambient_randomness_are_banned(params string[] symbols)
    {
        var banned = File.ReadLines(Path.Combine(Root, "BannedSymbols.txt")).Select(line => line.Split(';')[0]).ToHashSet(StringComparer.Ordinal);

        Assert.All(symbols, symbol => Assert.Contains(symbol, banned));
    }

    private static string Root { get; } = FindRoot();

    private static string Source => Path.Combine(Root, "src");

    private static string FindRoot()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "SipNat.sln")))
        {
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("The tests do not run inside the repository.");
        }

        return folder;
    }

    private static XDocument ProjectOf(string room) => XDocument.Load(Path.Combine(Source, room, $"{room}.csproj"));

    private static IEnumerable<string> FilesOf(string room) => FilesBelow(Path.Combine(Source, room));

    private static IEnumerable<string> FilesBelow(string root) =>
        from file in Directory.EnumerateFiles(root, "*.cs", SearchOption.AllDirectories)
        let folders = Path.GetRelativePath(root, file).Split(Path.DirectorySeparatorChar)
        where folders[0] is not ("bin" or "obj")
        select file;

    private static IEnumerable<string> RoomsUsedBy(string file) =>
        UsingLine().Matches(File.ReadAllText(file)).Select(match => match.Groups["room"].Value).Distinct(StringComparer.Ordinal);

    [GeneratedRegex(@"^\s*(global )?using (static )?(\w+ = )?(global::)?(?<room>SipNat\.\w+)", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex UsingLine();

    [GeneratedRegex(@"^namespace (?<name>[\w.]+)", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex NamespaceLine();

    [GeneratedRegex(@"^\s*(global )?using (Microsoft\.Extensions|Microsoft\.AspNetCore|Serilog|Spectre)\b", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex EdgeUsing();

    [GeneratedRegex(@"SipNat\.\w+")]
    private static partial Regex ProjectName();
}
