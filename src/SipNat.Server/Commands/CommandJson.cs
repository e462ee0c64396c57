using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using SipNat.Archive.Export;
using SipNat.Archive.Index;
using SipNat.Archive.Storage;

namespace SipNat.Server.Commands;

/// <summary>What the commands print with <c>--json</c>: one document on one line.</summary>
internal static class CommandJson
{
    public static void Print(TextWriter output, byte[] utf8) => output.WriteLine(Encoding.UTF8.GetString(utf8));

    public static void Print(TextWriter output, ExportResult result) => output.WriteLine(JsonSerializer.Serialize(
        new ExportReport([.. result.Files.Select(file => new ExportReportFile(file.Path, file.Labels, file.Seconds))], result.OmittedStreams, result.Kept),
        CommandJsonContext.Default.ExportReport));

    public static void Print(TextWriter output, IReadOnlyList<RecordingProblem> problems) =>
        output.WriteLine(JsonSerializer.Serialize(new VerifyReport(Rows(problems)), CommandJsonContext.Default.VerifyReport));

    public static void Print(TextWriter output, ReindexResult result) => output.WriteLine(JsonSerializer.Serialize(
        new ReindexReport(result.Indexed, result.Recovered, result.Removed, result.ProblemCount, Rows(result.Problems)),
        CommandJsonContext.Default.ReindexReport));

    public static void PrintDeleted(TextWriter output, string id) =>
        output.WriteLine(JsonSerializer.Serialize(new DeleteReport(id, true), CommandJsonContext.Default.DeleteReport));

    public static void PrintReady(TextWriter output, IReadOnlyList<string> listeners, string http) =>
        output.WriteLine(JsonSerializer.Serialize(new ReadyReport(listeners, http), CommandJsonContext.Default.ReadyReport));

    private static IReadOnlyList<ProblemRow> Rows(IReadOnlyList<RecordingProblem> problems) =>
        [.. problems.Select(problem => new ProblemRow(problem.Id, problem.Folder, problem.Kind, problem.Text))];
}

/// <summary>The first line of <c>serve --json</c>.</summary>
internal sealed record ReadyReport(IReadOnlyList<string> Listeners, string Http)
{
    [JsonPropertyOrder(-2)]
    public string Event => "ready";

    [JsonPropertyOrder(-1)]
    public int Schema => 1;
}

internal sealed record ExportReport(IReadOnlyList<ExportReportFile> Files, int OmittedStreams, IReadOnlyList<KeptPackets> Kept)
{
    [JsonPropertyOrder(-1)]
    public int Schema => 1;
}

internal sealed record ExportReportFile(string File, IReadOnlyList<string?> Labels, double DurationSeconds);

internal sealed record VerifyReport(IReadOnlyList<ProblemRow> Problems)
{
    [JsonPropertyOrder(-1)]
    public int Schema => 1;
}

internal sealed record ReindexReport(int Indexed, int Recovered, int Removed, int ProblemCount, IReadOnlyList<ProblemRow> Problems)
{
    [JsonPropertyOrder(-1)]
    public int Schema => 1;
}

internal sealed record DeleteReport(string Id, bool Deleted)
{
    [JsonPropertyOrder(-1)]
    public int Schema => 1;
}

internal sealed record ProblemRow(string Id, string Folder, RecordingProblemKind Kind, string Text);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
[JsonSerializable(typeof(ReadyReport))]
[JsonSerializable(typeof(ExportReport))]
[JsonSerializable(typeof(VerifyReport))]
[JsonSerializable(typeof(ReindexReport))]
[JsonSerializable(typeof(DeleteReport))]
internal sealed partial class CommandJsonContext : JsonSerializerContext;
