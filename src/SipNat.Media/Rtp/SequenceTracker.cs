namespace SipNat.Media.Rtp;

/// <summary>
/// Follows the sequence numbers of one SSRC: extends them past their wrap, knows duplicates, and tells a restarted
/// sender from a stray packet (RFC 3550 §A.1).
/// </summary>
/// <remarks>
/// Departures from §A.1, all because a recorder may lose nothing: packets of the probation are delivered (their number
/// is only told by <see cref="IsValid"/>), the misorder limit is as long as the memory for duplicates, and a jump is
/// confirmed by a second packet near the first instead of exactly after it.
/// </remarks>
public sealed class SequenceTracker
{
    /// <summary>A forward step of this many numbers or more is a jump, not loss (RFC 3550 §A.1 MAX_DROPOUT).</summary>
    public const int MaxDropout = 3000;

    /// <summary>How far behind the highest number a packet is still known as late or as a duplicate.</summary>
    public const int MaxMisorder = 1000;

    /// <summary>Packets in sequence that make a source valid (RFC 3550 §A.1 MIN_SEQUENTIAL).</summary>
    public const int MinSequential = 2;

    // Two packets within this distance agree that the sender has jumped.
    private const int ConfirmDistance = 100;
    private const int WindowBits = 1024;
    private const int WordBits = 64;

    // Numbers start one cycle up, so that a packet from before the first one has a number too.
    private const long Cycle = 1 << 16;

    private readonly ulong[] _window = new ulong[WindowBits / WordBits];
    private long _base;
    private long _earlierExpected;
    private int _sequential;
    private int _suspect = -1;

    /// <summary>Whether <see cref="MinSequential"/> packets have come in sequence.</summary>
    public bool IsValid => _sequential >= MinSequential;

    /// <summary>
    /// The highest extended sequence number: the wire's in the low 16 bits, and a count above them that rises with each
    /// wrap and restart. −1 before the first packet.
    /// </summary>
    public long Highest { get; private set; } = -1;

    /// <summary>The extended highest sequence number of a report block (RFC 3550 §6.4.1); cycles start at 0.</summary>
    public uint ReportedHighest => Highest < 0 ? 0 : (uint)(Highest - Cycle);

    /// <summary>Where the last restart began: the extended number of the packet that had been the suspect one.</summary>
    public long RestartedAt { get; private set; } = -1;

    /// <summary>Distinct packets, reordered ones included.</summary>
    public long Received { get; private set; }

    /// <summary>Packets that the sequence numbers say were sent, over all restarts.</summary>
    public long Expected => _earlierExpected + (Highest < 0 ? 0 : Highest - _base + 1);

    /// <summary>Expected and not received (RFC 3550 §6.4.1: cumulative number of packets lost).</summary>
    public long Lost => Expected - Received;

    public long Duplicates { get; private set; }

    /// <summary>Packets that came after one with a higher number.</summary>
    public long Reordered { get; private set; }

    public int Restarts { get; private set; }

    /// <summary>Judges the next packet in order of arrival.</summary>
    /// <param name="sequenceNumber">As on the wire.</param>
    /// <param name="isContinuous">Whether the packet's timestamp fits the source's recent ones: a known number with an
    /// unrelated timestamp is no duplicate but a sender that began anew near its old numbers.</param>
    /// <param name="extended">The extended number; meaningless for <see cref="SequenceVerdict.Suspect"/> and
    /// <see cref="SequenceVerdict.Duplicate"/>.</param>
    public SequenceVerdict Track(ushort sequenceNumber, bool isContinuous, out long extended)
    {
        if (Highest < 0)
        {
            Begin(extended = Cycle + sequenceNumber);
            return SequenceVerdict.InOrder;
        }

        extended = Highest + (short)(sequenceNumber - (ushort)Highest);
        var step = extended - Highest;
        if (step is > 0 and < MaxDropout) return Advance(extended);
        if (step is > -MaxMisorder and <= 0 && (isContinuous || !IsKnown(extended))) return Behind(extended);
        return Jump(sequenceNumber, out extended);
    }

    private SequenceVerdict Advance(long extended)
    {
        _sequential = extended == Highest + 1 ? Math.Min(_sequential + 1, MinSequential) : IsValid ? MinSequential : 1;
        _suspect = -1;
        Forget(Highest + 1, extended);
        Highest = extended;
        Remember(extended);
        return SequenceVerdict.InOrder;
    }

    private SequenceVerdict Behind(long extended)
    {
        if (IsKnown(extended))
        {
            Duplicates++;
            return SequenceVerdict.Duplicate;
        }

        _base = Math.Min(_base, extended);
        Reordered++;
        Remember(extended);
        return SequenceVerdict.Reordered;
    }

    private SequenceVerdict Jump(ushort sequenceNumber, out long extended)
    {
        extended = 0;
        var distance = (short)(sequenceNumber - _suspect);
        if (_suspect >= 0 && distance == 0)
        {
            Duplicates++;
            return SequenceVerdict.Duplicate;
        }

        if (_suspect < 0 || Math.Abs((int)distance) > ConfirmDistance)
        {
            _suspect = sequenceNumber;
            return SequenceVerdict.Suspect;
        }

        Restart();
        extended = Highest + distance;
        if (distance > 0) Advance(extended);
        else Behind(extended);
        return SequenceVerdict.Restarted;
    }

    // A cycle is left free, so that extended numbers rise over a restart and every one belongs to one run.
    private void Restart()
    {
        _earlierExpected = Expected;
        Restarts++;
        RestartedAt = (((Highest >> 16) + 2) << 16) + _suspect;
        Begin(RestartedAt);
    }

    private void Begin(long extended)
    {
        Array.Clear(_window);
        (_base, Highest, _suspect) = (extended, extended, -1);
        _sequential = 1;
        Remember(extended);
    }

    private void Remember(long extended)
    {
        Received++;
        _window[Word(extended)] |= Bit(extended);
    }

    // Clears the places of the numbers that are skipped: they hold what was there one window ago.
    private void Forget(long from, long to)
    {
        if (to - from >= WindowBits)
        {
            Array.Clear(_window);
            return;
        }

        for (var i = from; i <= to; i++) _window[Word(i)] &= ~Bit(i);
    }

    private bool IsKnown(long extended) => (_window[Word(extended)] & Bit(extended)) != 0;

    private static int Word(long extended) => (int)(extended & (WindowBits - 1)) / WordBits;

    private static ulong Bit(long extended) => 1UL << (int)(extended & (WordBits - 1));
}

/// <summary>What a sequence number says about its packet.</summary>
public enum SequenceVerdict
{
    /// <summary>Higher than all before it; numbers may be missing between.</summary>
    InOrder,

    /// <summary>Lower than the highest, and not seen before.</summary>
    Reordered,

    /// <summary>Seen before.</summary>
    Duplicate,

    /// <summary>Far off: a stray packet, or the first one of a sender that began anew. The next one tells.</summary>
    Suspect,

    /// <summary>The second packet after a jump: the sender began anew at the suspect one (<see cref="SequenceTracker.RestartedAt"/>).</summary>
    Restarted,
}
