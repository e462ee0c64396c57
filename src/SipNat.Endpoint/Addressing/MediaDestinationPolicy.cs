using SipNat.Wire;

namespace SipNat.Endpoint.Addressing;

/// <summary>
/// Where the packets of a media socket may go. SDP is written by the peer, so an address in it is a claim: until the
/// ACK has arrived only the signalling source is sent to, until media has come only a trickle is sent, and some
/// addresses are never believed. Otherwise one INVITE would aim this machine at a third party or at its own network.
/// </summary>
public sealed class MediaDestinationPolicy(LocalNetworks localNetworks)
{
    /// <summary>The least time between two packets to an address from which nothing has come.</summary>
    public static readonly TimeSpan UnconfirmedInterval = TimeSpan.FromSeconds(1);

    /// <summary>The longest packet (UDP payload, bytes) to an address from which nothing has come.</summary>
    public const int UnconfirmedMaxLength = 60;

    /// <summary>Decides for one socket: RTP and RTCP ask each for their own.</summary>
    public MediaDestination Decide(in MediaDestinationQuestion question)
    {
        var source = question.SignallingSource;
        if (question.MediaSeenFrom is { IsNone: false, Port: not 0 } seen && MayFollow(seen, question))
        {
            return new(seen, MediaAllowance.Full, MediaDestinationReason.MediaSeen);
        }

        if (question.Described.Port == 0) return new(default, MediaAllowance.None, MediaDestinationReason.NoPort);

        var (address, reason) = Choose(question);
        return address.IsNone || address.IsUnspecified || address.IsMulticastOrBroadcast || source.IsNone
            ? new(default, MediaAllowance.None, MediaDestinationReason.NoSource)
            : new(address, MediaAllowance.Trickle, reason);
    }

    // Media that came from an address proves that somebody there answers; before the ACK it proves nothing about the
    // peer, and a loopback or group source cannot be a real one.
    private static bool MayFollow(TransportAddress seen, in MediaDestinationQuestion question)
    {
        if (seen.HasSameAddress(question.SignallingSource)) return true;

        return question.AckReceived && seen is { IsUnspecified: false, IsMulticastOrBroadcast: false, IsLoopback: false };
    }

    // The socket cannot send there; who signals by our family may have media of it too.
    private static bool IsOtherFamily(in MediaDestinationQuestion question) =>
        !question.Local.IsNone && question.Described.Family != question.Local.Family && question.SignallingSource.Family == question.Local.Family;

    private (TransportAddress Address, MediaDestinationReason Reason) Choose(in MediaDestinationQuestion question)
    {
        var (described, source) = (question.Described, question.SignallingSource);
        var atSource = source.IsNone ? default : source.WithPort(described.Port);
        var unusable = localNetworks.Judge(described, source);
        return unusable switch
        {
            UnusableAddress.Missing or UnusableAddress.Unspecified => (atSource, MediaDestinationReason.DescribedUnspecified),
            UnusableAddress.Multicast => (atSource, MediaDestinationReason.DescribedMulticast),
            UnusableAddress.Loopback => (atSource, MediaDestinationReason.DescribedLoopback),
            UnusableAddress.PrivateOutside => (atSource, MediaDestinationReason.DescribedPrivate),
            _ when IsOtherFamily(question) => (atSource, MediaDestinationReason.DescribedOtherFamily),
            _ when described.HasSameAddress(source) => (described, MediaDestinationReason.DescribedIsSource),
            _ when !question.AckReceived => (atSource, MediaDestinationReason.BeforeAck),
            _ => (described, MediaDestinationReason.Described),
        };
    }
}

/// <summary>What is known about the peer of one media socket.</summary>
public readonly record struct MediaDestinationQuestion
{
    /// <summary>The source of the peer's last signalling message.</summary>
    public TransportAddress SignallingSource { get; init; }

    /// <summary>The peer's address and port for this socket, as its SDP has it.</summary>
    public TransportAddress Described { get; init; }

    /// <summary>Our socket; none where it may send to any family.</summary>
    public TransportAddress Local { get; init; }

    /// <summary>Whether the ACK of the answer has arrived; true for requests of ours that were answered.</summary>
    public bool AckReceived { get; init; }

    /// <summary>The source that the socket has latched to; none while nothing has come.</summary>
    public TransportAddress MediaSeenFrom { get; init; }
}
