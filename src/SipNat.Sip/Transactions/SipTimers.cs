namespace SipNat.Sip.Transactions;

/// <summary>The timers of RFC 3261 table 4 with RFC 6026; all but C follow from T1, T2 and T4.</summary>
public sealed record SipTimers
{
    private const int GiveUpFactor = 64;

    /// <summary>Estimate of the round trip; above 0.</summary>
    public TimeSpan T1 { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Longest interval between retransmissions of anything but an INVITE; not below T1.</summary>
    public TimeSpan T2 { get; init; } = TimeSpan.FromSeconds(4);

    /// <summary>How long a message may live in the network.</summary>
    public TimeSpan T4 { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>INVITE without any answer.</summary>
    public TimeSpan B => T1 * GiveUpFactor;

    /// <summary>
    /// INVITE with provisional responses alone, counted from the last one that is not 100: the patience of a proxy (more
    /// than three minutes, RFC 3261 §16.6), which the RFC leaves to a user agent. A peer may never answer finally.
    /// </summary>
    public TimeSpan C { get; init; } = TimeSpan.FromSeconds(200);

    /// <summary>Wait for retransmitted error responses to INVITE; 0 on reliable transports.</summary>
    public TimeSpan D => T1 * GiveUpFactor;

    /// <summary>Request other than INVITE without a final answer.</summary>
    public TimeSpan F => T1 * GiveUpFactor;

    /// <summary>Wait for the ACK of an error response.</summary>
    public TimeSpan H => T1 * GiveUpFactor;

    /// <summary>Wait for retransmitted ACKs; 0 on reliable transports.</summary>
    public TimeSpan I => T4;

    /// <summary>Wait for retransmitted requests; 0 on reliable transports.</summary>
    public TimeSpan J => T1 * GiveUpFactor;

    /// <summary>Wait for retransmitted responses; 0 on reliable transports.</summary>
    public TimeSpan K => T4;

    /// <summary>Wait for retransmitted INVITEs, and for the ACK, after our 2xx (RFC 6026 §8.7).</summary>
    public TimeSpan L => T1 * GiveUpFactor;

    /// <summary>Wait for further 2xx (RFC 6026 §8.4).</summary>
    public TimeSpan M => T1 * GiveUpFactor;
}
