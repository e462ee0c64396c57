using SipNat.Wire;

namespace SipNat.Media.Rtcp;

/// <summary>
/// A 64-bit NTP timestamp: seconds since 1900 in the upper half, the fraction in the lower (RFC 3550 §4). 0 stands for
/// a sender without a clock. Differences are taken modulo 2^64 and so survive the era change of 2036.
/// </summary>
public readonly record struct NtpTimestamp(ulong Value)
{
    private const double UnitsPerSecond = 4294967296.0;

    public bool IsNone => Value == 0;

    /// <summary>The middle 32 bits, in units of 1/65536 s: the LSR field of a report block (RFC 3550 §6.4.1).</summary>
    public uint Middle => (uint)(Value >> 16);

    /// <summary>
    /// A time of the process instead of the day, for a sender that has no wall clock (RFC 3550 §6.4.1): good for round trips
    /// and for putting streams of one session side by side.
    /// </summary>
    public static NtpTimestamp Elapsed(Instant now)
    {
        var (seconds, rest) = Math.DivRem(now.Ticks, TimeSpan.TicksPerSecond);
        return new(((ulong)seconds << 32) | (ulong)(rest * UnitsPerSecond / TimeSpan.TicksPerSecond));
    }

    public static NtpTimestamp operator +(NtpTimestamp timestamp, TimeSpan span) =>
        new(unchecked(timestamp.Value + (ulong)(long)(span.TotalSeconds * UnitsPerSecond)));

    public static TimeSpan operator -(NtpTimestamp later, NtpTimestamp earlier) =>
        TimeSpan.FromSeconds(unchecked((long)(later.Value - earlier.Value)) / UnitsPerSecond);
}
