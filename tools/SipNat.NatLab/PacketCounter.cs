using System.Globalization;
using System.Text.RegularExpressions;

namespace SipNat.NatLab;

/// <summary>A counter at a host's interface, before anything else of the host has seen the packet.</summary>
public sealed partial class PacketCounter
{
    private static int _numbers;

    private readonly LabHost _host;
    private readonly string _table;

    private PacketCounter(LabHost host, string table) => (_host, _table) = (host, table);

    /// <summary>Packets since the counter was set up.</summary>
    public async Task<long> ReadAsync(CancellationToken stop)
    {
        var listing = await _host.RunAsync("nft", ["list", "table", "netdev", _table], stop: stop);
        return long.Parse(Packets().Match(listing).Groups["count"].Value, CultureInfo.InvariantCulture);
    }

    internal static async Task<PacketCounter> StartAsync(LabHost host, string filter, CancellationToken stop)
    {
        var table = $"count{Interlocked.Increment(ref _numbers)}";
        var rules = $"table netdev {table} {{ chain in {{ type filter hook ingress device \"eth0\" priority 0; policy accept; {filter} counter; }}; }}\n";
        await host.RunAsync("nft", ["-f", "-"], rules, stop);
        return new(host, table);
    }

    [GeneratedRegex(@"counter packets (?<count>[0-9]+)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Packets();
}
