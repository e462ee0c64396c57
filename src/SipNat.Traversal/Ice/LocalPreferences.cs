using SipNat.Wire;

namespace SipNat.Traversal.Ice;

/// <summary>
/// Orders the addresses of one machine so that a family without a way out cannot hold up the other (RFC 8421 §4):
/// IPv6 first, and after every few IPv6 addresses one of IPv4, the fewer of these the later.
/// </summary>
public static class LocalPreferences
{
    /// <summary>The local preference of each address, in the order given: 65535 for the best, then downwards.</summary>
    /// <param name="addresses">In the system's own order of preference within a family (RFC 6724).</param>
    public static int[] Of(IReadOnlyList<TransportAddress> addresses)
    {
        var preferences = new int[addresses.Count];
        var ipv4 = Indices(addresses, isIPv4: true);
        var ipv6 = Indices(addresses, isIPv4: false);
        var head = ipv4.Count == 0 ? 0 : (ipv4.Count + ipv6.Count) / ipv4.Count;
        var next = Candidate.MaxLocalPreference;
        for (var place = 1; ipv4.Count + ipv6.Count > 0; place++)
        {
            var isIPv4Turn = ipv6.Count == 0 || (ipv4.Count > 0 && place % head == 0);
            preferences[(isIPv4Turn ? ipv4 : ipv6).Dequeue()] = next--;
        }

        return preferences;
    }

    private static Queue<int> Indices(IReadOnlyList<TransportAddress> addresses, bool isIPv4)
    {
        var indices = new Queue<int>();
        for (var i = 0; i < addresses.Count; i++)
        {
            if (addresses[i].IsIPv4 == isIPv4) indices.Enqueue(i);
        }

        return indices;
    }
}
