using SipNat.Traversal.PortMapping;
using SipNat.Wire;

namespace SipNat.Endpoint.Addressing;

/// <summary>What the configuration says about the outside of this machine (the <c>Nat</c> section, names resolved).</summary>
public sealed record AddressingOptions
{
    /// <summary><c>Nat:ExternalAddress</c>: public addresses, at best one per family; the port is ignored.</summary>
    public IReadOnlyList<TransportAddress> External { get; init; } = [];

    /// <summary><c>Nat:ForwardedPorts</c>.</summary>
    public ForwardedPorts ForwardedPorts { get; init; }

    /// <summary><c>Nat:ExternalSipPort</c>: where the forward of <see cref="SipPort"/> begins; null where it is the same.</summary>
    public int? ExternalSipPort { get; init; }

    /// <summary>The local SIP port that <see cref="ExternalSipPort"/> leads to; other SIP ports are forwarded as they are.</summary>
    public int SipPort { get; init; } = 5060;

    /// <summary><c>Nat:ExternalMediaFirstPort</c>: where the forward of the media range begins; null where it is the same.</summary>
    public int? ExternalMediaFirstPort { get; init; }

    /// <summary><c>Media:FirstPort</c>.</summary>
    public int MediaFirstPort { get; init; } = 10000;

    /// <summary><c>Nat:RelayOnly</c>: peers outside the local networks are told relayed addresses for media, and no other.</summary>
    public bool IsRelayOnly { get; init; }

    /// <summary>
    /// Local addresses to the public ones that a cloud has put in front of them, port by port (<c>Nat:CloudMetadata</c>);
    /// ports are 0.
    /// </summary>
    public IReadOnlyDictionary<TransportAddress, TransportAddress> CloudAddresses { get; init; } = new Dictionary<TransportAddress, TransportAddress>();

    /// <summary>The ports that the router has opened for us (<c>Nat:PortMapping</c>), as it stands at the moment.</summary>
    public IReadOnlyDictionary<InternalPort, RouterMapping> RouterMappings { get; init; } = new Dictionary<InternalPort, RouterMapping>();

    /// <summary><c>Nat:LocalNetworks</c>, or the networks of this machine's interfaces.</summary>
    public IReadOnlyList<NetworkPrefix> LocalNetworks { get; init; } = [];
}

public enum ForwardedPorts
{
    /// <summary>The NAT forwards nothing to this machine, or everything (1:1).</summary>
    None,

    /// <summary>The NAT forwards the SIP and media ports to this machine, one to one.</summary>
    Same,
}
