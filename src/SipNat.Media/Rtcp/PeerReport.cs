using SipNat.Wire;

namespace SipNat.Media.Rtcp;

/// <summary>What the peer reported last about what we send.</summary>
/// <param name="ReceivedAt">When the report came.</param>
/// <param name="RoundTrip">Arrival less <c>LSR</c> less <c>DLSR</c> (RFC 3550 §6.4.1); null where the peer has had no report of ours.</param>
public readonly record struct PeerReport(Instant ReceivedAt, ReportBlock Block, TimeSpan? RoundTrip)
{
    private const double UnitsPerSecond = 65536;

    // What is longer is a mistake of somebody's.
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);

    internal static PeerReport Of(Instant now, in ReportBlock block)
    {
        if (block.LastSenderReport == 0) return new(now, block, null);

        // Modulo 2^32, as all three are.
        var units = (int)(NtpTimestamp.Elapsed(now).Middle - block.LastSenderReport - block.DelaySinceLastSenderReport);
        var trip = TimeSpan.FromSeconds(units / UnitsPerSecond);
        return new(now, block, trip > Longest || trip < -Longest ? null : trip < TimeSpan.Zero ? TimeSpan.Zero : trip);
    }
}
