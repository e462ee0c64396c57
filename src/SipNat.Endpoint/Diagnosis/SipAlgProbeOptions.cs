using SipNat.Traversal.Stun;
using SipNat.Wire;

namespace SipNat.Endpoint.Diagnosis;

/// <summary>Whom a <see cref="SipAlgProbe"/> asks.</summary>
public sealed record SipAlgProbeOptions
{
    /// <summary>A SIP server over UDP, of the same family as the sockets.</summary>
    public required TransportAddress Target { get; init; }

    /// <summary>The host that the Request-URI names; the target's address where it has no name.</summary>
    public required string Host { get; init; }

    /// <summary>STUN servers of the same family; without any, what the SIP server saw cannot be judged.</summary>
    public required IReadOnlyList<TransportAddress> StunServers { get; init; }

    /// <summary>The time between the first requests of two sockets.</summary>
    public TimeSpan Pace { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>
    /// The requests, OPTIONS and Binding alike: at 0, 0.5, 1.5, 3.5 and 7.5 s, given up at 11.5 s. SIP would wait for 32 s
    /// (RFC 3261, Timer F); whoever has not answered five requests is not there.
    /// </summary>
    public StunSchedule Schedule { get; init; } = new() { MaxSends = 5, FinalWaitFactor = 8 };
}
