using System.Net;
using SipNat.NatLab.Processes;

namespace SipNat.NatLab;

/// <summary>A host of the laboratory: a namespace with an address, in which processes run.</summary>
public sealed class LabHost
{
    private readonly List<LabProcess> _processes = [];

    internal LabHost(string name, string networkNamespace, IPAddress address) =>
        (Name, NetworkNamespace, Address) = (name, networkNamespace, address);

    public string Name { get; }

    /// <summary>The name that <c>ip netns</c> knows.</summary>
    public string NetworkNamespace { get; }

    /// <summary>Its first address.</summary>
    public IPAddress Address { get; }

    /// <summary>Starts a program in the namespace; it ends with the laboratory at the latest.</summary>
    public LabProcess Start(string file, params IEnumerable<string> arguments)
    {
        var process = LabProcess.Start("ip", ["netns", "exec", NetworkNamespace, file, .. arguments]);
        lock (_processes) _processes.Add(process);
        return process;
    }

    /// <summary>Runs a program in the namespace that ends by itself.</summary>
    /// <exception cref="LabException">It failed.</exception>
    public Task<string> RunAsync(string file, IEnumerable<string> arguments, string? input = null, CancellationToken stop = default) =>
        ShortCommand.RunAsync("ip", ["netns", "exec", NetworkNamespace, file, .. arguments], input, stop);

    /// <summary>Counts what reaches the host from now on.</summary>
    /// <param name="filter">An nftables match, such as <c>ip saddr 10.0.0.100 udp dport 5060</c>; empty for everything, ARP included.</param>
    public Task<PacketCounter> CountAsync(string filter, CancellationToken stop) => PacketCounter.StartAsync(this, filter, stop);

    /// <summary>Writes everything the host sends and receives into a capture file until disposed.</summary>
    public Task<PacketCapture> CaptureAsync(string file, CancellationToken stop) => PacketCapture.StartAsync(this, file, stop);

    internal async ValueTask EndProcessesAsync()
    {
        LabProcess[] running;
        lock (_processes) running = [.. _processes];
        foreach (var process in running) await process.DisposeAsync();
    }
}
