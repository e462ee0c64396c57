using SipNat.Endpoint.Media;
using SipNat.Wire;

namespace SipNat.Endpoint.Calls;

/// <summary>What is known of the audio of a call at one moment.</summary>
internal readonly record struct CallSituation
{
    /// <summary>By the direction that was agreed on.</summary>
    public bool MayReceive { get; init; }

    /// <summary>The last packet of RTP or RTCP that belongs to the stream; null before any.</summary>
    public Instant? HeardAt { get; init; }

    /// <summary>The last of RTP; null before any.</summary>
    public Instant? MediaHeardAt { get; init; }

    /// <summary>RTP packets that came to the port, whoever sent them and whether or not they could be used.</summary>
    public long Arrived { get; init; }

    /// <summary>What the peer says that it has sent; null where it says nothing.</summary>
    public PeerCount? PeerSent { get; init; }

    /// <summary>By the direction that was agreed on.</summary>
    public bool MaySend { get; init; }

    /// <summary>Packets of audio that left.</summary>
    public long Sent { get; init; }

    /// <summary>Those of them that the peer has received by its own word; null where it says nothing.</summary>
    public long? ReceivedByPeer { get; init; }

    /// <summary>When it said so last; null before.</summary>
    public Instant? ReportedAt { get; init; }

    /// <summary>Datagrams that the system refused to send: no route, or a firewall here.</summary>
    public long SendsFailed { get; init; }

    /// <summary>When ICMP said last that nobody takes what is sent to where our audio goes; null where that is long ago.</summary>
    public Instant? RefusedByIcmpAt { get; init; }

    /// <summary>Our audio goes back to where the peer's comes from, which is not where its description says that it listens.</summary>
    public bool IsSentElsewhere { get; init; }

    /// <summary>The peer has refused another address: it is asked no more.</summary>
    public bool HasRefused { get; init; }

    /// <summary>An offer is under way: the peer can be asked for nothing.</summary>
    public bool IsNegotiating { get; init; }
}
