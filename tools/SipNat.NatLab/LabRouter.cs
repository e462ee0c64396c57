using System.Net;
using SipNat.NatLab.Topology;

namespace SipNat.NatLab;

/// <summary>A router between the internet and one private network.</summary>
public sealed class LabRouter
{
    private readonly LabHost _host;
    private readonly IPAddress _inside;
    private readonly string _gateway;
    private RouterFeatures _features;

    internal LabRouter(LabHost host, NatBehaviour behaviour, IPAddress inside, RouterFeatures features, string gateway)
    {
        (_host, Behaviour, _inside, _features, _gateway) = (host, behaviour, inside, features, gateway);
        PublicAddress = host.Address;
    }

    public string Name => _host.Name;

    public NatBehaviour Behaviour { get; }

    /// <summary>The address that the internet sees.</summary>
    public IPAddress PublicAddress { get; private set; }

    /// <summary>The router's own namespace, for counters and commands.</summary>
    public LabHost Host => _host;

    /// <summary>Takes another public address, as after a new DHCP lease: all mappings are lost with the old one.</summary>
    public async Task RenumberAsync(IPAddress address, CancellationToken stop)
    {
        await _host.RunAsync("ip", ["addr", "del", $"{PublicAddress}/24", "dev", "wan"], stop: stop);
        await _host.RunAsync("ip", ["addr", "add", $"{address}/24", "dev", "wan"], stop: stop);
        await _host.RunAsync("ip", ["route", "replace", "default", "via", _gateway], stop: stop);
        PublicAddress = address;
        await ApplyRulesAsync(stop);
        await FlushConntrackAsync(stop);
    }

    /// <summary>Forgets every mapping. Where ports are preserved the next packet makes the same one again.</summary>
    public Task FlushConntrackAsync(CancellationToken stop) => _host.RunAsync("conntrack", ["-F"], stop: stop);

    /// <summary>Sets the lifetime of UDP mappings; running ones keep theirs until their next packet.</summary>
    /// <param name="lifetime">Of a fresh one.</param>
    /// <param name="established">Of one that carried packets both ways for two seconds; null for the same.</param>
    public async Task SetUdpTimeoutAsync(TimeSpan lifetime, CancellationToken stop, TimeSpan? established = null)
    {
        var (seconds, stream) = (Whole(lifetime), Whole(established ?? lifetime));
        _features = _features with { UdpTimeout = lifetime };
        await _host.RunAsync("sysctl", ["-qw", $"net.netfilter.nf_conntrack_udp_timeout={seconds}", $"net.netfilter.nf_conntrack_udp_timeout_stream={stream}"], stop: stop);
        await ApplyRulesAsync(stop);
    }

    /// <summary>The mappings at this moment, as <c>conntrack -L</c> prints them.</summary>
    public Task<string> ListConntrackAsync(CancellationToken stop) => _host.RunAsync("conntrack", ["-L"], stop: stop);

    private static int Whole(TimeSpan span) => Math.Max(1, (int)span.TotalSeconds);

    internal Task ApplyRulesAsync(CancellationToken stop) =>
        _host.RunAsync("nft", ["-f", "-"], RouterRules.Build(Behaviour, PublicAddress, _inside, _features), stop);
}
