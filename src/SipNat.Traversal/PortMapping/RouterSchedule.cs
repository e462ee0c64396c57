namespace SipNat.Traversal.PortMapping;

/// <summary>How often and how long a request to the router is repeated.</summary>
/// <param name="Initial">The wait before the second send; it doubles with every further one.</param>
/// <param name="Max">Where the doubling ends.</param>
/// <param name="Sends">Sends in all.</param>
/// <param name="Jitter">Each wait is drawn from 1 ± this.</param>
internal sealed record RouterSchedule(TimeSpan Initial, TimeSpan Max, int Sends, double Jitter)
{
    /// <summary>
    /// IRT 3 s, MRT 1024 s, RAND ± 0.1 (RFC 6887 §8.1.1). The RFC never gives up; here the owner hears of the silence after
    /// 93 s and begins anew, by other protocols as well.
    /// </summary>
    public static RouterSchedule Pcp { get; } = new(TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(1024), 5, 0.1);

    /// <summary>250 ms doubled eight times, 127.75 s in all (RFC 6886 §3.1).</summary>
    public static RouterSchedule NatPmp { get; } = new(TimeSpan.FromMilliseconds(250), TimeSpan.FromSeconds(64), 9, 0);
}
