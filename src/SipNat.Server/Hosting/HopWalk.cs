using System.Net.NetworkInformation;
using SipNat.Wire;

namespace SipNat.Server.Hosting;

/// <summary>Asks who is on the way to a server, by echo requests that live for a few hops only.</summary>
internal static class HopWalk
{
    // The routers of a house and of its provider's access network; what comes behind is the internet.
    private const int MaxHops = 5;
    private const int Attempts = 5;
    private static readonly TimeSpan Wait = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Who answered for each hop, none for a silent one; the last is the server where it was reached. Empty where this
    /// process may not send echo requests.
    /// </summary>
    public static async Task<(IReadOnlyList<TransportAddress> Hops, bool IsServerReached)> TowardsAsync(TransportAddress server, CancellationToken stop)
    {
        var answers = await Task.WhenAll(Enumerable.Range(1, MaxHops).Select(hop => AskAsync(server, hop, stop)));
        var reached = Array.FindIndex(answers, address => address.HasSameAddress(server));
        return reached >= 0 ? (answers[..(reached + 1)], true) : (answers, false);
    }

    private static async Task<TransportAddress> AskAsync(TransportAddress server, int hop, CancellationToken stop)
    {
        using var ping = new Ping();
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            try
            {
                var reply = await ping.SendPingAsync(server.ToIPAddress(), Wait, options: new(hop, dontFragment: false), cancellationToken: stop);
                if (reply.Status is IPStatus.Success or IPStatus.TtlExpired or IPStatus.TimeExceeded) return new(reply.Address, 0);
            }
            catch (Exception error) when (error is PingException or PlatformNotSupportedException)
            {
                return default;
            }
        }

        return default;
    }
}
