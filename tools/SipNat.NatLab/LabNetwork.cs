using System.Net;
using System.Text;
using SipNat.NatLab.Processes;
using SipNat.NatLab.Topology;

namespace SipNat.NatLab;

/// <summary>Namespaces, cables, addresses and rules of one laboratory.</summary>
internal sealed class LabNetwork(string name, TopologyOptions options)
{
    public const string LeftHost = "hostA";
    public const string RightHost = "hostB";
    public const string RightNeighbour = "nearB";
    public const string LeftRouter = "natA";
    public const string RightRouter = "natB";

    // The router of one's own in front of the provider's, where there are two.
    private const string LeftInnerRouter = "homeA";
    private const string RightInnerRouter = "homeB";

    private const string Internet = "inet";
    private const string Server = "srv";
    private const string CarrierGateway = "100.64.0.1";
    private const string CarrierCustomer = "100.64.0.2";

    public string Name => name;

    public TopologyOptions Options => options;

    public SortedDictionary<string, LabHost> Hosts { get; } = new(StringComparer.Ordinal);

    public SortedDictionary<string, LabRouter> Routers { get; } = new(StringComparer.Ordinal);

    private string InternetGateway => $"{options.PublicNetwork}.254";

    public async Task BuildAsync(CancellationToken stop)
    {
        await MakeNamespaceAsync(Internet, stop);
        await RunIpAsync(Internet, $"link add br0 type bridge mcast_snooping 0\nlink set br0 up\naddr add {InternetGateway}/24 dev br0\n", stop);
        await AddPublicHostAsync(Server, $"{options.PublicNetwork}.1", stop);
        await RunIpAsync(Server, $"addr add {options.PublicNetwork}.2/24 dev eth0\n", stop);
        await AddLeftAsync(stop);
        await AddRightAsync(stop);
        if (options.LossPercent > 0)
        {
            foreach (var host in Hosts.Values) await LosePacketsAsync(host, stop);
        }

        if (options.UdpTimeout is not { } lifetime) return;

        foreach (var router in Routers.Values) await router.SetUdpTimeoutAsync(lifetime, stop, options.UdpStreamTimeout);
    }

    /// <summary>Removes every namespace of this name; cables and rules go with them.</summary>
    public async Task RemoveAsync()
    {
        foreach (var networkNamespace in await ListNamespacesAsync(name)) await RemoveNamespaceAsync(networkNamespace);
    }

    /// <summary>The namespaces whose name begins with the prefix and a hyphen.</summary>
    public static async Task<IReadOnlyList<string>> ListNamespacesAsync(string prefix)
    {
        var listing = await ShortCommand.RunAsync("ip", ["netns", "list"]);
        return [.. listing.Split('\n').Select(line => line.Split(' ')[0]).Where(line => line.StartsWith(prefix + "-", StringComparison.Ordinal))];
    }

