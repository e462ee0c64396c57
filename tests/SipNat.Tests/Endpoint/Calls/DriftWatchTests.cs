using SipNat.Endpoint.Media;
using SipNat.Wire;

namespace SipNat.Tests.Endpoint.Calls;

public sealed class DriftWatchTests
{
    private readonly DriftWatch _watch = new();

    [Theory]
    [InlineData(0.005, 60)]
    [InlineData(-0.005, 60)]
    [InlineData(0.001, 120)]
    [InlineData(0.0002, 960)]
    public void A_steady_drift_is_found_as_soon_as_both_halves_show_it(double rate, int seconds)
    {
        var found = Run(2000, second => TimeSpan.FromSeconds(second * rate));

        Assert.Equal((seconds, TimeSpan.FromSeconds(seconds * rate), Math.Round(rate * 1e6)), (found!.Value.At, found.Value.Drift.Total, Math.Round(found.Value.Drift.PartsPerMillion)));
    }

    [Fact]
    public void What_the_codec_allows_is_never_found() => Assert.Null(Run(100_000, second => TimeSpan.FromSeconds(second * 50e-6)));

    [Fact]
    public void A_route_that_becomes_longer_once_is_no_drift() => Assert.Null(Run(100_000, second => TimeSpan.FromSeconds(second < 70 ? 0 : -0.3)));

    [Fact]
    public void Packets_that_are_delayed_now_and_then_are_no_drift()
    {
        var random = new Random(7);
        Assert.Null(Run(100_000, _ => TimeSpan.FromMilliseconds(-45 * random.NextDouble())));
    }

    [Fact]
    public void Audio_that_is_placed_anew_begins_the_count_anew() =>
        Assert.Null(Run(1000, second => TimeSpan.FromSeconds(second * 0.005), second => second / 50));

    private (int At, ClockDrift Drift)? Run(int seconds, Func<int, TimeSpan> drift, Func<int, long>? anchors = null)
    {
        for (var second = 0; second <= seconds; second += 5)
        {
            if (_watch.Observe(new Instant(0) + TimeSpan.FromSeconds(second), drift(second), anchors?.Invoke(second) ?? 0) is { } found) return (second, found);
        }

        return null;
    }
}
