namespace SipNat.Simulation;

/// <summary>Why a packet of the simulated network did not arrive.</summary>
public enum DropReason
{
    /// <summary>By chance, as <see cref="Impairment.Loss"/> asks.</summary>
    Lost,

    /// <summary>No host and no NAT has the address.</summary>
    Unroutable,

    /// <summary>The address is private and belongs to none of the networks that the sender is in.</summary>
    PrivateDestination,

    /// <summary>The host has no socket, or no listener, at the port.</summary>
    PortClosed,

    /// <summary>The core sent on a flow that it no longer has.</summary>
    FlowClosed,

    /// <summary>The sender's or the receiver's link is unplugged.</summary>
    LinkDown,

    /// <summary>The NAT has no mapping for the external port.</summary>
    NoMapping,

    /// <summary>The NAT has a mapping, but not for this source.</summary>
    Filtered,

    /// <summary>Sent to the NAT's external address from inside, and the NAT does not hairpin.</summary>
    HairpinRefused,

    /// <summary>The NAT has no external port left.</summary>
    PortsExhausted,

    /// <summary>The datagram needs fragments and the NAT drops them.</summary>
    FragmentRefused,

    /// <summary>The NAT is restarting.</summary>
    NatDown,

    /// <summary>A message of a connection whose other end, or an earlier message, is gone.</summary>
    BrokenConnection,
}
