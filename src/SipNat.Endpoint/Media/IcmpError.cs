using SipNat.Wire;

namespace SipNat.Endpoint.Media;

/// <summary>What a host or router said of a datagram that we sent (RFC 792, RFC 4443).</summary>
/// <param name="Destination">Where the datagram was to go.</param>
/// <param name="Offender">Who says so, with port 0: the destination, somebody on the way, or this machine itself.</param>
/// <param name="Type">Of the message; ICMP or ICMPv6 by the family of the destination.</param>
/// <param name="Code">What is meant within the type.</param>
public readonly record struct IcmpError(TransportAddress Destination, TransportAddress Offender, byte Type, byte Code)
{
    public IcmpReason Reason => Destination.IsIPv6 ? ReasonOfIcmp6() : ReasonOfIcmp();

    /// <summary>Whether the datagram is gone, and another one like it would be too.</summary>
    public bool IsRefusal => Reason is not (IcmpReason.MessageTooBig or IcmpReason.Other);

    // RFC 792; codes 6 to 12 of type 3 are of RFC 1122 §3.2.2.1, 13 to 15 of RFC 1812 §5.2.7.1.
    private IcmpReason ReasonOfIcmp() => (Type, Code) switch
    {
        (3, 0 or 5 or 6 or 11) => IcmpReason.NetworkUnreachable,
        (3, 1 or 7 or 8 or 12) => IcmpReason.HostUnreachable,
        (3, 2 or 3) => IcmpReason.PortUnreachable,
        (3, 4) => IcmpReason.MessageTooBig,
        (3, 9 or 10 or 13 or 14 or 15) => IcmpReason.Prohibited,
        (11, 0) => IcmpReason.HopLimit,
        _ => IcmpReason.Other,
    };

    // RFC 4443 §3.
    private IcmpReason ReasonOfIcmp6() => (Type, Code) switch
    {
        (1, 0 or 2) => IcmpReason.NetworkUnreachable,
        (1, 1 or 5 or 6) => IcmpReason.Prohibited,
        (1, 3) => IcmpReason.HostUnreachable,
        (1, 4) => IcmpReason.PortUnreachable,
        (2, _) => IcmpReason.MessageTooBig,
        (3, 0) => IcmpReason.HopLimit,
        _ => IcmpReason.Other,
    };
}

/// <summary>ICMP says that packets are refused.</summary>
/// <param name="Error">The last message.</param>
/// <param name="Since">The first that was believed.</param>
/// <param name="At">When the last came.</param>
public readonly record struct IcmpRefusal(IcmpError Error, Instant Since, Instant At)
{
    /// <summary>Who hangs up may close the port before the BYE has arrived: what is younger says nothing of the call.</summary>
    public static readonly TimeSpan LeastAge = TimeSpan.FromMilliseconds(400);
}

/// <summary>Why a datagram was not taken, in the words that ICMP and ICMPv6 have in common.</summary>
public enum IcmpReason
{
    /// <summary>Nothing that says whether others would be taken.</summary>
    Other,

    /// <summary>Nobody listens at the port, or a firewall says so.</summary>
    PortUnreachable,

    /// <summary>The last router finds nobody at the address.</summary>
    HostUnreachable,

    /// <summary>A router has no way to it.</summary>
    NetworkUnreachable,

    /// <summary>A rule forbids it.</summary>
    Prohibited,

    /// <summary>It is too long for a link on the way.</summary>
    MessageTooBig,

    /// <summary>It passed more routers than any way has: they send it round in a circle.</summary>
    HopLimit,
}
