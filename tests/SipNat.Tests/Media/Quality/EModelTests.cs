using SipNat.Media.Quality;

namespace SipNat.Tests.Media.Quality;

public sealed class EModelTests
{
    [Theory]
    [InlineData(90, 4.34)]
    [InlineData(80, 4.03)]
    [InlineData(70, 3.60)]
    [InlineData(60, 3.10)]
    [InlineData(50, 2.58)]
    [InlineData(93.2, 4.41)]
    [InlineData(0, 1)]
    [InlineData(100, 4.5)]
    public void A_rating_stands_for_the_opinion_of_the_recommendation(double rating, double opinion) => // G.107 table B.1
        Assert.Equal(opinion, EModel.MeanOpinion(rating), 0.01);

    [Fact]
    public void Ratings_of_known_paths()
    {
        Assert.Equal(93.2, EModel.Rate(CodecImpairment.G711, 0, TimeSpan.Zero));
        Assert.Equal(82.2, EModel.Rate(CodecImpairment.G729, 0, TimeSpan.FromMilliseconds(100)), 0.01);

        // 95 · 5 / (5 + 25.1) = 15.78 for five per cent at random.
        Assert.Equal(93.2 - 15.78, EModel.Rate(CodecImpairment.G711, 0.05, TimeSpan.FromMilliseconds(50)), 0.01);

        // Losses in pairs count more: 95 · 5 / (5/2 + 25.1) = 17.21.
        Assert.Equal(93.2 - 17.21, EModel.Rate(CodecImpairment.G711, 0.05, TimeSpan.Zero, 2), 0.01);

        // 400 ms is two octaves over 100: 25 · (2.00520 − 3 · 1.01427 + 2) = 24.06.
        Assert.Equal(93.2 - 24.06, EModel.Rate(CodecImpairment.G711, 0, TimeSpan.FromMilliseconds(400)), 0.02);
        Assert.Equal(0, EModel.Rate(CodecImpairment.G729, 1, TimeSpan.FromSeconds(10)));
    }

    [Fact]
    public void Losses_apart_are_gaps_and_losses_near_each_other_a_burst() // RFC 3611 §4.7.2
    {
        // Twenty received between single losses; then a burst of nine with four losses.
        var losses = Count($"{Received(20)}x{Received(20)}x{Received(30)}xx.x....x{Received(40)}");
        Assert.Equal(1, losses.Bursts);
        Assert.Equal(4 / 9.0, losses.BurstDensity, 0.001);
        Assert.Equal(2 / 112.0, losses.GapDensity, 0.001);
        Assert.Equal(9, losses.BurstLength);
        Assert.Equal(112 / 2.0, losses.GapLength);
        Assert.Equal(6 / 121.0, losses.Loss, 0.001);
    }

    [Fact]
    public void Sixteen_packets_end_a_burst_and_fifteen_do_not()
    {
        Assert.Equal(0, Count($"x{Received(16)}x").Bursts);
        Assert.Equal(1, Count($"x{Received(15)}x").Bursts);
        Assert.Equal(17, Count($"x{Received(15)}x").BurstLength);
    }

    private static string Received(int count) => new('.', count);

    private static BurstCounter Count(string packets)
    {
        var counter = new BurstCounter();
        foreach (var packet in packets) counter.Add(packet == 'x');
        return counter;
    }
}
