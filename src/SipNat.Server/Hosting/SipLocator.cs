using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using SipNat.Endpoint.Accounts;
using SipNat.Endpoint.Dns;
using SipNat.Server.Transport;
using SipNat.Sip.Messages;
using SipNat.Wire;

namespace SipNat.Server.Hosting;

/// <summary>
/// Finds out where a SIP URI leads (RFC 3263), and which of this machine's addresses routes there. What the DNS has said is
/// kept for as long as it holds, for all who ask.
/// </summary>
internal sealed partial class SipLocator(ILogger<SipLocator> log) : IAsyncDisposable
{
    // The system keeps its own count, and does not tell.
    private static readonly TimeSpan SystemLifetime = TimeSpan.FromMinutes(5);

    private readonly Lock _gate = new();
    private readonly DnsClient _client = new(ServiceLocator.SystemServers());
    private DnsResolverOptions _servers = ServiceLocator.SystemServers();

    /// <summary>How long the DNS may take: some networks lose every question for records that they do not know.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(8);

    /// <summary>Where to try, in this order, and for how long that holds; none where the DNS knows nothing, or nothing that is known is reached from here.</summary>
    public async Task<(IReadOnlyList<SipTarget> Targets, TimeSpan? Lifetime)> LocateAsync(LocateRequest request, CancellationToken stop)
    {
        var (servers, lifetime) = await AskAsync(request, stop);
        if (servers.Count == 0) (servers, lifetime) = (await AskSystemAsync(request, stop), SystemLifetime);
        var targets = servers
            .Select(server => new SipTarget(server.Transport, server.Address, server.TlsName ?? (server.Transport is TransportProtocol.Udp or TransportProtocol.Tcp ? null : request.Uri.Host)) { Local = OutboundAddress.Towards(server.Address) })
            .ToList();
        if (targets.RemoveAll(target => target.Local.IsNone) is > 0 and var lost) LogNoRoute(log, request.Uri.Host, lost);
        LogFound(log, request.Uri.Host, string.Join(", ", targets.Select(target => $"{target.Transport} {target.Address}")));
        return (targets, lifetime);
    }

    public ValueTask DisposeAsync() => _client.DisposeAsync();

    private async Task<(IReadOnlyList<LocatedServer> Servers, TimeSpan? Lifetime)> AskAsync(LocateRequest request, CancellationToken stop)
    {
        var lookup = ServerLookup.ForSip(request.Uri, new() { Transport = request.Transport }, new SecureRandom());
        if (lookup.IsDone) return (lookup.Servers, null);

        FollowSystem();
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(stop);
        deadline.CancelAfter(Limit);
        try
        {
            var servers = await _client.LocateAsync(lookup, deadline.Token);
            return (servers, _client.LifetimeOf(lookup));
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return ([], TimeSpan.Zero);
        }
    }

    // Another network has other servers.
    private void FollowSystem()
    {
        lock (_gate)
        {
            var servers = ServiceLocator.SystemServers();
            if (servers.Servers.SequenceEqual(_servers.Servers) && servers.SearchDomains.SequenceEqual(_servers.SearchDomains)) return;

            _servers = servers;
            _client.Configure(servers);
        }
    }

    // Names that stand in a file, or that the system knows from elsewhere.
    private static async Task<IReadOnlyList<LocatedServer>> AskSystemAsync(LocateRequest request, CancellationToken stop)
    {
        var transport = request.Transport ?? (request.Uri.Scheme is SipUriScheme.Sips ? TransportProtocol.Tls : TransportProtocol.Udp);
        var port = request.Uri.Port != 0 ? request.Uri.Port : ServerLookup.DefaultPortOf(transport);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(stop);
        deadline.CancelAfter(Limit);
        try
        {
            var addresses = await Dns.GetHostAddressesAsync(request.Uri.Host, deadline.Token);
            return [.. addresses.Where(address => !address.IsIPv6LinkLocal).Take(ServerLookup.MaxServers).Select(address => new LocatedServer(transport, new(address, port)))];
        }
        catch (SocketException)
        {
            return [];
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return [];
        }
    }

    [LoggerMessage(LogLevel.Debug, "{Host} leads to {Targets}")]
    private static partial void LogFound(ILogger logger, string host, string targets);

    [LoggerMessage(LogLevel.Debug, "{Count} servers of {Host} are not reached from here")]
    private static partial void LogNoRoute(ILogger logger, string host, int count);
}
