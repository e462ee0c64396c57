namespace SipNat.Simulation.Ice.Topologies;

/// <summary>What came of a topology.</summary>
/// <param name="Topology">The topology.</param>
/// <param name="Faults">Where the agents did otherwise than the oracle says; empty where all is right.</param>
/// <param name="Sessions">Sessions by what the oracle says of them, in the order of <see cref="PathClass"/>.</param>
/// <param name="Healed">Sessions that lost their path and found another one.</param>
/// <param name="SlowestConnection">The longest virtual time that a session took to connect.</param>
/// <param name="Packets">Packets that the network delivered.</param>
public sealed record IceTopologyResult(
    IceTopology Topology,
    IReadOnlyList<string> Faults,
    IReadOnlyList<int> Sessions,
    int Healed,
    TimeSpan SlowestConnection,
    long Packets)
{
    public bool IsRight => Faults.Count == 0;

    /// <summary>The seed, what was wrong, and the topology.</summary>
    public string Describe() => $"seed {Topology.Seed}: {string.Join("; ", Faults)}\n  {Topology}";
}
