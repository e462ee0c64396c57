using SipNat.Wire;

namespace SipNat.Simulation;

/// <summary>
/// One address space: the public internet, or the network inside a NAT. Realms may use the same private addresses;
/// an address means something only within its realm.
/// </summary>
internal sealed class Realm(SimulatedNat? gateway)
{
    // A host, or a NAT by its external address; the keys have port 0.
    private readonly Dictionary<TransportAddress, object> _nodes = [];

    /// <summary>The NAT between this realm and the next one outwards; null for the public internet.</summary>
    public SimulatedNat? Gateway { get; } = gateway;

    public bool IsPublic => Gateway is null;

    public bool Contains(TransportAddress address) => _nodes.ContainsKey(address.WithPort(0));

    /// <summary>Whether the address belongs to this realm or to one that lies outwards.</summary>
    public bool CanReach(TransportAddress address) =>
        Contains(address) || (Gateway is { } gateway && gateway.Outer.CanReach(address));

    public object? Find(TransportAddress address) => _nodes.GetValueOrDefault(address.WithPort(0));

    public void Add(TransportAddress address, object node)
    {
        if (address.IsNone) throw new ArgumentException("A host or a NAT has an address.", nameof(address));
        if (IsPublic && address.IsPrivate) throw new ArgumentException($"{address.AddressText} is private: it belongs behind a NAT.", nameof(address));
        if (!_nodes.TryAdd(address.WithPort(0), node)) throw new ArgumentException($"{address.AddressText} is taken in its network.", nameof(address));
    }

    public void Remove(TransportAddress address) => _nodes.Remove(address.WithPort(0));
}
