using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace SipNat.Bench.Verification;

/// <summary>One stream held against its recording. All counts are samples of 1/8000 s.</summary>
public sealed record ComparisonResult(string Label, string File, int RecordedSamples, IReadOnlyList<RunResult> Runs)
{
    /// <summary>Silence before the first run.</summary>
    public int LeadingSamples { get; init; }

    /// <summary>What follows the last sample sent.</summary>
    public int TrailingSamples { get; init; }

    /// <summary>Samples outside every run that are not silence.</summary>
    public int NoiseSamples { get; init; }

    /// <summary>Every sample sent stands in the file, in order, and all else is silence.</summary>
    public bool IsExact => Runs.Count > 0 && NoiseSamples == 0 && Runs.All(run => run.Wrong == 0);

    public static string ToJson(IReadOnlyList<ComparisonResult> results) =>
        JsonSerializer.Serialize(results, ComparisonJson.Default.IReadOnlyListComparisonResult);

    public override string ToString()
    {
        var text = new StringBuilder($"stream {Label}, {File}: ");
        text.Append(IsExact ? "exact" : "DIFFERENT").Append($", {RecordedSamples} samples");
        text.Append($", {LeadingSamples} before and {TrailingSamples} after the audio");
        if (NoiseSamples > 0) text.Append($", {NoiseSamples} that nobody sent");
        foreach (var run in Runs)
        {
            text.Append($"\n  {run.Samples} sent, found at {run.At}");
            if (run.Shift != 0) text.Append($" ({run.Shift:+#;-#} from RTP time)");
            text.Append(run.Wrong == 0 ? ", all equal" : $", {run.Wrong} wrong, the first at {run.FirstWrong}");
        }

        return text.ToString();
    }
}

/// <summary>One run: how many samples, where it was found, how far that is from its RTP time since the first run, how many differ.</summary>
public sealed record RunResult(int Samples, int At, int Shift, int Wrong, int? FirstWrong);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(IReadOnlyList<ComparisonResult>))]
internal sealed partial class ComparisonJson : JsonSerializerContext;
