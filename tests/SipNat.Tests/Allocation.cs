namespace SipNat.Tests;

/// <summary>Measures what a piece of code allocates.</summary>
internal static class Allocation
{
    private const int Rounds = 5;

    /// <summary>
    /// Bytes that this thread allocates in the action, after a first run of it: the least of several rounds, as the
    /// runtime's own caches (of cryptographic contexts, for one) are shared with whatever else runs at the time. Code that
    /// allocates does so in each round.
    /// </summary>
    public static long Of(Action action)
    {
        action();
        var least = long.MaxValue;
        for (var round = 0; round < Rounds; round++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            action();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        return least;
    }
}
