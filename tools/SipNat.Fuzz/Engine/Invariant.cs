namespace SipNat.Fuzz.Engine;

/// <summary>What a target holds for true.</summary>
public static class Invariant
{
    /// <param name="rule">A constant sentence: failures with the same one are taken for the same.</param>
    /// <param name="facts">What was seen instead.</param>
    public static void Holds(bool condition, string rule, string facts = "")
    {
        if (!condition) throw new BrokenInvariantException(rule, facts);
    }

    /// <summary>A part that a reader gives out lies within what it was given.</summary>
    public static void Inside(ReadOnlySpan<byte> whole, ReadOnlySpan<byte> part, string what)
    {
        if (part.IsEmpty) return;

        var overlaps = whole.Overlaps(part, out var offset);
        if (!overlaps || offset < 0 || offset + part.Length > whole.Length) throw new BrokenInvariantException("A part lies within its input.", what);
    }
}

/// <summary>Something that a target holds for true is not.</summary>
public sealed class BrokenInvariantException(string rule, string facts) : Exception(facts.Length > 0 ? $"{rule} {facts}" : rule)
{
    public string Rule { get; } = rule;
}
