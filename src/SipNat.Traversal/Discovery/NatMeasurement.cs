using SipNat.Wire;

namespace SipNat.Traversal.Discovery;

/// <summary>What a <see cref="NatBehaviourProbe"/> found out about the way of one address family to the internet.</summary>
public sealed record NatMeasurement
{
    /// <summary>The local address of the first socket.</summary>
    public required TransportAddress Local { get; init; }

    /// <summary>How a server saw that socket; none where no server answered.</summary>
    public TransportAddress External { get; init; }

    /// <summary>Whether no server's answer came. With one server alone that may be the server.</summary>
    public required Measured<bool> UdpBlocked { get; init; }

    /// <summary>RFC 4787 §4.1; None where the external address is the local one.</summary>
    public Measured<EndpointDependence> Mapping { get; init; }

    /// <summary>
    /// Whether the mapping is another one for another destination. That is known also where no server has two ports, which
    /// it takes to tell address-dependent from address-and-port-dependent mapping.
    /// </summary>
    public bool? MappingVaries { get; init; }

    /// <summary>RFC 4787 §5; None where everything is let in and nothing translated.</summary>
    public Measured<EndpointDependence> Filtering { get; init; }

    /// <summary>Whether a packet to the NAT's own external address comes back in (RFC 4787 §6).</summary>
    public Measured<bool> Hairpin { get; init; }

    /// <summary>Whether the external port is the local one (RFC 4787 §4.2.1).</summary>
    public Measured<bool> PortPreservation { get; init; }

    /// <summary>Whether datagrams that need IP fragments reach the internet.</summary>
    public Measured<bool> FragmentsOut { get; init; }

    /// <summary>Whether datagrams that need IP fragments arrive from there.</summary>
    public Measured<bool> FragmentsIn { get; init; }

    /// <summary>How long a silent mapping lives; inconclusive also where it was not measured (<see cref="MappingLifetimeProbe"/>).</summary>
    public MappingLifetimes Lifetimes { get; init; } = MappingLifetimes.Inconclusive;

    /// <summary>NATs on the way, 2 for more as well; inconclusive also where it was not measured (<see cref="NatLayers"/>).</summary>
    public Measured<int> Layers { get; init; }

    /// <summary>The server with a second address (RFC 5780 §7) that took part; none where no server has one.</summary>
    public TransportAddress BehaviourServer { get; init; }

    /// <summary>Responses with an id of ours from somewhere else than they had to come from.</summary>
    public int ForeignResponses { get; init; }

    /// <summary>As <see cref="PathPrediction"/> wants it; null while mapping or filtering is not known.</summary>
    public NatBehaviour? Behaviour =>
        UdpBlocked.Value is true ? NatBehaviour.UdpBlocked
        : Mapping.Value is { } mapping && Filtering.Value is { } filtering ? new(mapping, filtering) { Layers = Math.Max(1, Layers.Value ?? 1) }
        : null;
}

/// <summary>One measured property.</summary>
/// <param name="Value">The verdict; null: inconclusive.</param>
/// <param name="Confidence">0–1; 0 where inconclusive.</param>
/// <param name="Samples">Sockets that agree on the verdict.</param>
public readonly record struct Measured<T>(T? Value, double Confidence, int Samples)
    where T : struct
{
    // A second and a third socket that says the same rule out chance; what is left is what the servers may hide.
    private static readonly double[] ByAgreement = [0, 0.6, 0.85, 0.95];

    /// <param name="value">The verdict.</param>
    /// <param name="samples">Sockets that agree on it; at least 1.</param>
    /// <param name="trust">0–1: how far the servers that it rests on are known to do what they should.</param>
    public static Measured<T> Of(T value, int samples, double trust = 1) =>
        new(value, Math.Round(ByAgreement[Math.Min(samples, ByAgreement.Length - 1)] * trust, 2), samples);
}
