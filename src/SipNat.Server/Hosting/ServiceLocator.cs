using System.Diagnostics;
using System.Net.NetworkInformation;
using SipNat.Endpoint.Dns;
using SipNat.Server.Options;
using SipNat.Server.Transport;
using SipNat.Traversal.Turn;
using SipNat.Wire;

namespace SipNat.Server.Hosting;

/// <summary>Finds the servers of a domain by its NAPTR and SRV records, with the DNS servers that the system is set up with.</summary>
internal static class ServiceLocator
{
    private const string ResolvConf = "/etc/resolv.conf";

    /// <summary>How long a domain may take: some networks lose every question for such records.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(3);

    /// <summary>The servers, in the order in which they are to be tried; empty where there are no records, or no answer in time.</summary>
    public static Task<IReadOnlyList<LocatedServer>> LocateAsync(HostName name, CancellationToken stop) => LocateAsync(name, SystemServers(), stop);

    public static async Task<IReadOnlyList<LocatedServer>> LocateAsync(HostName name, DnsResolverOptions options, CancellationToken stop)
    {
        var random = new SecureRandom();
        var lookup = name.Service switch
        {
            ServiceKind.Stun => ServerLookup.ForStun(name.Host, random),
            ServiceKind.Turn => ServerLookup.ForTurn(new(false, name.Host, 0, null), random),
            ServiceKind.TurnUdp => ServerLookup.ForTurn(new(false, name.Host, 0, TransportProtocol.Udp), random),
            ServiceKind.TurnTcp => ServerLookup.ForTurn(new(false, name.Host, 0, TransportProtocol.Tcp), random),
            ServiceKind.Turns => ServerLookup.ForTurn(new(true, name.Host, 0, null), random),
            _ => throw new UnreachableException(),
        };
        await using var client = new DnsClient(options);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(stop);
        deadline.CancelAfter(Limit);
        try
        {
            return await client.LocateAsync(lookup, deadline.Token);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return [];
        }
    }

    /// <summary>What a URI leaves open is asked of the DNS: a port, and perhaps a transport (RFC 5928).</summary>
    public static HostName NameOf(TurnUri uri) => new(uri.Host, uri.EffectivePort)
    {
        Service = uri.Port != 0 || !uri.Address.IsNone ? ServiceKind.None
            : uri.IsSecure ? ServiceKind.Turns
            : uri.Transport switch
            {
                TransportProtocol.Udp => ServiceKind.TurnUdp,
                TransportProtocol.Tcp => ServiceKind.TurnTcp,
                _ => ServiceKind.Turn,
            },
    };

    public static DnsResolverOptions SystemServers()
    {
        try
        {
            return DnsResolverOptions.Read(File.ReadAllText(ResolvConf));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return new() { Servers = [.. ServersOfInterfaces().Distinct().Take(DnsResolverOptions.MaxServers)] };
        }
    }

    // Systems without that file tell the servers of each interface.
    private static IEnumerable<TransportAddress> ServersOfInterfaces() =>
        from network in NetworkInterface.GetAllNetworkInterfaces()
        where network.OperationalStatus is OperationalStatus.Up
        from address in network.GetIPProperties().DnsAddresses
        where !address.IsIPv6LinkLocal && !address.IsIPv6SiteLocal
        select new TransportAddress(address, DnsResolverOptions.DefaultPort);
}
