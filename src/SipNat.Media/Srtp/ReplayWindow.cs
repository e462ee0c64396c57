namespace SipNat.Media.Srtp;

/// <summary>Which of the last packets have been there (RFC 3711 §3.3.2). The index is 48 bits of RTP, or 31 of RTCP.</summary>
internal struct ReplayWindow
{
    /// <summary>Packets behind the highest one that may still come, twice of what RFC 3711 wants at least.</summary>
    public const int Length = 128;

    // Bit n stands for the packet n before the highest one.
    private UInt128 _seen;

    /// <summary>The highest index that was accepted; null before any.</summary>
    public ulong? Highest { get; private set; }

    public readonly ReplayStanding Judge(ulong index)
    {
        if (Highest is not { } highest || index > highest) return ReplayStanding.Open;

        var behind = highest - index;
        return behind >= Length ? ReplayStanding.TooOld
            : ((_seen >> (int)behind) & 1) == 0 ? ReplayStanding.Open
            : ReplayStanding.Seen;
    }

    /// <summary>Remembers a packet that was found to be genuine.</summary>
    public void Accept(ulong index)
    {
        if (Highest is not { } highest || index > highest)
        {
            var ahead = index - Highest ?? Length;
            _seen = ahead < Length ? (_seen << (int)ahead) | 1 : 1;
            Highest = index;
            return;
        }

        _seen |= UInt128.One << (int)(highest - index);
    }
}

/// <summary>What is known of an index.</summary>
internal enum ReplayStanding
{
    /// <summary>It has not been there.</summary>
    Open,

    Seen,

    /// <summary>Nobody knows any more.</summary>
    TooOld,
}
