using System.Net;
using System.Security.Cryptography;
using SipNat.NatLab.Processes;
using SipNat.NatLab.Topology;

namespace SipNat.NatLab;

/// <summary>
/// A small internet in network namespaces: <c>srv</c> with two public addresses, <c>hostA</c> and <c>hostB</c>, each
/// behind its router (<c>natA</c>, <c>natB</c>) or on a public address, and <c>nearB</c>, hostB's neighbour. Disposing
/// ends what was started in it and removes every namespace.
/// </summary>
public sealed class NatLaboratory : IAsyncDisposable
{
    private readonly LabNetwork _network;

    private NatLaboratory(LabNetwork network) => _network = network;

    /// <summary>The prefix of the namespaces.</summary>
    public string Name => _network.Name;

    public TopologyOptions Options => _network.Options;

    public IReadOnlyCollection<LabHost> Hosts => _network.Hosts.Values;

    public IReadOnlyCollection<LabRouter> Routers => _network.Routers.Values;

    /// <summary>The public address that hostB is reached by: its router's, or its own.</summary>
    public IPAddress RightPublicAddress => _network.Routers.TryGetValue(LabNetwork.RightRouter, out var router) ? router.PublicAddress : Host(LabNetwork.RightHost).Address;

    /// <summary>The public address that hostA is seen with.</summary>
    public IPAddress LeftPublicAddress => _network.Routers.TryGetValue(LabNetwork.LeftRouter, out var router) ? router.PublicAddress : Host(LabNetwork.LeftHost).Address;

    /// <exception cref="LabException">A command failed; what had been built is removed.</exception>
    public static async Task<NatLaboratory> CreateAsync(TopologyOptions options, CancellationToken stop)
    {
        var name = options.Name ?? "sn" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(3));
        var network = new LabNetwork(name, options);
        try
        {
            await network.BuildAsync(stop);
            return new(network);
        }
        catch
        {
            await network.RemoveAsync();
            throw;
        }
    }

    /// <param name="name">srv, hostA, hostB or nearB.</param>
    /// <exception cref="KeyNotFoundException">This topology has no such host.</exception>
    public LabHost Host(string name) => _network.Hosts[name];

    /// <param name="name">natA or natB.</param>
    /// <exception cref="KeyNotFoundException">That side has no router.</exception>
    public LabRouter Router(string name) => _network.Routers[name];

    public async ValueTask DisposeAsync()
    {
        try
        {
            foreach (var host in _network.Hosts.Values) await host.EndProcessesAsync();
            foreach (var router in _network.Routers.Values) await router.Host.EndProcessesAsync();
        }
        finally
        {
            await _network.RemoveAsync();
        }
    }
}
