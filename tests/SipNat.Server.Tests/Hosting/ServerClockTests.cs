using SipNat.Server.Hosting;
using SipNat.Wire;

namespace SipNat.Server.Tests.Hosting;

public sealed class ServerClockTests
{
    private readonly ManualTime _time = new() { Monotonic = TimeSpan.FromDays(3) };

    [Fact]
    public void Instants_count_from_the_beginning_and_are_told_as_time_of_day()
    {
        var clock = new ServerClock(_time);
        var start = _time.GetUtcNow();

        _time.Advance(TimeSpan.FromSeconds(90));

        Assert.Equal(new Instant(TimeSpan.FromSeconds(90).Ticks), clock.Now);
        Assert.Equal(start, clock.ToWall(new(0)));
        Assert.Equal(start + TimeSpan.FromSeconds(90), clock.ToWall(clock.Now));
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(2, 0)]
    [InlineData(-2, 0)]
    [InlineData(2.001, 1)]
    [InlineData(-3600, 1)]
    [InlineData(86400, 1)]
    public void A_step_of_more_than_two_seconds_is_told_once(double stepSeconds, int told)
    {
        var clock = new ServerClock(_time);
        var heard = new List<(Instant Now, DateTimeOffset Wall)>();
        clock.OnStep((now, wall) => heard.Add((now, wall)));

        _time.Advance(TimeSpan.FromSeconds(1));
        _time.Wall += TimeSpan.FromSeconds(stepSeconds);
        clock.Check();
        _time.Advance(TimeSpan.FromSeconds(1));
        clock.Check();

        Assert.Equal(told, heard.Count);
        Assert.All(heard, entry => Assert.Equal((clock.Now - TimeSpan.FromSeconds(1), _time.GetUtcNow() - TimeSpan.FromSeconds(1)), entry));
        Assert.Equal(_time.GetUtcNow(), clock.ToWall(clock.Now));
    }

    [Fact]
    public void A_slow_drift_is_followed_and_never_becomes_a_step()
    {
        var clock = new ServerClock(_time);
        for (var second = 0; second < 100; second++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            _time.Wall += TimeSpan.FromMilliseconds(100);
            Assert.False(clock.Check());
        }

        Assert.Equal(_time.GetUtcNow(), clock.ToWall(clock.Now));
    }

    [Fact]
    public async Task The_loop_ends_when_it_is_stopped()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var loop = new ServerClock(TimeProvider.System).RunAsync(stop.Token);

        await stop.CancelAsync();

        await loop;
    }

    [Fact]
    public void The_clock_never_goes_back()
    {
        var clock = new ServerClock(TimeProvider.System);
        var last = clock.Now;
        for (var i = 0; i < 10_000; i++)
        {
            var now = clock.Now;
            Assert.True(now >= last);
            last = now;
        }
    }
}
