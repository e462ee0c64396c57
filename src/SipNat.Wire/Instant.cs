namespace SipNat.Wire;

/// <summary>
/// A moment on the monotonic clock of one process, in ticks of 100 ns since that clock began.
/// It says nothing about the time of day.
/// </summary>
public readonly record struct Instant(long Ticks) : IComparable<Instant>
{
    public static Instant operator +(Instant instant, TimeSpan span) => new(instant.Ticks + span.Ticks);

    public static Instant operator -(Instant instant, TimeSpan span) => new(instant.Ticks - span.Ticks);

    public static TimeSpan operator -(Instant later, Instant earlier) => new(later.Ticks - earlier.Ticks);

    public static bool operator <(Instant left, Instant right) => left.Ticks < right.Ticks;

    public static bool operator >(Instant left, Instant right) => left.Ticks > right.Ticks;

    public static bool operator <=(Instant left, Instant right) => left.Ticks <= right.Ticks;

    public static bool operator >=(Instant left, Instant right) => left.Ticks >= right.Ticks;

    /// <summary>The earlier of two deadlines, where null means "never".</summary>
    public static Instant? Earlier(Instant? left, Instant? right) =>
        left is not { } l ? right : right is not { } r || l <= r ? l : r;

    public int CompareTo(Instant other) => Ticks.CompareTo(other.Ticks);

    /// <summary>Seconds since the clock began, for logs and test failures.</summary>
    public override string ToString() => $"{TimeSpan.FromTicks(Ticks).TotalSeconds:F6}s";
}
