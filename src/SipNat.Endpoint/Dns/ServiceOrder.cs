namespace SipNat.Endpoint.Dns;

/// <summary>The order in which the servers of a service are tried (RFC 2782).</summary>
public static class ServiceOrder
{
    /// <summary>
    /// By rising priority; among one priority drawn by weight, the weightless ones having a small chance of being drawn
    /// before others.
    /// </summary>
    public static IReadOnlyList<DnsRecord.Service> Sort(IEnumerable<DnsRecord.Service> records, Random random)
    {
        var sorted = new List<DnsRecord.Service>();
        foreach (var group in records.GroupBy(static record => record.Priority).OrderBy(static group => group.Key))
        {
            // Those of weight 0 stand first, so that they are drawn where the number is 0.
            var left = group.OrderBy(static record => record.Weight == 0 ? 0 : 1).ToList();
            while (left.Count > 0) sorted.Add(Draw(left, random));
        }

        return sorted;
    }

    // RFC 2782 draws from 0 to the sum and takes the first record that reaches the number. Without a weightless one the 0
    // would only favour whichever record comes first, and among weightless ones it always meant the same.
    private static DnsRecord.Service Draw(List<DnsRecord.Service> left, Random random)
    {
        var weightless = left.Count(static record => record.Weight == 0);
        var drawn = random.Next(weightless > 0 ? 0 : 1, left.Sum(static record => record.Weight) + 1);
        var sum = 0;
        var place = drawn == 0 ? random.Next(weightless) : left.FindIndex(record => (sum += record.Weight) >= drawn);
        var record = left[place];
        left.RemoveAt(place);
        return record;
    }
}
