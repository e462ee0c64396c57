namespace SipNat.Simulation;

/// <summary>
/// What a path does to the datagrams on it. Messages of a connection are never lost, doubled or reordered: a loss
/// becomes the delay of a retransmission.
/// </summary>
public sealed record Impairment
{
    /// <summary>Probability that a datagram is lost: 0–1.</summary>
    public double Loss { get; init; }

    /// <summary>Probability that a datagram arrives twice: 0–1.</summary>
    public double Duplication { get; init; }

    /// <summary>The delay that every packet has, one way.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>Upper bound of a further, uniformly distributed delay; above the packets' spacing it reorders them.</summary>
    public TimeSpan Jitter { get; init; }
}
