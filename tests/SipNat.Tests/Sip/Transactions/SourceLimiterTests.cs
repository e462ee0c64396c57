using SipNat.Sip.Transactions;
using SipNat.Wire;

namespace SipNat.Tests.Sip.Transactions;

public sealed class SourceLimiterTests
{
    private static readonly Instant Start = new(0);
    private readonly SourceLimiter _limiter = new(perSecond: 5);

    [Fact]
    public void A_source_gets_so_many_answers_a_second_whatever_its_ports()
    {
        Assert.Equal(5, Enumerable.Range(0, 100).Count(i => _limiter.TryTake(Start, Source(1, port: 1000 + i))));
        Assert.True(_limiter.TryTake(Start, Source(2)));
        Assert.False(_limiter.TryTake(Start + TimeSpan.FromSeconds(0.999), Source(1)));
        Assert.True(_limiter.TryTake(Start + TimeSpan.FromSeconds(1), Source(1)));
    }

    [Fact]
    public void Sources_past_the_bound_share_one_budget()
    {
        var answered = Enumerable.Range(0, 20_000).Count(i => _limiter.TryTake(Start, Source(i)));

        Assert.InRange(answered, 4_095, 4_096 + 5);
    }

    private static TransportAddress Source(int number, int port = 5060) =>
        TransportAddress.Parse($"203.{number >> 16}.{(number >> 8) & 255}.{number & 255}").WithPort(port);
}
