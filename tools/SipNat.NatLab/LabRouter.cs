using System.Net;
using System.Text.RegularExpressions;
using SipNat.NatLab.Processes;
using SipNat.NatLab.Topology;

namespace SipNat.NatLab;

/// <summary>A router between the internet and one private network.</summary>
public sealed partial class LabRouter
{
    private const string OtherMachine = "192.168.1.77";
    private const string OtherMachineHolds = "600";

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

    /// <summary>
    /// Is without power for a while: nothing passes, every mapping is forgotten, and when it comes back the outer ports of
    /// UDP mappings belong to another machine inside, so that the same mapping is not made anew.
    /// </summary>
    public async Task RebootAsync(TimeSpan down, CancellationToken stop)
    {
        await _host.RunAsync("sysctl", ["-qw", "net.ipv4.ip_forward=0"], stop: stop);
        var taken = Mappings().Matches(await _host.RunAsync("conntrack", ["-L", "-p", "udp"], stop: stop));
        await Task.Delay(down, stop);
        await FlushConntrackAsync(stop);
        foreach (Match mapping in taken) await TakeAsync(mapping, stop);
        await ApplyRulesAsync(stop);
        await _host.RunAsync("sysctl", ["-qw", "net.ipv4.ip_forward=1"], stop: stop);
    }

    /// <summary>Lets no packet through that matches, such as <c>iifname wan udp sport 30000-30999</c>, beside what it let through before.</summary>
    public Task DropAsync(string match, CancellationToken stop) => _host.RunAsync(
        "nft", ["-f", "-"], $"table ip fault {{\n chain forward {{\n type filter hook forward priority filter - 1;\n {match} counter drop;\n }}\n}}\n", stop);

    /// <summary>The same, and says so by ICMP.</summary>
    /// <param name="says">Such as <c>port-unreachable</c> or <c>admin-prohibited</c>.</param>
    public Task RefuseAsync(string match, string says, CancellationToken stop) => _host.RunAsync(
        "nft", ["-f", "-"], $"table ip fault {{\n chain forward {{\n type filter hook forward priority filter - 1;\n {match} counter reject with icmp type {says};\n }}\n}}\n", stop);

    /// <summary>Lets through again what <see cref="DropAsync"/> and <see cref="RefuseAsync"/> did not.</summary>
    public Task StopDroppingAsync(CancellationToken stop) => _host.RunAsync("nft", ["delete", "table", "ip", "fault"], stop: stop);

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

    private Task TakeAsync(Match mapping, CancellationToken stop) => ShortCommand.TryRunAsync(
        "ip",
        [
            "netns", "exec", _host.NetworkNamespace, "conntrack", "-I", "-p", "udp", "-t", OtherMachineHolds, "-s", OtherMachine, "-d", mapping.Groups["to"].Value,
            "--sport", mapping.Groups["outer"].Value, "--dport", mapping.Groups["port"].Value, "-r", mapping.Groups["to"].Value, "-q", PublicAddress.ToString(),
            "--reply-port-src", mapping.Groups["port"].Value, "--reply-port-dst", mapping.Groups["outer"].Value,
        ],
        stop: stop);

    // Of "src=… dst=TO sport=… dport=PORT … src=TO dst=WAN sport=PORT dport=OUTER".
    [GeneratedRegex(@"src=\S+ dst=(?<to>\S+) sport=\d+ dport=(?<port>\d+).* dst=\S+ sport=\d+ dport=(?<outer>\d+)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Mappings();
}
