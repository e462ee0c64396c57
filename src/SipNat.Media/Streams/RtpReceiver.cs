namespace SipNat.Media.Streams;

/// <summary>The receiving end of one RTP stream: which SSRC is recorded, what is lost, what is a duplicate.</summary>
public sealed class RtpReceiver
{
    /// <summary>SSRCs that are followed at a time.</summary>
    public const int MaxSources = 16;

    /// <summary>SSRCs that a report lists.</summary>
    public const int MaxSsrcsListed = 16;
}

/// <summary>What became of a packet.</summary>
public enum RtpVerdict
{
    /// <summary>A frame for the timeline; take the held ones first.</summary>
    Accepted,

    /// <summary>Kept until the next packets tell what it is.</summary>
    Held,

    /// <summary>Already received.</summary>
    Duplicate,

    /// <summary>Of an SSRC that is not recorded, and found no room to be held.</summary>
    Secondary,
}
