using System.Diagnostics;

namespace SipNat.Traversal.PortMapping;

/// <summary>The protocols in which a router is asked for a port, best first.</summary>
public enum PortMappingMethod
{
    /// <summary>Port Control Protocol (RFC 6887).</summary>
    Pcp,

    /// <summary>NAT Port Mapping Protocol (RFC 6886).</summary>
    NatPmp,

    /// <summary>UPnP Internet Gateway Device, version 1 or 2.</summary>
    Upnp,
}

public static class PortMappingMethodText
{
    /// <summary>The name that people know.</summary>
    public static string Explain(this PortMappingMethod method) => method switch
    {
        PortMappingMethod.Pcp => "PCP",
        PortMappingMethod.NatPmp => "NAT-PMP",
        PortMappingMethod.Upnp => "UPnP",
        _ => throw new UnreachableException(),
    };
}
