namespace SipNat.Bench.Soak;

/// <summary>Whether memory has grown: means of the first and of the last quarter of the time after the warm-up.</summary>
public static class MemoryQuarters
{
    private const int MinSamples = 4;
    private static readonly TimeSpan MaxWarmUp = TimeSpan.FromMinutes(10);

    /// <summary>What is left out at the beginning: a sixth of the time, ten minutes at most.</summary>
    public static TimeSpan WarmUp(TimeSpan duration) => duration / 6 < MaxWarmUp ? duration / 6 : MaxWarmUp;

    /// <param name="samples">In the order of their time.</param>
    /// <returns>Null where there are fewer than four.</returns>
    public static MemoryReport? Of(IReadOnlyList<SoakSample> samples)
    {
        if (samples.Count < MinSamples) return null;

        var quarter = samples.Count / 4;
        var (first, last) = (samples.Take(quarter).ToList(), samples.TakeLast(quarter).ToList());
        var (resident, anonymous) = (first.Average(sample => sample.ResidentMegabytes), first.Average(sample => sample.AnonymousMegabytes));
        var (residentAtLast, anonymousAtLast) = (last.Average(sample => sample.ResidentMegabytes), last.Average(sample => sample.AnonymousMegabytes));
        return new(
            Math.Round(resident, 1), Math.Round(residentAtLast, 1), Change(resident, residentAtLast),
            Math.Round(anonymous, 1), Math.Round(anonymousAtLast, 1), Change(anonymous, anonymousAtLast));
    }

    private static double Change(double from, double to) => Math.Round(100 * (to - from) / from, 1);
}
