using System.Diagnostics;

namespace SipNat.Fuzz.Engine;

/// <summary>An input for which something does not hold.</summary>
/// <param name="Target">The target's name.</param>
/// <param name="Seed">The seed of the run that made it; 0 for a file that was replayed.</param>
/// <param name="Number">Its place among the failures of that run, from 1.</param>
/// <param name="Kind">Equal for failures that have one cause.</param>
/// <param name="Text">What happened, with the stack.</param>
public sealed record FuzzFailure(string Target, int Seed, int Number, string Kind, string Text, byte[] Input)
{
    /// <summary>The name of the file for its input.</summary>
    public string FileName => $"{Target}-{Seed}-{Number}.bin";

    /// <summary>The broken rule, or the exception and the method of ours that it passed first.</summary>
    public static string KindOf(Exception error)
    {
        if (error is BrokenInvariantException broken) return broken.Rule;

        var ours = new StackTrace(error).GetFrames()
            .Select(frame => frame.GetMethod())
            .FirstOrDefault(method => method?.DeclaringType?.Namespace?.StartsWith("SipNat.", StringComparison.Ordinal) is true);
        return $"{error.GetType().Name} in {ours?.DeclaringType?.Name}.{ours?.Name}";
    }
}

/// <summary>What a run comes to.</summary>
/// <param name="Executions">Inputs that were run.</param>
/// <param name="Outcomes">Different outcomes that were seen.</param>
/// <param name="Elapsed">How long it took.</param>
/// <param name="Slowest">The longest that one input took.</param>
/// <param name="Failing">Inputs that failed, known kinds included.</param>
/// <param name="Failures">The first of each kind.</param>
public sealed record FuzzResult(long Executions, int Outcomes, TimeSpan Elapsed, TimeSpan Slowest, long Failing, IReadOnlyList<FuzzFailure> Failures);
