using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using SipNat.Endpoint.Dns;
using SipNat.Server.Options;
using SipNat.Wire;

namespace SipNat.Server.Hosting;

/// <summary>
/// The addresses behind configured host names, and the servers of domains, looked up at start and again at intervals. A lookup that fails leaves
/// what was known. Thread safe.
/// </summary>
public sealed partial class HostNames
{
    /// <summary>Addresses of one name that are taken.</summary>
    public const int MaxAddresses = 16;

    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan IntervalWhileUnknown = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan LookupTimeout = TimeSpan.FromSeconds(5);

    private readonly IReadOnlyList<HostName> _names;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly Lock _gate = new();
    private readonly Dictionary<HostName, IReadOnlyList<HostAddress>> _known = [];

    /// <param name="names">Names and addresses as configured; an address is known without a lookup.</param>
    public HostNames(IEnumerable<HostName> names, TimeProvider time, ILogger<HostNames> log)
    {
        (_names, _time, _log) = ([.. names.Distinct()], time, log);
        foreach (var name in _names.Where(name => !name.Address.IsNone)) _known[name] = [new(name.Address, null)];
    }

    /// <summary>How a name is looked up; a test answers by itself.</summary>
    internal Func<string, CancellationToken, Task<IPAddress[]>> Lookup { get; init; } = Dns.GetHostAddressesAsync;

    /// <summary>How the servers of a service are found; a test answers by itself.</summary>
    internal Func<HostName, CancellationToken, Task<IReadOnlyList<LocatedServer>>> Locate { get; init; } = ServiceLocator.LocateAsync;

    /// <summary>The addresses of a name with its port, in the resolver's order; empty while none is known.</summary>
    public IReadOnlyList<TransportAddress> this[HostName name] => [.. Find(name).Select(static found => found.Address)];

    /// <summary>As the indexer, with the transports that the DNS names.</summary>
    public IReadOnlyList<HostAddress> Find(HostName name)
    {
        lock (_gate) return _known.GetValueOrDefault(name, []);
    }

    /// <summary>Looks every name up once, all at the same time; those that are optional have <see cref="DiscoverAsync"/>.</summary>
    /// <returns>True where the addresses of at least one name are others than before.</returns>
    public Task<bool> ResolveAsync(CancellationToken stop) => ResolveAsync(_names.Where(static name => name.Address.IsNone && !name.IsOptional), stop);

    /// <summary>Asks for the servers of domains that may have none, which nobody waits for.</summary>
    /// <returns>True where others were found than before.</returns>
    public Task<bool> DiscoverAsync(CancellationToken stop) => ResolveAsync(_names.Where(static name => name.IsOptional), stop);

    /// <summary>Looks the names up again at intervals until it is stopped, sooner while one is unknown.</summary>
    /// <param name="changed">Runs after each round that brought other addresses.</param>
    public async Task RunAsync(Action changed, CancellationToken stop)
    {
        if (_names.All(name => !name.Address.IsNone)) return;

        try
        {
            if (await DiscoverAsync(stop)) changed();
            while (true)
            {
                await Task.Delay(_names.Any(name => !name.IsOptional && this[name].Count == 0) ? IntervalWhileUnknown : Interval, _time, stop);
                var isOther = await ResolveAsync(stop);
                if (await DiscoverAsync(stop) || isOther) changed();
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return;
        }
    }

    private async Task<bool> ResolveAsync(IEnumerable<HostName> names, CancellationToken stop) =>
        (await Task.WhenAll(names.Select(name => ResolveAsync(name, stop)))).Any(static changed => changed);

    private async Task<bool> ResolveAsync(HostName name, CancellationToken stop)
    {
        if (name.Service is not ServiceKind.None && await Locate(name, stop) is { Count: > 0 } servers)
        {
            return Learn(name, [.. servers.Select(static server => new HostAddress(server.Address, server.Transport)).Distinct().Take(MaxAddresses)]);
        }

        if (name.IsOptional) return false;

        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(stop);
        deadline.CancelAfter(LookupTimeout);
        try
        {
            var addresses = await Lookup(name.Host, deadline.Token);
            return Learn(name, [.. addresses.Select(address => new HostAddress(new(address, name.Port), null)).Distinct().Take(MaxAddresses)]);
        }
        catch (SocketException error)
        {
            LogUnresolved(_log, name.Host, error.SocketErrorCode.ToString());
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            LogUnresolved(_log, name.Host, "no answer in time");
        }

        return false;
    }

    // A resolver turns its answers round: another order alone is no change.
    private bool Learn(HostName name, IReadOnlyList<HostAddress> addresses)
    {
        if (addresses.Count == 0) return false;

        lock (_gate)
        {
            if (_known.TryGetValue(name, out var known) && known.ToHashSet().SetEquals(addresses)) return false;
            _known[name] = addresses;
        }

        LogResolved(_log, name.Host, string.Join(", ", addresses.Select(static found => found.Address.AddressText)));
        return true;
    }

    [LoggerMessage(LogLevel.Warning, "{Host} could not be resolved ({Reason}); trying again")]
    private static partial void LogUnresolved(ILogger logger, string host, string reason);

    [LoggerMessage(LogLevel.Information, "{Host} is {Addresses}")]
    private static partial void LogResolved(ILogger logger, string host, string addresses);
}

/// <param name="Address">With the port.</param>
/// <param name="Transport">By which the DNS says that it is reached; null where it does not say.</param>
public readonly record struct HostAddress(TransportAddress Address, TransportProtocol? Transport);
