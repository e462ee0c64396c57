namespace SipNat.Media.Playout;

/// <summary>What became of the packets of a stream that was played.</summary>
public readonly record struct PlayoutCounts
{
    /// <summary>Packets of audio that were decoded and played.</summary>
    public long Played { get; init; }

    /// <summary>Packets of audio that came after their time, or that there was no room for.</summary>
    public long Late { get; init; }

    /// <summary>Packets of audio that no codec here decodes.</summary>
    public long Undecoded { get; init; }

    /// <summary>Packets of silence that were left out to shorten the delay.</summary>
    public long Skipped { get; init; }

    /// <summary>Samples that were made up for what was lost or came late.</summary>
    public long ConcealedSamples { get; init; }

    /// <summary>Samples of silence or noise that were put in to lengthen the delay.</summary>
    public long InsertedSamples { get; init; }

    /// <summary>Packets with comfort noise (RFC 3389).</summary>
    public long ComfortNoise { get; init; }

    /// <summary>How often the stream began anew: another SSRC, or timestamps that jumped.</summary>
    public long Restarts { get; init; }
}
