namespace SipNat.Media.Srtp;

/// <summary>How far one SSRC has come under one master key: its roll-over counter, and what has been there.</summary>
internal sealed class SrtpSource
{
    /// <summary>Sequence numbers of one round.</summary>
    public const long Round = 1L << 16;

    // A number in the lower half may be behind a roll-over that nobody here has seen.
    private const ushort HalfWay = 0x8000;
    private const long MaxIndex = (1L << 48) - 1;

    private ReplayWindow _rtp;
    private ReplayWindow _rtcp;

    /// <summary>
    /// The index of a packet by its sequence number: the one that is nearest to the highest so far (RFC 3711 §3.3.1).
    /// Below 0 where that is before the first.
    /// </summary>
    public long Estimate(ushort sequence)
    {
        if (_rtp.Highest is not { } highest) return sequence;

        var (last, same) = ((ushort)highest, (long)(highest & ~0xFFFFUL) + sequence);
        return last < HalfWay
            ? sequence - last > HalfWay ? same - Round : same
            : last - HalfWay > sequence ? same + Round : same;
    }

    /// <summary>
    /// Whether the index may be one round further: that of a source which rolled over before its first packet came, or went
    /// on for more than 32,768 packets of which none came.
    /// </summary>
    public bool MayBeFurther(ushort sequence) => _rtp.Highest is not null || sequence < HalfWay;

    /// <summary>The index of the next packet that is sent; null where the key has protected as many as it may (RFC 3711 §9.2).</summary>
    public ulong? Next(ushort sequence) => Estimate(sequence) is >= 0 and <= MaxIndex and var index ? (ulong)index : null;

    public ReplayStanding Judge(long index) => index < 0 ? ReplayStanding.TooOld : _rtp.Judge((ulong)index);

    public void Accept(ulong index) => _rtp.Accept(index);

    public ReplayStanding JudgeControl(uint index) => _rtcp.Judge(index);

    public void AcceptControl(uint index) => _rtcp.Accept(index);
}
