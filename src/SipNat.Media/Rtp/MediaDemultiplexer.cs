namespace SipNat.Media.Rtp;

/// <summary>Tells the protocols apart that share one media socket (RFC 7983 §7, RFC 5761 §4).</summary>
public static class MediaDemultiplexer
{
    /// <summary>Looks at the first two bytes only; the reader of each protocol does the rest.</summary>
    public static MediaPacketKind Classify(ReadOnlySpan<byte> datagram)
    {
        if (datagram.IsEmpty) return MediaPacketKind.Unknown;

        return datagram[0] switch
        {
            <= 3 => MediaPacketKind.Stun,
            >= 20 and <= 63 => MediaPacketKind.Dtls,
            >= 64 and <= 79 => MediaPacketKind.TurnChannel,
            >= 128 and <= 191 => datagram.Length < 2 ? MediaPacketKind.Unknown : ClassifyRtp(datagram[1]),
            _ => MediaPacketKind.Unknown,
        };
    }

    // RTCP packet types 192–223 are what RTP payload types 64–95 look like with the marker bit set.
    private static MediaPacketKind ClassifyRtp(byte second) =>
        second is >= 192 and <= 223 ? MediaPacketKind.Rtcp : MediaPacketKind.Rtp;
}

/// <summary>What a datagram on a media socket is, by its first bytes.</summary>
public enum MediaPacketKind
{
    Unknown,
    Stun,
    Dtls,
    TurnChannel,
    Rtp,
    Rtcp,
}
