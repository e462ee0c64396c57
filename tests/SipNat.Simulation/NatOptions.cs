namespace SipNat.Simulation;

/// <summary>How a simulated NAT behaves, in the terms of RFC 4787. The default is a port-restricted cone.</summary>
public sealed record NatOptions
{
    /// <summary>Endpoint-independent mapping and filtering.</summary>
    public static NatOptions FullCone { get; } = new() { Filtering = NatFiltering.EndpointIndependent };

    /// <summary>Endpoint-independent mapping, address-dependent filtering.</summary>
    public static NatOptions AddressRestricted { get; } = new() { Filtering = NatFiltering.AddressDependent };

    /// <summary>Endpoint-independent mapping, address-and-port-dependent filtering.</summary>
    public static NatOptions PortRestricted { get; } = new();

    /// <summary>Address-and-port-dependent mapping and filtering, ports at random.</summary>
    public static NatOptions Symmetric { get; } = new()
    {
        Mapping = NatMapping.AddressAndPortDependent,
        PortAssignment = PortAssignment.Random,
    };

    /// <summary>When an internal endpoint's next packet reuses its mapping (RFC 4787 §4.1).</summary>
    public NatMapping Mapping { get; init; } = NatMapping.EndpointIndependent;

    /// <summary>Whose packets a mapping lets in (RFC 4787 §5).</summary>
    public NatFiltering Filtering { get; init; } = NatFiltering.AddressAndPortDependent;

    /// <summary>How the external port is chosen (RFC 4787 §4.2).</summary>
    public PortAssignment PortAssignment { get; init; } = PortAssignment.Preserve;

    /// <summary>Lifetime of a UDP mapping that has carried packets outwards only. Linux: 30 s.</summary>
    public TimeSpan FreshLifetime { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Lifetime of a UDP mapping that has carried packets both ways. Linux: 120 s; RFC 4787 REQ-5: at least that.</summary>
    public TimeSpan EstablishedLifetime { get; init; } = TimeSpan.FromSeconds(120);

    /// <summary>Lifetime of an idle connection (RFC 5382 REQ-5: at least 2 h 4 min).</summary>
    public TimeSpan TcpLifetime { get; init; } = TimeSpan.FromMinutes(124);

    /// <summary>Whether an accepted inbound packet refreshes the mapping too (RFC 4787 REQ-6b).</summary>
    public bool RefreshOnInbound { get; init; }

    /// <summary>Whether two internal hosts can talk by the external address (RFC 4787 REQ-9).</summary>
    public bool Hairpin { get; init; }

    /// <summary>Whether datagrams that need fragments (above 1472 bytes) are dropped on their way out.</summary>
    public bool DropsFragmentsOut { get; init; }

    /// <summary>The same on their way in.</summary>
    public bool DropsFragmentsIn { get; init; }

    /// <summary>Whether SIP over UDP is rewritten on the way, as badly as consumer routers do.</summary>
    public SipAlgKind SipAlg { get; init; }

    /// <summary>Lowest external port that is assigned; a preserved port may be lower.</summary>
    public int FirstPort { get; init; } = 1024;

    /// <summary>Highest external port that is assigned.</summary>
    public int LastPort { get; init; } = 65535;
}

/// <summary>How far a gateway goes that rewrites SIP.</summary>
public enum SipAlgKind
{
    None,

    /// <summary>Via, Contact and session descriptions, both ways.</summary>
    BothWays,

    /// <summary>The same in what leaves alone, so that answers come back changed.</summary>
    OneWay,

    /// <summary>Both ways, and the addresses in From, To and Call-ID too, to which it adds its port.</summary>
    Thorough,
}

/// <summary>When a mapping is reused for another destination (RFC 4787 §4.1).</summary>
public enum NatMapping
{
    /// <summary>For every destination.</summary>
    EndpointIndependent,

    /// <summary>For the same destination address, whatever its port.</summary>
    AddressDependent,

    /// <summary>For the same destination address and port only.</summary>
    AddressAndPortDependent,
}

/// <summary>Whose packets are let in by a mapping (RFC 4787 §5).</summary>
public enum NatFiltering
{
    /// <summary>Everybody's.</summary>
    EndpointIndependent,

    /// <summary>Those of addresses that the internal endpoint has sent to.</summary>
    AddressDependent,

    /// <summary>Those of addresses and ports that the internal endpoint has sent to.</summary>
    AddressAndPortDependent,
}

/// <summary>How an external port is chosen (RFC 4787 §4.2).</summary>
public enum PortAssignment
{
    /// <summary>The internal port while it is free, else the next free one above it.</summary>
    Preserve,

    /// <summary>A random one of the same parity, so that even RTP ports stay even.</summary>
    Parity,

    /// <summary>The next free one after the last that was assigned.</summary>
    Sequential,

    /// <summary>A random one.</summary>
    Random,
}
