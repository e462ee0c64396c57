using SipNat.Traversal.Stun;
using SipNat.Wire;

namespace SipNat.Traversal.Discovery;

/// <summary>Whom a <see cref="MappingLifetimeProbe"/> asks, and for how long its sockets are silent.</summary>
public sealed record MappingLifetimeOptions
{
    // The step bounds the error: half of it, 7 %, either way.
    private const double Step = 1.15;
    private const double FirstSeconds = 5;
    private const double LastSeconds = 250;

    /// <summary>A server that knows RESPONSE-PORT (RFC 5780 §7.5).</summary>
    public required TransportAddress Server { get; init; }

    /// <summary>
    /// The silences, rising. The first is shorter than any NAT's mapping and shows whether the server does what it should;
    /// the last passes what Linux keeps by default (30 s and 120 s) by far enough to see its end.
    /// </summary>
    public IReadOnlyList<TimeSpan> Silences { get; init; } = Default();

    /// <summary>The time between the first requests of two sockets.</summary>
    public TimeSpan Pace { get; init; } = TimeSpan.FromMilliseconds(20);

    /// <summary>How long packets go both ways before a mapping counts as established. Linux: 2 s.</summary>
    public TimeSpan Establishing { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>An answer that took longer made a mapping that is neither fresh nor established.</summary>
    public TimeSpan FreshWithin { get; init; } = TimeSpan.FromSeconds(1.9);

    /// <summary>The requests that make a mapping: at 0, 0.1, 0.3, 0.7 and 1.5 s, given up at 3.5 s.</summary>
    public StunSchedule Opening { get; init; } = new() { InitialRto = TimeSpan.FromMilliseconds(100), MaxSends = 5, FinalWaitFactor = 20 };

    /// <summary>
    /// The requests whose answers go to the silent socket: at 0, 0.05, 0.15, 0.35, 0.75, 1.55, 3.15 and 6.35 s, given up at
    /// 8.35 s. They begin closely, so that several fall into the last second of a mapping.
    /// </summary>
    public StunSchedule Asking { get; init; } = new() { InitialRto = TimeSpan.FromMilliseconds(50), MaxSends = 8, FinalWaitFactor = 40 };

    /// <summary>
    /// The silences that it takes to know every lifetime up to <paramref name="longest"/>: fewer sockets and less time than
    /// the default, where it matters only whether a mapping lives longer.
    /// </summary>
    public static IReadOnlyList<TimeSpan> SilencesUpTo(TimeSpan longest)
    {
        var silences = Default();
        var needed = silences.FindIndex(silence => silence >= longest);
        return needed < 0 ? silences : [.. silences.Take(needed + MappingLifetimes.DeadLanes)];
    }

    private static List<TimeSpan> Default()
    {
        var silences = new List<TimeSpan> { TimeSpan.FromSeconds(1) };
        for (var seconds = FirstSeconds; seconds < LastSeconds; seconds *= Step) silences.Add(TimeSpan.FromSeconds(seconds));
        return silences;
    }
}
