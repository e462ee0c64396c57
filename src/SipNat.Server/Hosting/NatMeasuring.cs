using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using SipNat.Server.Options;
using SipNat.Server.Transport;
using SipNat.Traversal.Discovery;
using SipNat.Wire;

namespace SipNat.Server.Hosting;

/// <summary>Measures the way to the internet, IPv4 and IPv6 at the same time, with sockets of its own on free ports.</summary>
internal static class NatMeasuring
{
    private static readonly TimeSpan ProgressInterval = TimeSpan.FromMilliseconds(100);

    /// <param name="servers">STUN servers by name or address.</param>
    /// <param name="isFast">Whether only the mapping is measured.</param>
    /// <param name="progress">Told of requests that are over and requests known to be needed, of both families together.</param>
    /// <exception cref="UnavailableException">No server's name has an address, or none has a route.</exception>
    public static async Task<NatReport> RunAsync(
        IReadOnlyList<HostName> servers,
        bool isFast,
        Action<int, int> progress,
        ILoggerFactory logs,
        CancellationToken stop)
    {
        var clock = new ServerClock(TimeProvider.System);
        var names = new HostNames(servers, clock.Time, logs.CreateLogger<HostNames>());
        await names.ResolveAsync(stop);
        var addresses = servers.SelectMany(name => names[name]).Distinct().ToList();
        if (addresses.Count == 0) throw new UnavailableException($"No STUN server's name has an address ({string.Join(", ", servers)}); check the names, or give addresses.");

        var flows = new FlowIds();
        var families = new List<(AddressFamily Family, Family Measuring)>();
        try
        {
            foreach (var family in (AddressFamily[])[AddressFamily.InterNetwork, AddressFamily.InterNetworkV6])
            {
                var own = addresses.Where(address => address.Family == family).Take(NatProbeOptions.MaxServers).ToList();
                var local = own.Select(OutboundAddress.Towards).FirstOrDefault(address => !address.IsNone);
                if (!local.IsNone) families.Add((family, Family.Start(own, local, isFast, clock, flows, logs)));
            }

            if (families.Count == 0) throw new UnavailableException($"There is no route to any STUN server ({string.Join(", ", addresses)}).");

            await WaitAsync([.. families.Select(family => family.Measuring)], progress, stop);
            return new(
                await ResultOf(families, AddressFamily.InterNetwork),
                await ResultOf(families, AddressFamily.InterNetworkV6));
        }
        finally
        {
            foreach (var (_, measuring) in families) await measuring.DisposeAsync();
        }
    }

    private static async Task WaitAsync(IReadOnlyList<Family> families, Action<int, int> progress, CancellationToken stop)
    {
        var all = Task.WhenAll(families.Select(family => family.Result));
        while (!all.IsCompleted)
        {
            var counts = families.Select(family => family.Progress()).ToList();
            progress(counts.Sum(count => count.Done), counts.Sum(count => count.Known));
            await Task.WhenAny(all, Task.Delay(ProgressInterval, stop));
            stop.ThrowIfCancellationRequested();
        }
    }

    private static async Task<NatMeasurement?> ResultOf(List<(AddressFamily Family, Family Measuring)> families, AddressFamily wanted)
    {
        foreach (var (family, measuring) in families)
        {
            if (family == wanted) return await measuring.Result;
        }

        return null;
    }

    private sealed class Family(CoreHost host, NatBehaviourProbe probe, Task<NatMeasurement> result) : IAsyncDisposable
    {
        public Task<NatMeasurement> Result => result;

        public static Family Start(
            IReadOnlyList<TransportAddress> servers, TransportAddress local, bool isFast, ServerClock clock, FlowIds flows, ILoggerFactory logs)
        {
            var probe = new NatBehaviourProbe(new() { Servers = servers, IsFast = isFast }, new SecureRandom());
            var done = new TaskCompletionSource<NatMeasurement>(TaskCreationOptions.RunContinuationsAsynchronously);
            var host = new CoreHost(probe, clock, flows, new(), logs)
            {
                AfterDrain = _ =>
                {
                    if (probe.Result is { } measured) done.TrySetResult(measured);
                },
            };
            for (var i = 0; i < probe.SocketCount; i++) host.OpenUdp(local);
            return new(host, probe, done.Task);
        }

        public (int Done, int Known) Progress()
        {
            var counts = (0, 0);
            host.Post(_ => counts = probe.Progress);
            return counts;
        }

        public ValueTask DisposeAsync() => host.DisposeAsync();
    }
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
