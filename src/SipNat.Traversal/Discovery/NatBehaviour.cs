namespace SipNat.Traversal.Discovery;

/// <summary>What a host's packets meet on their way to the internet, in the terms of RFC 4787.</summary>
/// <param name="Mapping">When the external address and port change (§4.1); None where nothing is translated.</param>
/// <param name="Filtering">Whose packets are let in (§5); None where everything is.</param>
public sealed record NatBehaviour(EndpointDependence Mapping, EndpointDependence Filtering)
{
    /// <summary>A public address and no firewall.</summary>
    public static NatBehaviour Open { get; } = new(EndpointDependence.None, EndpointDependence.None);

    public static NatBehaviour FullCone { get; } = new(EndpointDependence.EndpointIndependent, EndpointDependence.EndpointIndependent);

    public static NatBehaviour AddressRestricted { get; } = new(EndpointDependence.EndpointIndependent, EndpointDependence.AddressDependent);

    public static NatBehaviour PortRestricted { get; } = new(EndpointDependence.EndpointIndependent, EndpointDependence.AddressAndPortDependent);

    public static NatBehaviour Symmetric { get; } = new(EndpointDependence.AddressAndPortDependent, EndpointDependence.AddressAndPortDependent);

    /// <summary>Two port-restricted NATs, one behind the other: a router of one's own behind that of a provider (RFC 6888).</summary>
    public static NatBehaviour Double { get; } = PortRestricted with { Layers = 2 };

    /// <summary>No UDP passes; TCP and TLS do.</summary>
    public static NatBehaviour UdpBlocked { get; } = PortRestricted with { IsUdpBlocked = true };

    /// <summary>NATs on the way, where anything is translated at all: 1 or more. A forward on the nearest helps only where it is 1.</summary>
    public int Layers { get; init; } = 1;

    public bool IsUdpBlocked { get; init; }

    /// <summary>Whether another destination sees another external address or port, so that STUN tells no peer's view.</summary>
    public bool IsMappingDependent => Mapping is EndpointDependence.AddressDependent or EndpointDependence.AddressAndPortDependent;

    /// <summary>Whether everybody's packets are let in at an address that exists.</summary>
    public bool AdmitsEverybody => Filtering is EndpointDependence.None or EndpointDependence.EndpointIndependent;
}

/// <summary>How much of the remote endpoint a NAT looks at (RFC 4787 §4.1 and §5 use the same words).</summary>
public enum EndpointDependence
{
    /// <summary>There is no translation, or no filter.</summary>
    None,
    EndpointIndependent,
    AddressDependent,
    AddressAndPortDependent,
}
