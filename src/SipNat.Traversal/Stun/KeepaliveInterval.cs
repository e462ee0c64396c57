using System.Globalization;

namespace SipNat.Traversal.Stun;

/// <summary>
/// How long a NAT's mapping may wait for the next packet that keeps it alive. Each interval is drawn from 80–100 % of a
/// bound (the form of RFC 5626 §4.4.1), so that many flows do not send at one moment and none sends late.
/// </summary>
public static class KeepaliveInterval
{
    // What is left of a lifetime is room for a keepalive that is lost, and for its repetitions after 0.5, 1 and 2 s.
    private const double Share = 0.7;
    private const double EarliestShare = 0.8;

    /// <summary>While lifetimes are not known: below 30 s, the shortest that is common (RFC 4787 REQ-5 has two minutes).</summary>
    public static readonly TimeSpan DefaultBound = TimeSpan.FromSeconds(25);

    /// <summary>
    /// No flow concludes a shorter one from a mapping that ended, and no shorter silence is held against the NAT's memory:
    /// something else ended that mapping.
    /// </summary>
    public static readonly TimeSpan ShortestBound = TimeSpan.FromSeconds(5);

    /// <summary>Of silent mappings that live so long, at most the bound that is configured.</summary>
    public static TimeSpan BoundFor(TimeSpan lifetime, TimeSpan configured) => Min(lifetime * Share, configured);

    /// <summary>The lifetime from which on a bound need not be lowered.</summary>
    public static TimeSpan LifetimeFor(TimeSpan bound) => bound / Share;

    /// <summary>
    /// After a mapping ended in a silence, or earlier: it lives half as long as that, as far as is known, and no less than
    /// <see cref="ShortestBound"/> is kept. A silence of more than three times the bound teaches nothing.
    /// </summary>
    public static TimeSpan BoundAfterEnd(TimeSpan silence, TimeSpan bound)
    {
        if (silence < ShortestBound) return bound;

        var learned = BoundFor(silence / 2, bound);
        return learned > ShortestBound ? learned : Min(ShortestBound, bound);
    }

    /// <summary>The next interval: 80–100 % of the bound.</summary>
    public static TimeSpan Draw(TimeSpan bound, Random random) => bound * (EarliestShare + ((1 - EarliestShare) * random.NextDouble()));

    /// <summary>The intervals that are drawn, for people: "20.0–25.0 s".</summary>
    public static string Describe(TimeSpan bound) =>
        string.Create(CultureInfo.InvariantCulture, $"{bound.TotalSeconds * EarliestShare:F1}–{bound.TotalSeconds:F1} s");

    private static TimeSpan Min(TimeSpan left, TimeSpan right) => left < right ? left : right;
}
