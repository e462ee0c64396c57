namespace SipNat.Server.Tests.Hosting;

/// <summary>A monotonic and a wall clock that a test moves apart. Timers are real.</summary>
internal sealed class ManualTime : TimeProvider
{
    private readonly DateTimeOffset _start = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);

    public TimeSpan Monotonic { get; set; }

    public TimeSpan Wall { get; set; }

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => Monotonic.Ticks;

    public override DateTimeOffset GetUtcNow() => _start + Wall;

    public void Advance(TimeSpan span) => (Monotonic, Wall) = (Monotonic + span, Wall + span);
}
