using System.Diagnostics;
using SipNat.Wire;

namespace SipNat.Endpoint.Addressing;

/// <summary>Where packets may go; none where they may not go anywhere.</summary>
public readonly record struct MediaDestination(TransportAddress Address, MediaAllowance Allowance, MediaDestinationReason Reason);

/// <summary>How much may be sent.</summary>
public enum MediaAllowance
{
    None,

    /// <summary>One packet per <see cref="MediaDestinationPolicy.UnconfirmedInterval"/>, and a short one.</summary>
    Trickle,

    /// <summary>What the session wants.</summary>
    Full,
}

public enum MediaDestinationReason
{
    /// <summary>Media has come from there.</summary>
    MediaSeen,

    /// <summary>The SDP's address, after the ACK.</summary>
    Described,

    /// <summary>The SDP's address, which is the signalling source's.</summary>
    DescribedIsSource,

    /// <summary>No ACK yet: the signalling source's address with the SDP's port.</summary>
    BeforeAck,

    /// <summary>The SDP has no address or 0.0.0.0: the signalling source's address with the SDP's port.</summary>
    DescribedUnspecified,

    /// <summary>The SDP has a group address: the signalling source's address with the SDP's port.</summary>
    DescribedMulticast,

    /// <summary>The SDP has a loopback address and comes from another machine: the signalling source's address with the SDP's port.</summary>
    DescribedLoopback,

    /// <summary>The SDP has a private address and comes from outside: the signalling source's address with the SDP's port.</summary>
    DescribedPrivate,

    /// <summary>The SDP has an address of another family than our socket: the signalling source's address with the SDP's port.</summary>
    DescribedOtherFamily,

    /// <summary>Port 0: the stream is rejected.</summary>
    NoPort,

    /// <summary>The signalling source is no address either.</summary>
    NoSource,
}

public static class MediaDestinationText
{
    public static string Explain(this MediaDestination destination) => destination.Reason switch
    {
        MediaDestinationReason.MediaSeen => $"media came from {destination.Address}",
        MediaDestinationReason.Described => $"{destination.Address} as described; nothing has come from there",
        MediaDestinationReason.DescribedIsSource => $"{destination.Address} as described, where the signalling comes from",
        MediaDestinationReason.BeforeAck => $"no ACK yet: {destination.Address}, where the signalling comes from",
        MediaDestinationReason.DescribedUnspecified => $"the description has no address: {destination.Address}, where the signalling comes from",
        MediaDestinationReason.DescribedMulticast => $"the description has a group address: {destination.Address}, where the signalling comes from",
        MediaDestinationReason.DescribedLoopback => $"the description has a loopback address: {destination.Address}, where the signalling comes from",
        MediaDestinationReason.DescribedPrivate => $"the description has a private address of another network: {destination.Address}, where the signalling comes from",
        MediaDestinationReason.DescribedOtherFamily => $"the description has an address of another family: {destination.Address}, where the signalling comes from",
        MediaDestinationReason.NoPort => "nowhere: the description has no port",
        MediaDestinationReason.NoSource => "nowhere: no address to send to",
        _ => throw new UnreachableException(),
    };
}
