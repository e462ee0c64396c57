using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using SipNat.Server.Options;
using SipNat.Server.Transport;
using SipNat.Traversal.Discovery;
using SipNat.Wire;

namespace SipNat.Server.Hosting;

/// <summary>Measures the way to the internet, IPv4 and IPv6 at the same time, with sockets of its own on free ports.</summary>
internal sealed class NatMeasuring(NatMeasuringOptions options, ILoggerFactory logs)
{
    private static readonly TimeSpan ProgressInterval = TimeSpan.FromMilliseconds(100);

    // What the behaviour takes of the progress display where lifetimes come after it.
    private const double BehaviourPart = 0.1;

    private readonly ServerClock _clock = new(TimeProvider.System);
    private readonly FlowIds _flows = new();

    /// <param name="options">Whom to ask, and what.</param>
    /// <param name="progress">Told, again and again, which part of the whole is done: 0–1.</param>
    /// <exception cref="UnavailableException">No server's name has an address, or none has a route.</exception>
    public static async Task<NatReport> RunAsync(NatMeasuringOptions options, Action<double> progress, ILoggerFactory logs, CancellationToken stop)
    {
        var names = new HostNames(options.Servers, TimeProvider.System, logs.CreateLogger<HostNames>());
        await names.ResolveAsync(stop);
        var addresses = options.Servers.SelectMany(name => names[name]).Distinct().ToList();
        if (addresses.Count == 0)
        {
            throw new UnavailableException($"No STUN server's name has an address ({string.Join(", ", options.Servers)}); check the names, or give addresses.");
        }

        var measuring = new NatMeasuring(options, logs);
        var parts = new double[2];
        var ipv4 = measuring.MeasureAsync(Of(AddressFamily.InterNetwork), part => Report(0, part), stop);
        var ipv6 = measuring.MeasureAsync(Of(AddressFamily.InterNetworkV6), part => Report(1, part), stop);
        var report = new NatReport(await ipv4, await ipv6);
        return report.Families.Any() ? report : throw new UnavailableException($"There is no route to any STUN server ({string.Join(", ", addresses)}).");

        List<TransportAddress> Of(AddressFamily family) => [.. addresses.Where(address => address.Family == family).Take(NatProbeOptions.MaxServers)];

        void Report(int family, double part)
        {
            lock (parts)
            {
                parts[family] = part;
                progress(parts.Min());
            }
        }
    }

    private async Task<NatMeasurement?> MeasureAsync(List<TransportAddress> servers, Action<double> progress, CancellationToken stop)
    {
        var local = servers.Select(OutboundAddress.Towards).FirstOrDefault(address => !address.IsNone);
        if (local.IsNone)
        {
            progress(1);
            return null;
        }

        var share = options.HasLifetime ? BehaviourPart : 1;
        var behaviour = new NatBehaviourProbe(new() { Servers = servers, IsFast = options.IsFast }, new SecureRandom());
        var measured = await RunAsync(behaviour, behaviour.SocketCount, local, () => behaviour.Result, () => progress(share * Part(behaviour.Progress)), stop);

        // Without a NAT there is no mapping whose life could end.
        if (options.HasLifetime && !measured.BehaviourServer.IsNone && measured.Mapping.Value is not EndpointDependence.None)
        {
            var lifetime = new MappingLifetimeProbe(new() { Server = measured.BehaviourServer }, new SecureRandom());
            var found = await RunAsync(
                lifetime, lifetime.SocketCount, local, () => lifetime.Result, () => progress(share + ((1 - share) * Part(lifetime.Progress))), stop);
            measured = measured with { Lifetimes = found };
        }

        progress(1);
        return measured;
    }

    private async Task<T> RunAsync<T>(IProtocolCore core, int sockets, TransportAddress local, Func<T?> result, Action progress, CancellationToken stop)
        where T : class
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var host = new CoreHost(core, _clock, _flows, new(), logs)
        {
            AfterDrain = _ =>
            {
                if (result() is { } found) done.TrySetResult(found);
            },
        };
        for (var i = 0; i < sockets; i++) host.OpenUdp(local);
        while (!done.Task.IsCompleted)
        {
            await Task.WhenAny(done.Task, Task.Delay(ProgressInterval, stop));
            stop.ThrowIfCancellationRequested();
            host.Post(_ => progress());
        }

        return await done.Task;
    }

    private static double Part((int Done, int Known) progress) => (double)progress.Done / Math.Max(progress.Known, 1);
}

/// <summary>What <see cref="NatMeasuring"/> measures.</summary>
/// <param name="Servers">STUN servers by name or address.</param>
internal sealed record NatMeasuringOptions(IReadOnlyList<HostName> Servers)
{
    /// <summary>Whether only the mapping is measured.</summary>
    public bool IsFast { get; init; }

    /// <summary>Whether the lifetimes of mappings are measured after the rest.</summary>
    public bool HasLifetime { get; init; }
}

/// <summary>What was measured for each address family; null where no server or no route has it.</summary>
internal sealed record NatReport(NatMeasurement? IPv4, NatMeasurement? IPv6)
{
    public IEnumerable<(string Name, NatMeasurement Measured)> Families
    {
        get
        {
            if (IPv4 is not null) yield return ("IPv4", IPv4);
            if (IPv6 is not null) yield return ("IPv6", IPv6);
        }
    }

    /// <summary>Whether no family has UDP.</summary>
    public bool IsUdpBlocked => Families.All(family => family.Measured.UdpBlocked.Value is true);
}
