using SipNat.Traversal.Stun;
using SipNat.Wire;

namespace SipNat.Traversal.Discovery;

/// <summary>What a <see cref="NatBehaviourProbe"/> measures, and with whom.</summary>
public sealed record NatProbeOptions
{
    /// <summary>More servers are not asked.</summary>
    public const int MaxServers = 8;

    /// <summary>STUN servers, all of the family that is measured. One with two addresses (RFC 5780) can tell of filtering.</summary>
    public required IReadOnlyList<TransportAddress> Servers { get; init; }

    /// <summary>Whether only the mapping is measured, which takes a few round trips.</summary>
    public bool IsFast { get; init; }

    /// <summary>The time between the first requests of two transactions (Ta of RFC 8445 §14.2; at least 5 ms).</summary>
    public TimeSpan Pace { get; init; } = TimeSpan.FromMilliseconds(20);

    /// <summary>Requests that are expected to be answered: at 0, 0.5, 1.5, 3.5 and 7.5 s, given up at 11.5 s.</summary>
    public StunSchedule Plain { get; init; } = new() { MaxSends = 5, FinalWaitFactor = 8 };

    /// <summary>
    /// Requests whose silence means something: at 0, 0.5, 1.5 and 3.5 s, given up at 7.5 s, each on several sockets, so
    /// that a dozen packets in a row would have to be lost to look like silence.
    /// </summary>
    public StunSchedule Silent { get; init; } = new() { MaxSends = 4, FinalWaitFactor = 8 };
}
