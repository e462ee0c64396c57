using System.Text.Json;
using SipNat.NatLab.Topology;

namespace SipNat.NatLab.Repeat;

/// <summary>One NAT, what <c>sipnat nat</c> is asked about it, and what is right.</summary>
/// <param name="Name">As the table and <c>--case</c> have it.</param>
/// <param name="Topology">What is built; the loss is added.</param>
/// <param name="Arguments">Beside the STUN servers and <c>--json</c>.</param>
/// <param name="Facts">What has to be said of it; all of them.</param>
internal sealed record RepeatCase(string Name, TopologyOptions Topology, IReadOnlyList<string> Arguments, IReadOnlyList<RepeatFact> Facts)
{
    /// <summary>Whether Kamailio has to answer.</summary>
    public bool HasSip => Arguments.Contains("--sip", StringComparer.Ordinal);

    /// <summary>How often the verdict may be missing in twenty runs.</summary>
    public int AllowedInconclusive { get; init; } = 1;

    /// <summary>How long a run takes about, so that long ones begin first.</summary>
    public TimeSpan Duration { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Whether what was measured is right; and what is not, in words.</summary>
    public (RepeatOutcome Outcome, IReadOnlyList<string> Objections) Judge(JsonElement report)
    {
        var judged = Facts.Select(fact => (fact, Outcome: fact.Judge(report))).Where(pair => pair.Outcome is not RepeatOutcome.Right).ToList();
        var outcome = judged.Exists(pair => pair.Outcome is RepeatOutcome.Wrong) ? RepeatOutcome.Wrong
            : judged.Count > 0 ? RepeatOutcome.Inconclusive
            : RepeatOutcome.Right;
        return (outcome, [.. judged.Select(pair => $"{pair.fact.Path} {RepeatFact.Find(report, pair.fact.Path)}, not {pair.fact.Expected}")]);
    }
}

/// <summary>What a verdict is worth.</summary>
internal enum RepeatOutcome
{
    Right,

    /// <summary>It said that it does not know.</summary>
    Inconclusive,
    Wrong,

    /// <summary>There was no report, or the laboratory could not be built.</summary>
    Failed,
}

/// <summary>What the report has to say in one place.</summary>
/// <param name="Path">Names from the root, with dots between.</param>
/// <param name="Expected">A word, true or false, or a number, which is right within a fifth.</param>
internal sealed record RepeatFact(string Path, object Expected)
{
    private const double Tolerance = 0.2;

    public static JsonElement Find(JsonElement report, string path) =>
        path.Split('.').Aggregate(report, static (element, name) => element.ValueKind is JsonValueKind.Object && element.TryGetProperty(name, out var child) ? child : default);

    public RepeatOutcome Judge(JsonElement report)
    {
        var found = Find(report, Path);
        if (found.ValueKind is JsonValueKind.Null or JsonValueKind.Undefined) return RepeatOutcome.Inconclusive;
        if (found.ValueKind is JsonValueKind.String && found.GetString() == "inconclusive") return RepeatOutcome.Inconclusive;

        var isRight = (Expected, found.ValueKind) switch
        {
            (string word, JsonValueKind.String) => found.GetString() == word,
            (bool flag, JsonValueKind.True or JsonValueKind.False) => found.GetBoolean() == flag,
            (int number, JsonValueKind.Number) => found.GetDouble() == number,
            (TimeSpan span, JsonValueKind.Number) => Math.Abs(found.GetDouble() - span.TotalSeconds) <= Tolerance * span.TotalSeconds,
            _ => false,
        };
        return isRight ? RepeatOutcome.Right : RepeatOutcome.Wrong;
    }
}
