using SipNat.Traversal.Stun;

namespace SipNat.Tests.Traversal.Stun;

public sealed class KeepaliveIntervalTests
{
    [Theory]
    [InlineData(10, 25, 7)]
    [InlineData(30, 25, 21)]
    [InlineData(35, 25, 24.5)]
    [InlineData(120, 25, 25)]
    [InlineData(120, 3600, 84)]
    [InlineData(30, 2, 2)]
    public void A_measured_lifetime_allows_seven_tenths_of_it_and_never_more_than_is_configured(double lifetime, double configured, double bound)
    {
        Assert.Equal(bound, KeepaliveInterval.BoundFor(TimeSpan.FromSeconds(lifetime), TimeSpan.FromSeconds(configured)).TotalSeconds, 6);
    }

    [Theory]
    [InlineData(4.9, 25, 25)]
    [InlineData(5, 25, 5)]
    [InlineData(14, 25, 5)]
    [InlineData(20, 25, 7)]
    [InlineData(25, 25, 8.75)]
    [InlineData(100, 25, 25)]
    [InlineData(20, 3, 3)]
    [InlineData(8, 7, 5)]
    public void A_mapping_that_ended_lived_half_as_long_as_the_silence_and_five_seconds_at_least(double silence, double bound, double learned)
    {
        Assert.Equal(learned, KeepaliveInterval.BoundAfterEnd(TimeSpan.FromSeconds(silence), TimeSpan.FromSeconds(bound)).TotalSeconds, 6);
    }

    [Fact]
    public void Intervals_are_drawn_from_four_fifths_of_the_bound_up_to_it()
    {
        var random = new Random(1);
        var drawn = Enumerable.Range(0, 10_000).Select(_ => KeepaliveInterval.Draw(TimeSpan.FromSeconds(21), random).TotalSeconds).ToList();

        Assert.InRange(drawn.Min(), 16.8, 16.81);
        Assert.InRange(drawn.Max(), 20.99, 21);
        Assert.InRange(drawn.Average(), 18.8, 19);
        Assert.Equal("16.8–21.0 s", KeepaliveInterval.Describe(TimeSpan.FromSeconds(21)));
    }
}