    // What still runs in a namespace of ours was started in it: it goes with the namespace, each by its id.
    public static async Task RemoveNamespaceAsync(string networkNamespace)
    {
        var running = await ShortCommand.TryRunAsync("ip", ["netns", "pids", networkNamespace]);
        foreach (var id in running.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)) _ = Native.Signal(int.Parse(id), Native.Kill);
        await ShortCommand.TryRunAsync("ip", ["netns", "del", networkNamespace]);
    }

    private async Task AddLeftAsync(CancellationToken stop)
    {
        if (options.Left is NatBehaviour.Open)
        {
            await AddPublicHostAsync(LeftHost, $"{options.PublicNetwork}.10", stop);
            return;
        }

        var subnet = options.Overlap || options.SameAddress ? "10.0.0" : "192.168.1";
        var host = IPAddress.Parse(subnet + (options.Overlap ? ".50" : ".100"));
        var features = new RouterFeatures([], options.Hairpin, options.Alg, options.DropFragments, options.UdpTimeout);
        var nearest = await AddRoutersAsync(LeftRouter, LeftInnerRouter, options.Left, $"{options.PublicNetwork}.10", $"{subnet}.1", host, features, stop);
        await AddPrivateHostAsync(LeftHost, nearest, host, $"{subnet}.1", stop);
    }

    private async Task AddRightAsync(CancellationToken stop)
    {
        if (options.Right is NatBehaviour.Open)
        {
            await AddPublicHostAsync(RightHost, $"{options.PublicNetwork}.20", stop);
            return;
        }

        var host = IPAddress.Parse("10.0.0.100");
        var features = new RouterFeatures(options.ForwardRight, options.Hairpin, options.Alg, options.DropFragments, options.UdpTimeout);
        var nearest = await AddRoutersAsync(RightRouter, RightInnerRouter, options.Right, $"{options.PublicNetwork}.20", "10.0.0.1", host, features, stop);
        await AddPrivateHostAsync(RightHost, nearest, host, "10.0.0.1", stop);
        await AddPrivateHostAsync(RightNeighbour, nearest, IPAddress.Parse("10.0.0.50"), "10.0.0.1", stop);
    }

    private async Task AddPublicHostAsync(string host, string address, CancellationToken stop)
    {
        await MakeNamespaceAsync(host, stop);
        await AddCableAsync(host, "eth0", Internet, "br0", stop);
        await RunIpAsync(host, $"addr add {address}/24 dev eth0\nroute add default via {InternetGateway}\n", stop);
        Hosts[host] = new(host, Qualified(host), IPAddress.Parse(address));
    }

    private async Task AddPrivateHostAsync(string host, string router, IPAddress address, string gateway, CancellationToken stop)
    {
        await MakeNamespaceAsync(host, stop);
        await AddCableAsync(host, "eth0", router, "lan", stop);
        await RunIpAsync(host, $"addr add {address}/24 dev eth0\nroute add default via {gateway}\n", stop);
        Hosts[host] = new(host, Qualified(host), address);
    }

    // One router, or the provider's and behind it one's own; gives the one that the host is connected to.
    private async Task<string> AddRoutersAsync(
        string router, string inner, NatBehaviour behaviour, string outside, string inside, IPAddress host, RouterFeatures features, CancellationToken stop)
    {
        if (behaviour is not NatBehaviour.Double)
        {
            await AddRouterAsync(router, new(Internet, "br0", outside, InternetGateway), inside, stop);
            await StartRouterAsync(router, behaviour, outside, host, features, stop);
            return router;
        }

        await AddRouterAsync(router, new(Internet, "br0", outside, InternetGateway), CarrierGateway, stop);
        await StartRouterAsync(router, NatBehaviour.PortRestricted, outside, IPAddress.Parse(CarrierCustomer), features with { Alg = false }, stop);
        await AddRouterAsync(inner, new(router, "lan", CarrierCustomer, CarrierGateway), inside, stop);
        await StartRouterAsync(inner, NatBehaviour.PortRestricted, CarrierCustomer, host, features, stop);
        return inner;
    }

    private async Task AddRouterAsync(string router, Uplink uplink, string inside, CancellationToken stop)
    {
        await MakeNamespaceAsync(router, stop);
        await AddCableAsync(router, "wan", uplink.Hub, uplink.Bridge, stop);
        var commands = new StringBuilder();
        commands.Append($"addr add {uplink.Address}/24 dev wan\nroute add default via {uplink.Gateway}\n");
        commands.Append($"link add lan type bridge mcast_snooping 0\nlink set lan up\naddr add {inside}/24 dev lan\n");
        await RunIpAsync(router, commands.ToString(), stop);
    }

    private async Task StartRouterAsync(string router, NatBehaviour behaviour, string outside, IPAddress inside, RouterFeatures features, CancellationToken stop)
    {
        var host = new LabHost(router, Qualified(router), IPAddress.Parse(outside));
        var started = new LabRouter(host, behaviour, inside, features, InternetGateway);
        await started.ApplyRulesAsync(stop);
        await host.RunAsync("sysctl", ["-qw", "net.ipv4.ip_forward=1"], stop: stop);
        Routers[router] = started;
    }

    // At the last hook before the host itself: each packet meets it once, whatever lies between.
    private Task LosePacketsAsync(LabHost host, CancellationToken stop)
    {
        var rules = $"table ip loss {{\n chain input {{\n type filter hook input priority filter;\n iifname eth0 numgen random mod 100 < {options.LossPercent} drop;\n }}\n}}\n";
        return host.RunAsync("nft", ["-f", "-"], rules, stop);
    }

    private async Task MakeNamespaceAsync(string host, CancellationToken stop)
    {
        await ShortCommand.RunAsync("ip", ["netns", "add", Qualified(host)], stop: stop);

        // IPv6 would chat (router solicitations) into counters that must stay at zero.
        var quiet = "[ ! -e /proc/sys/net/ipv6 ] || sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1";
        // A router's private side is a bridge: what is sent back by it has to be routed, and not bridged past the rules.
        var routed = "[ ! -e /proc/sys/net/bridge/bridge-nf-call-iptables ] || sysctl -qw net.bridge.bridge-nf-call-iptables=0";
        await ShortCommand.RunAsync("ip", ["netns", "exec", Qualified(host), "sh", "-c", $"{quiet}; {routed}"], stop: stop);
        await RunIpAsync(host, "link set lo up\n", stop);
    }

    private async Task AddCableAsync(string host, string device, string hub, string bridge, CancellationToken stop)
    {
        var port = "to-" + host;
        await ShortCommand.RunAsync("ip", ["link", "add", "name", device, "netns", Qualified(host), "type", "veth", "peer", "name", port, "netns", Qualified(hub)], stop: stop);
        await RunIpAsync(hub, $"link set {port} master {bridge}\nlink set {port} up\n", stop);
        await RunIpAsync(host, $"link set {device} up\n", stop);
    }

    private Task RunIpAsync(string host, string commands, CancellationToken stop) =>
        ShortCommand.RunAsync("ip", ["-n", Qualified(host), "-batch", "-"], commands, stop);

    private string Qualified(string host) => $"{name}-{host}";

    /// <summary>Where a router's outer cable leads.</summary>
    private sealed record Uplink(string Hub, string Bridge, string Address, string Gateway);
}
