using SipNat.Wire;

namespace SipNat.Traversal.PortMapping;

/// <summary>What became of one request for a port, in the same words for every protocol.</summary>
/// <param name="Port">The port that was asked for.</param>
/// <param name="Outcome">What the router said.</param>
/// <param name="External">Where the port is reached from outside; none unless it is mapped.</param>
/// <param name="Lifetime">How long the mapping holds, zero for ever; where it was refused, how long to wait at least.</param>
public readonly record struct PortMappingAnswer(
    InternalPort Port,
    PortMappingOutcome Outcome,
    TransportAddress External,
    TimeSpan Lifetime);

/// <summary>The answers of routers, without the numbers that each protocol has for them.</summary>
public enum PortMappingOutcome
{
    Mapped,

    /// <summary>The router does not let anybody, or this host, open ports.</summary>
    NotAuthorized,

    /// <summary>No port or no memory is left, or the external port belongs to another host.</summary>
    NoResources,

    /// <summary>The router has no external address at the moment.</summary>
    NetworkFailure,

    /// <summary>Another address than ours arrived at the router: a second NAT is in between (RFC 6887 §7.4).</summary>
    AddressMismatch,

    /// <summary>The router understood nothing of it, or not this part.</summary>
    Unsupported,

    /// <summary>The router was silent.</summary>
    NoAnswer,
}

public static class PortMappingOutcomeText
{
    public static string Explain(this PortMappingOutcome outcome) => outcome switch
    {
        PortMappingOutcome.Mapped => "mapped",
        PortMappingOutcome.NotAuthorized => "the router does not allow it; look for \"UPnP\", \"NAT-PMP\" or \"PCP\" in its settings",
        PortMappingOutcome.NoResources => "the router has no port or no room left",
        PortMappingOutcome.NetworkFailure => "the router has no address on the internet",
        PortMappingOutcome.AddressMismatch => "another NAT is between this machine and the router that answered",
        PortMappingOutcome.Unsupported => "the router does not know how",
        PortMappingOutcome.NoAnswer => "the router did not answer",
        _ => throw new System.Diagnostics.UnreachableException(),
    };
}
