using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using SipNat.Server.Hosting;
using SipNat.Server.Transport;
using SipNat.Traversal.PortMapping;

namespace SipNat.Server.Addressing;

/// <summary>
/// Asks the default gateway for its own address outside, by NAT-PMP and UPnP, and opens nothing. Held against what a STUN
/// server sees it tells whether a further NAT is behind the router.
/// </summary>
internal static class RouterQuery
{
    // UPnP has one second for the search (MX) and needs two exchanges by HTTP; three searches fit in it.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(4);

    /// <summary>What the router said; null where there is no default route by IPv4, or it said nothing within four seconds.</summary>
    public static async Task<PortMappingEvent.RouterAddress?> RunAsync(ServerClock clock, FlowIds flows, ILoggerFactory logs, CancellationToken stop)
    {
        if (DefaultGateway.Find() is not { } gateway) return null;

        var found = new TaskCompletionSource<PortMappingEvent.RouterAddress>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var host = new PortMapperHost(gateway, clock, flows, happened =>
        {
            if (happened is PortMappingEvent.RouterAddress address) found.TrySetResult(address);
        }, logs);
        try
        {
            host.Start(gateway.Local);
            return await found.Task.WaitAsync(Limit, clock.Time, stop);
        }
        catch (Exception error) when (error is TimeoutException or SocketException)
        {
            return null;
        }
    }
}
