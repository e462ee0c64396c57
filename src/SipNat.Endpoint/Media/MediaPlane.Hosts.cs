using SipNat.Traversal.Ice;
using SipNat.Wire;

namespace SipNat.Endpoint.Media;

/// <summary>
/// Where ICE looks for a path, it does so from every suitable address of this machine (RFC 8445 §5.1.1.1): a port takes
/// further pairs of sockets there, and gives back those that turned out not to be needed.
/// </summary>
public sealed partial class MediaPlane
{
    /// <summary>Addresses that one port tells as host candidates, the one of its description included.</summary>
    public const int MaxHosts = 4;

    private readonly List<MediaPort> _widening = [];
    private IReadOnlyList<TransportAddress> _hosts = [];

    /// <summary>
    /// The addresses of this machine that media may take beside the one that a peer came in on, the best first; ports are
    /// ignored. Where ICE begins from here on, it begins with these.
    /// </summary>
    public void SetHosts(IReadOnlyList<TransportAddress> hosts) => _hosts = [.. hosts.Select(h => h.WithPort(0))];

    // The one that a port is bound to, then what can be had besides. A lite agent has one address of each family: it
    // checks nothing, so that nothing would choose between two (RFC 8445 §5.2).
    private List<(TransportAddress Host, int LocalPreference)> HostsOf(TransportAddress local)
    {
        List<TransportAddress> hosts = [local.WithPort(0)];
        foreach (var host in _hosts)
        {
            var isRedundant = hosts.Contains(host) || (_options.Ice is IceMode.Lite && hosts.Exists(h => h.Family == host.Family));
            if (hosts.Count < MaxHosts && !isRedundant && host.IsLoopback == local.IsLoopback) hosts.Add(host);
        }

        return [.. hosts.Zip(LocalPreferences.Of(hosts))];
    }

    private void Widen(Instant now, MediaPort port)
    {
        port.WakePairs(now);
        foreach (var host in HostsOf(port.Flows.LocalRtp))
        {
            if (port.HasPairOn(host.Host) || port.AwaitedHosts.Contains(host)) continue;

            port.AwaitedHosts.Add(host);
            // Nobody but ICE asks there, and it asks for what it needs alone: no refusal can lead to requests without end.
            if (SparesOf(host.Host) is { IsKept: false } unkept) unkept.Refusal = null;
        }

        if (port.AwaitedHosts.Count == 0) return;

        if (!_widening.Contains(port)) _widening.Add(port);
        TakeSpares(now, port);
        foreach (var host in HostsOf(port.Flows.LocalRtp)) Fill(SparesOf(host.Host));
        if (IsWide(port)) _widening.Remove(port);
    }

    // An address on which everything asked of the shell was answered, and nothing is left, is done without.
    private bool IsWide(MediaPort port)
    {
        port.AwaitedHosts.RemoveAll(awaited => SparesOf(awaited.Host) is { Requested: 0, Refusal: not null });
        return port.AwaitedHosts.Count == 0;
    }

    private void ServeWidening(Instant now)
    {
        for (var i = 0; i < _widening.Count;)
        {
            var port = _widening[i];
            TakeSpares(now, port);
            if (!IsWide(port))
            {
                i++;
                continue;
            }

            _widening.RemoveAt(i);
            TellAddresses(port);
        }
    }

    private void TakeSpares(Instant now, MediaPort port)
    {
        for (var i = port.AwaitedHosts.Count - 1; i >= 0; i--)
        {
            var (host, preference) = port.AwaitedHosts[i];
            if (!SparesOf(host).Ports.TryDequeue(out var spare)) continue;

            var pair = spare.Pairs[0];
            _portDeadlines.Remove(spare);
            _portsByFlow[pair.Flows.Rtp] = port;
            _portsByFlow[pair.Flows.Rtcp] = port;
            port.AwaitedHosts.RemoveAt(i);
            port.Add(now, pair, preference);
        }

        _portDeadlines.Set(port, port.Deadline);
    }

    private bool TryNarrow(MediaPort port)
    {
        var unneeded = port.TakeUnneeded();
        foreach (var pair in unneeded) Close(pair.Flows);
        return unneeded.Count > 0;
    }
}
