using System.Diagnostics;
using SipNat.Endpoint.Media;
using SipNat.Wire;

namespace SipNat.Endpoint.Diagnosis;

/// <summary>What ICMP says of our packets, in words.</summary>
internal static class IcmpText
{
    /// <summary>One sentence that names who refuses them, whether that is their destination or somebody on the way, and why.</summary>
    /// <param name="local">The internal address that they leave from.</param>
    public static string Explain(this IcmpError error, TransportAddress local)
    {
        var by = error.Offender.AddressText;
        if (error.Offender.HasSameAddress(local)) return $"this machine, {by}, says by ICMP that {Why(error.Reason)}: it has no way to that address, its firewall forbids it, or nobody answers for the address in its network.";
        if (error.Offender.HasSameAddress(error.Destination))
        {
            return error.Reason is IcmpReason.PortUnreachable
                ? $"{by} itself says by ICMP that {Why(error.Reason)}: the program over there has closed it or is gone, or the router at that address no longer passes it on."
                : $"{by} itself says by ICMP that {Why(error.Reason)}.";
        }

        return $"{by}, a router or firewall on the way, says by ICMP that {Why(error.Reason)}.";
    }

    private static string Why(IcmpReason reason) => reason switch
    {
        IcmpReason.PortUnreachable => "the port is closed",
        IcmpReason.HostUnreachable => "the host is not there",
        IcmpReason.NetworkUnreachable => "no way leads there",
        IcmpReason.Prohibited => "a rule forbids it",
        IcmpReason.HopLimit => "the packets went in a circle",
        _ => throw new UnreachableException(),
    };
}
