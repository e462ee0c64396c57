using SipNat.Wire;

namespace SipNat.Endpoint.Sessions;

/// <summary>
/// What is known of the servers that requests too large for UDP were to reach by TCP (RFC 3261 §18.1.1): fragments of a
/// datagram are lost in many firewalls, and with one of them the whole.
/// </summary>
internal sealed class LargeRequests
{
    /// <summary>Bytes of the longest request that goes by UDP where TCP can be had; what the path takes is not known.</summary>
    public const int MaxOverUdp = 1300;

    /// <summary>How long a connection may take, before the request goes by UDP all the same.</summary>
    public static readonly TimeSpan ConnectLimit = TimeSpan.FromSeconds(2);

    // A server may learn to take connections; until it is tried again each call is as fast as one by UDP.
    private static readonly TimeSpan Memory = TimeSpan.FromHours(1);
    private const int MaxServers = 1_000;

    private readonly Dictionary<TransportAddress, Instant> _untilByServer = [];

    /// <summary>Whether a connection is worth a try.</summary>
    public bool MayConnect(Instant now, TransportAddress server) => !_untilByServer.TryGetValue(server, out var until) || until <= now;

    /// <summary>The server took no connection.</summary>
    public void NoteRefused(Instant now, TransportAddress server)
    {
        if (_untilByServer.Count >= MaxServers) _untilByServer.Remove(_untilByServer.MinBy(known => known.Value).Key);
        _untilByServer[server] = now + Memory;
    }
}
