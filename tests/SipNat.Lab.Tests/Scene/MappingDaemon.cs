using System.Diagnostics;
using SipNat.NatLab;
using SipNat.NatLab.Processes;

namespace SipNat.Lab.Tests.Scene;

/// <summary>miniupnpd on the router of the recorder: PCP, NAT-PMP and UPnP IGD, made by others.</summary>
internal sealed class MappingDaemon : IAsyncDisposable
{
    /// <summary>The internet of these tests: the daemon maps nothing on reserved addresses such as 203.0.113.0/24.</summary>
    public const string PublicNetwork = "11.0.113";

    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    // Two seconds are left to clocks that drift (RFC 6886 §3.6, RFC 6887 §8.5): a daemon that ran for less has not
    // restarted, for all that its epoch says.
    private static readonly TimeSpan LeastRun = TimeSpan.FromSeconds(5);

    private readonly LabRouter _router;
    private readonly NatLaboratory _lab;
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("sipnat-miniupnpd-");
    private LabProcess? _process;
    private long _startedAt;

    private MappingDaemon(NatLaboratory lab) => (_lab, _router) = (lab, lab.Router("natB"));

    /// <summary>Starts it so that a client is left one protocol only.</summary>
    /// <param name="protocol">PCP, NAT-PMP or UPnP.</param>
    public static async Task<MappingDaemon> StartAsync(NatLaboratory lab, string protocol)
    {
        var daemon = new MappingDaemon(lab);
        try
        {
            await daemon.WriteAsync(protocol);
            await daemon.StartAsync();
            return daemon;
        }
        catch
        {
            await daemon.DisposeAsync();
            throw;
        }
    }

    /// <summary>Loses every mapping and starts again, as a router does whose power was cut.</summary>
    public async Task RestartAsync()
    {
        if (LeastRun - Stopwatch.GetElapsedTime(_startedAt) is var young && young > TimeSpan.Zero) await Task.Delay(young, TestContext.Current.CancellationToken);
        await _process!.DisposeAsync();
        await _router.Host.RunAsync("nft", ["-f", "-"], "flush chain inet miniupnpd prerouting_miniupnpd\nflush chain inet miniupnpd miniupnpd\n", TestContext.Current.CancellationToken);
        await StartAsync();
    }

    /// <summary>The mappings as a client of another make lists them on the recorder's neighbour: "UDP 5060->10.0.0.100:5060".</summary>
    public async Task<IReadOnlyList<string>> ListAsync()
    {
        await using var list = _lab.Host("nearB").Start("upnpc", "-l");
        await list.WaitForExitAsync(Limit, TestContext.Current.CancellationToken);
        return
        [
            .. from line in list.Output.Split('\n')
               let words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries)
               where words is [_, "UDP" or "TCP", _, ..]
               select $"{words[1]} {words[2]}",
        ];
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null) await _process.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    private async Task StartAsync()
    {
        _process = _router.Host.Start("miniupnpd", "-d", "-f", Path.Combine(_folder.FullName, "conf"), "-P", Path.Combine(_folder.FullName, "pid"));
        await _process.WaitForTextAsync("HTTP listening on port", StartLimit, TestContext.Current.CancellationToken);
        _startedAt = Stopwatch.GetTimestamp();
    }

    private async Task WriteAsync(string protocol)
    {
        var stop = TestContext.Current.CancellationToken;
        var upnpOnly = protocol == "UPnP";
        await File.WriteAllTextAsync(Path.Combine(_folder.FullName, "conf"), $"""
            ext_ifname=wan
            listening_ip=lan
            http_port=5000
            enable_upnp=yes
            enable_natpmp={(upnpOnly ? "no" : "yes")}
            secure_mode=yes
            uuid=00000000-0000-4000-8000-000000000001
            upnp_table_name=miniupnpd
            upnp_nat_table_name=miniupnpd
            allow 1024-65535 10.0.0.0/24 1024-65535
            deny 0-65535 0.0.0.0/0 0-65535

            """, stop);
        await _router.Host.RunAsync("nft", ["-f", "-"], """
            table inet miniupnpd {
              chain miniupnpd { }
              chain prerouting_miniupnpd { }
              chain postrouting_miniupnpd { }
              chain prerouting { type nat hook prerouting priority dstnat - 1; iifname wan jump prerouting_miniupnpd; }
              chain postrouting { type nat hook postrouting priority srcnat - 1; oifname wan jump postrouting_miniupnpd; }
              chain input { type filter hook input priority filter; }
            }

            """, stop);

        // PCP has version 2 in the first byte behind the UDP header; NAT-PMP has 0.
        if (protocol == "NAT-PMP") await _router.Host.RunAsync("nft", ["add", "rule", "inet", "miniupnpd", "input", "udp", "dport", "5351", "@th,64,8", "2", "drop"], stop: stop);
    }
}
