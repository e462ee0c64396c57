using System.Text.Json;
using System.Text.Json.Serialization;
using SipNat.Traversal.Discovery;

namespace SipNat.Server.Commands;

/// <summary>What <c>plan --json</c> prints.</summary>
internal static class PlanJson
{
    public static void Print(TextWriter output, Plan plan)
    {
        var report = new PlanReport(
            Side(plan.Left),
            Side(plan.Right),
            [.. plan.Prediction.Paths.Select(path => new PlanPath(Word(path.Kind), Word(path.ToLeft), Word(path.ToRight), Word(path.First)))],
            new(plan.Prediction.LeftMayCall, plan.Prediction.RightMayCall),
            $"{PlanText.Calls(plan)} {PlanText.Media(plan)}");
        output.WriteLine(JsonSerializer.Serialize(report, PlanJsonContext.Default.PlanReport));
    }

    private static PlanSide Side(PathSide side) => new(
        side.Nat.ClassicName, side.Nat.Mapping.Word, side.Nat.Filtering.Word, side.Nat.IsUdpBlocked ? "blocked" : "open", side.HasForward, side.HasTurn);

    private static string Word<T>(T value)
        where T : struct, Enum => JsonNamingPolicy.KebabCaseLower.ConvertName(value.ToString());
}

internal sealed record PlanReport(PlanSide Left, PlanSide Right, IReadOnlyList<PlanPath> Paths, PlanCalls Calls, string Advice)
{
    [JsonPropertyOrder(-1)]
    public int Schema => 1;
}

/// <param name="Nat">The classic name; null for a combination that has none.</param>
internal sealed record PlanSide(string? Nat, string Mapping, string Filtering, string Udp, bool Forward, bool Turn);

/// <param name="Kind">direct, forward, reflexive, latching, hole-punching or relay.</param>
/// <param name="ToLeft">own, forwarded, reflexive, learned or relayed.</param>
/// <param name="First">either, left, right or both.</param>
internal sealed record PlanPath(string Kind, string ToLeft, string ToRight, string First);

internal sealed record PlanCalls(bool LeftToRight, bool RightToLeft);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(PlanReport))]
internal sealed partial class PlanJsonContext : JsonSerializerContext;
