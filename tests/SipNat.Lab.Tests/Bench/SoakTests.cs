using SipNat.Bench.Soak;

namespace SipNat.Lab.Tests.Bench;

/// <summary>What a soak is drawn from, and how it judges memory.</summary>
public sealed class SoakTests
{
    [Fact]
    public void As_many_sessions_are_up_on_average_as_were_wanted()
    {
        var plan = new SoakPlan(sessions: 500, brokenPercent: 5, seed: 1);
        List<PlannedSession> sessions = [.. Enumerable.Range(0, 100_000).Select(_ => plan.Next())];

        // Little's law: the time that all of them take together, by the time in which they came.
        Assert.Equal(500, sessions.Sum(session => session.Length.TotalSeconds) / sessions[^1].At.TotalSeconds, tolerance: 5);
        Assert.Equal(0.05, sessions.Count(session => session.IsBrokenOff) / 100_000.0, tolerance: 0.005);
        Assert.Equal(10, sessions.Min(session => session.Length.TotalSeconds), tolerance: 0.1);
        Assert.Equal(110, sessions.Max(session => session.Length.TotalSeconds), tolerance: 0.1);
        Assert.Equal(sessions.OrderBy(session => session.At), sessions);
    }

    [Fact]
    public void The_same_seed_gives_the_same_sessions()
    {
        var (one, same, other) = (new SoakPlan(20, 50, 7), new SoakPlan(20, 50, 7), new SoakPlan(20, 50, 8));

        for (var i = 0; i < 100; i++)
        {
            var next = one.Next();
            Assert.Equal(next, same.Next());
            Assert.NotEqual(next, other.Next());
        }
    }

    [Theory]
    [InlineData(60, 10)]
    [InlineData(600, 10)]
    [InlineData(3, 0.5)]
    public void A_sixth_of_the_time_is_warm_up_and_ten_minutes_at_most(double minutes, double warmUp) =>
        Assert.Equal(warmUp, MemoryQuarters.WarmUp(TimeSpan.FromMinutes(minutes)).TotalMinutes);

    [Fact]
    public void Growth_is_that_of_the_last_quarter_over_the_first()
    {
        SoakSample[] samples = [.. new double[] { 100, 102, 500, 500, 1, 1, 110, 112 }.Select((megabytes, i) => new SoakSample(i, 0, megabytes, megabytes / 2))];

        Assert.Equal(new MemoryReport(101, 111, 9.9, 50.5, 55.5, 9.9), MemoryQuarters.Of(samples));
        Assert.Null(MemoryQuarters.Of(samples[..3]));
    }
}
