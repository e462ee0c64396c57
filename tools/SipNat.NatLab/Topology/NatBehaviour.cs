using System.Diagnostics;

namespace SipNat.NatLab.Topology;

/// <summary>What a router does with UDP, by its classic name; the RFC 4787 words stand beside it.</summary>
public enum NatBehaviour
{
    /// <summary>No router: the host has a public address.</summary>
    Open,

    /// <summary>Endpoint-independent mapping and filtering.</summary>
    FullCone,

    /// <summary>Endpoint-independent mapping, address-dependent filtering.</summary>
    AddressRestricted,

    /// <summary>Endpoint-independent mapping, address-and-port-dependent filtering.</summary>
    PortRestricted,

    /// <summary>Address-and-port-dependent mapping and filtering.</summary>
    Symmetric,

    /// <summary>Two port-restricted routers, one behind the other, with 100.64.0.0/10 between them (RFC 6598).</summary>
    Double,

    /// <summary>A port-restricted router that lets no UDP through.</summary>
    UdpBlocked,
}

public static class NatBehaviours
{
    private static readonly (NatBehaviour Behaviour, string Name)[] Names =
    [
        (NatBehaviour.Open, "open"),
        (NatBehaviour.FullCone, "full-cone"),
        (NatBehaviour.AddressRestricted, "address-restricted"),
        (NatBehaviour.PortRestricted, "port-restricted"),
        (NatBehaviour.Symmetric, "symmetric"),
        (NatBehaviour.Double, "double"),
        (NatBehaviour.UdpBlocked, "udp-blocked"),
    ];

    public static string AllNames => string.Join(", ", Names.Select(pair => pair.Name));

    /// <summary>Reads a name; <c>none</c> is another word for <c>open</c>.</summary>
    public static bool TryParse(string text, out NatBehaviour behaviour)
    {
        var name = text == "none" ? "open" : text;
        var found = Array.FindIndex(Names, pair => pair.Name == name);
        behaviour = found >= 0 ? Names[found].Behaviour : default;
        return found >= 0;
    }

    extension(NatBehaviour behaviour)
    {
        public string Name => Array.Find(Names, pair => pair.Behaviour == behaviour).Name ?? throw new UnreachableException();
    }
}
