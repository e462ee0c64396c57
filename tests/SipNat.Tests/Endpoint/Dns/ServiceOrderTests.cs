using FsCheck;
using FsCheck.Fluent;
using SipNat.Endpoint.Dns;

namespace SipNat.Tests.Endpoint.Dns;

public sealed class ServiceOrderTests
{
    private const int Draws = 20_000;

    [Fact]
    public void The_example_of_RFC_2782_is_ordered_as_it_says()
    {
        // Three quarters of the requests go to the fast box, and the others only when both are down.
        string[] names = ["old-slow-box", "new-fast-box", "sysadmins-box", "server"];
        DnsRecord.Service[] records = [Record(0, 1, 0), Record(0, 3, 1), Record(1, 0, 2), Record(1, 0, 3)];
        var random = new Random(1);
        var fast = 0;
        for (var i = 0; i < Draws; i++)
        {
            var sorted = ServiceOrder.Sort(records, random).Select(record => names[record.Port]).ToArray();
            Assert.Equal(["new-fast-box", "old-slow-box"], sorted[..2].Order(StringComparer.Ordinal));
            if (sorted[0] == "new-fast-box") fast++;
        }

        Assert.InRange(fast, Draws * 0.735, Draws * 0.765);
    }

    [Fact]
    public void Servers_without_weight_are_drawn_alike()
    {
        DnsRecord.Service[] records = [Record(0, 0, 0), Record(0, 0, 1), Record(0, 0, 2)];
        var random = new Random(2);
        var first = Enumerable.Range(0, Draws).CountBy(_ => ServiceOrder.Sort(records, random)[0].Port).ToDictionary();

        foreach (var number in (int[])[0, 1, 2]) Assert.InRange(first[number], Draws * 0.315, Draws * 0.352);
    }

    [Fact]
    public void Servers_of_one_priority_are_drawn_by_their_weight() // RFC 2782
    {
        var records = new[] { (10, 0), (10, 100), (10, 300), (0, 0), (20, 5) }
            .Select(static (pair, i) => new DnsRecord.Service("", TimeSpan.Zero, pair.Item1, pair.Item2, i, "")).ToArray();
        var random = new Random(3);
        var first = new int[5];

        for (var i = 0; i < 10_000; i++)
        {
            var sorted = ServiceOrder.Sort(records, random);
            Assert.Equal((3, 4), (sorted[0].Port, sorted[^1].Port));
            Assert.Equal([0, 1, 2, 3, 4], sorted.Select(static record => record.Port).Order());
            first[sorted[1].Port]++;
        }

        // A quarter and three quarters of the draws; the weightless one is the 401st number.
        Assert.InRange(first[0], 1, 80);
        Assert.InRange(first[1], 2300, 2700);
        Assert.InRange(first[2], 7200, 7700);
    }

    [Theory] // each order by the product of the shares of those that are left
    [InlineData(100, 200, 700)]
    [InlineData(500, 500, 1000)]
    [InlineData(60000, 1000, 3000)]
    public void Every_order_of_one_priority_is_as_frequent_as_the_weights_say(params int[] weights)
    {
        var records = weights.Select(static (weight, i) => Record(0, weight, i)).ToArray();
        var random = new Random(5);
        var seen = Enumerable.Range(0, Draws).CountBy(_ => string.Concat(ServiceOrder.Sort(records, random).Select(static record => record.Port))).ToDictionary();

        foreach (var order in (string[])["012", "021", "102", "120", "201", "210"])
        {
            double left = weights.Sum();
            var expected = 1.0;
            foreach (var place in order.Select(digit => weights[digit - '0']))
            {
                expected *= place / left;
                left -= place;
            }

            Assert.InRange(seen.GetValueOrDefault(order) / (double)Draws, expected - 0.015, expected + 0.015);
        }
    }

    [Fact]
    public void Whatever_the_records_none_is_lost_and_priorities_rise()
    {
        var records = ArbMap.Default.GeneratorFor<(byte Priority, ushort Weight)[]>().Select(static pairs => pairs.Select(static (pair, i) => Record(pair.Priority % 4, pair.Weight, i)).ToArray());

        Prop.ForAll(
            records.ToArbitrary(),
            ArbMap.Default.ArbFor<int>(),
            static (given, seed) =>
            {
                var sorted = ServiceOrder.Sort(given, new Random(seed));
                Assert.Equal(given.Select(static record => record.Port), sorted.Select(static record => record.Port).Order());
                Assert.Equal(sorted.Select(static record => record.Priority).Order(), sorted.Select(static record => record.Priority));
            }).QuickCheckThrowOnFailure();
    }

    private static DnsRecord.Service Record(int priority, int weight, int number) => new("", TimeSpan.Zero, priority, weight, number, "");
}
