namespace SipNat.Endpoint.Media;

/// <summary>
/// How far packets of both directions have come, counted since the beginning. The first stage that does not grow while the
/// one before it does is where audio is lost.
/// </summary>
public readonly record struct AudioStages
{
    /// <summary>Packets of ours that left.</summary>
    public long Sent { get; init; }

    /// <summary>Those of them that the peer says it has received, by its last report; null before one.</summary>
    public long? ReceivedByPeer { get; init; }

    /// <summary>RTP packets that came to the port, whoever sent them.</summary>
    public long Arrived { get; init; }

    /// <summary>Those of them that are genuine by their keys; all of them where none are agreed on.</summary>
    public long Authenticated { get; init; }

    /// <summary>Those of them that came from a source that is followed.</summary>
    public long Accepted { get; init; }

    /// <summary>Packets of audio that were decoded and played.</summary>
    public long Decoded { get; init; }

    /// <summary>Blocks of 20 ms in which something was to be heard.</summary>
    public long Audible { get; init; }
}
