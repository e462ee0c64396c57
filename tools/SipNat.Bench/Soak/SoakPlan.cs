namespace SipNat.Bench.Soak;

/// <summary>When sessions begin, how long they are, and which of them are broken off; the same for the same seed.</summary>
/// <param name="sessions">That are up at one time, on average.</param>
public sealed class SoakPlan(int sessions, int brokenPercent, int seed)
{
    /// <summary>The shortest and the longest session.</summary>
    public static readonly TimeSpan Shortest = TimeSpan.FromSeconds(10);

    /// <inheritdoc cref="Shortest"/>
    public static readonly TimeSpan Longest = TimeSpan.FromSeconds(110);

    private readonly Random _random = new(seed);
    private TimeSpan _at;

    /// <summary>
    /// The next session. They come independently of each other (exponential times between them), as often as it takes for
    /// the wanted number at lengths that are drawn evenly.
    /// </summary>
    public PlannedSession Next()
    {
        var between = (Shortest + Longest) / 2 / sessions;
        _at += between * -Math.Log(1 - _random.NextDouble());
        var length = Shortest + ((Longest - Shortest) * _random.NextDouble());
        return new(_at, length, _random.Next(100) < brokenPercent);
    }
}

/// <param name="At">Since the first moment.</param>
/// <param name="Length">Of its audio.</param>
/// <param name="IsBrokenOff">It ends without a BYE.</param>
public readonly record struct PlannedSession(TimeSpan At, TimeSpan Length, bool IsBrokenOff);
