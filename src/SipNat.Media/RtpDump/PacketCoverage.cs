namespace SipNat.Media.RtpDump;

/// <summary>
/// How much time a file of packets covers, though none of them is decoded: the time from its first to its last packet,
/// less pauses, and less the share of packets that are missing by the sequence numbers.
/// </summary>
/// <remarks>The same numbers come out of the packets as they arrive and of the file that they were written to.</remarks>
public record struct PacketCoverage
{
    // Without a packet for longer, nothing was sent or nothing came through: no silence suppression waits so long.
    private const uint Pause = 1000;

    // RFC 3551 §4.2: a packet has 200 ms of audio at most.
    private const uint LongestPacket = 200;

    // More than a pause has of the shortest packets (2.5 ms): another run of numbers, not a loss.
    private const int MaxStep = 400;

    private uint _ssrc;
    private ushort _highest;
    private uint _last;
    private long _covered;
    private long _expected;

    /// <summary>Packets of the file.</summary>
    public long Packets { get; private set; }

    /// <summary>From the first packet to the last.</summary>
    public readonly TimeSpan Duration => TimeSpan.FromMilliseconds(_last);

    public readonly TimeSpan Covered => Packets == 0 ? TimeSpan.Zero
        : TimeSpan.FromTicks((long)((double)_covered * TimeSpan.TicksPerMillisecond * Packets / Math.Max(_expected, Packets)));

    /// <summary>The SSRC of the last packet, and the highest sequence number of its run.</summary>
    public readonly (uint Ssrc, ushort Sequence) Highest => (_ssrc, _highest);

    /// <param name="milliseconds">Arrival since the file's start; it never goes back.</param>
    public void Add(uint milliseconds, uint ssrc, ushort sequence)
    {
        var passed = milliseconds - _last;
        var step = (short)(sequence - _highest);
        if (Packets > 0) _covered += passed > Pause ? LongestPacket : passed;

        // What is lost in a pause is told by the pause, and not by the numbers too.
        var isOtherRun = Packets == 0 || ssrc != _ssrc || passed > Pause || Math.Abs((int)step) > MaxStep;
        if (isOtherRun) _expected++;
        else if (step > 0) _expected += step;
        if (isOtherRun || step > 0) _highest = sequence;
        (_ssrc, _last) = (ssrc, milliseconds);
        Packets++;
    }
}
