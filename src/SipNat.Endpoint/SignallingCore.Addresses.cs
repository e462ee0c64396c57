using SipNat.Endpoint.Addressing;
using SipNat.Traversal.PortMapping;
using SipNat.Wire;

namespace SipNat.Endpoint;

/// <summary>What the shell tells of addresses, servers and the network, and the running sessions are to know.</summary>
public sealed partial class SignallingCore
{
    /// <summary>The resolved STUN servers; every UDP flow asks them how it is seen from outside.</summary>
    public void SetStunServers(Instant now, IReadOnlyList<TransportAddress> servers) => Run(now, () => _context.Flows.SetStunServers(now, servers));

    /// <summary>
    /// The longest time between two packets that keep a UDP flow's mapping alive, as lifetimes were measured. Running
    /// sessions take it up with their next packet.
    /// </summary>
    public void LimitKeepalive(Instant now, TimeSpan bound) => Run(now, () => _context.Flows.LimitKeepalive(now, bound));

    /// <summary>The resolved external addresses, where the configuration names hosts; running sessions are told of a change.</summary>
    public void SetExternalAddresses(Instant now, IReadOnlyList<TransportAddress> external) => Run(now, () =>
    {
        _context.SetExternalAddresses(external);
        TellPeers(now);
    });

    /// <summary>
    /// Local addresses to the public ones that a cloud has put in front of them, all of them each time, ports 0; running
    /// sessions are told of a change. The dictionary is not changed afterwards.
    /// </summary>
    public void SetCloudAddresses(Instant now, IReadOnlyDictionary<TransportAddress, TransportAddress> addresses) => Run(now, () =>
    {
        _context.SetCloudAddresses(addresses);
        TellPeers(now);
    });

    /// <summary>
    /// The ports that the router has opened, SIP and media alike, all of them each time; running sessions are told of a
    /// change. The dictionary is not changed afterwards.
    /// </summary>
    public void SetRouterMappings(Instant now, IReadOnlyDictionary<InternalPort, RouterMapping> mappings) => Run(now, () =>
    {
        _context.SetRouterMappings(mappings);
        TellPeers(now);
    });

    /// <summary>
    /// The time of day and the time since the start have parted, as after a suspend: mappings are asked for and flows kept
    /// open at once, not at their next turn.
    /// </summary>
    public void HandleWallTime(Instant now, DateTimeOffset wall) => Run(now, () => RefreshPaths(now));

    /// <summary>
    /// This machine has other addresses, or another way to the internet: what is local and who may record is judged anew,
    /// mappings are asked for and flows kept open at once, and running sessions are told where their address is another.
    /// </summary>
    /// <param name="local">The networks that are reached without a NAT.</param>
    /// <param name="allowed">Who may record.</param>
    public void HandleNetworkChange(Instant now, IReadOnlyList<NetworkPrefix> local, IReadOnlyList<NetworkPrefix> allowed) => Run(now, () =>
    {
        _context.SetNetworks(local, allowed);
        RefreshPaths(now);
        TellPeers(now);
    });

    // Whoever was told an address that is another one by now.
    private void TellPeers(Instant now)
    {
        foreach (var session in _sessions.All)
        {
            session.TellPeer(now);
            Settle(session);
        }

        _context.Accounts.WithAll(now, account => account.HandleAddressChange(now));
        foreach (var call in _calls.All)
        {
            call.TellPeer(now);
            Settle(call);
        }
    }

    private void RefreshPaths(Instant now)
    {
        _context.Flows.Refresh(now);
        foreach (var session in _sessions.All)
        {
            session.KeepOpen(now);
            Settle(session);
        }

        _context.Accounts.HandleNetworkChange(now);
        foreach (var call in _calls.All)
        {
            call.KeepOpen(now);
            Settle(call);
        }
    }
}
