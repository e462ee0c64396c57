using SipNat.Wire;

namespace SipNat.Simulation.Ice.Topologies;

/// <summary>
/// Draws topologies: sites of one or more hosts, on the internet, behind a router of their own, behind two, or behind a
/// carrier's that they share with others. Home networks all use the same private addresses.
/// </summary>
public sealed class IceTopologyDraw
{
    private const double HighestLoss = 0.2;
    private const int MaxHosts = 4;

    private readonly int _seed;
    private readonly Random _random;
    private readonly List<RouterPlan> _routers = [];
    private readonly List<HostPlan> _hosts = [];
    private readonly List<Site> _sites = [];
    private readonly List<int> _carriers = [];

    private IceTopologyDraw(int seed) => (_seed, _random) = (seed, new(seed));

    public static IceTopology Draw(int seed) => new IceTopologyDraw(seed).Draw();

    private IceTopology Draw()
    {
        var hosts = 2 + _random.Next(MaxHosts - 1);
        for (var i = 0; i < hosts; i++) _hosts.Add(DrawHost(i == 0 || Happens(0.7) ? DrawSite() : _sites[_random.Next(_sites.Count)]));
        var sessions = DrawSessions();
        return new(_seed, _routers, _hosts, sessions, DrawPath(), DrawRestart());
    }

    private Site DrawSite()
    {
        int? router = null;
        var kind = _random.Next(20);
        // Of twenty: four on the internet, nine behind one router, two straight in a carrier's network, five behind two.
        if (kind is >= 4 and < 13) router = AddRouter(null);
        else if (kind is 13 or 14) router = DrawCarrier();
        else if (kind >= 15) router = AddRouter(DrawCarrier());

        var site = new Site { IPv4 = router, HasIPv4 = true };
        if (Happens(0.4))
        {
            site.HasIPv6 = true;
            site.IPv6 = Happens(0.5) ? AddFirewall() : null;
            site.HasIPv4 = Happens(0.85);
        }

        _sites.Add(site);
        return site;
    }

    private int DrawCarrier()
    {
        if (_carriers.Count > 0 && Happens(0.5)) return _carriers[_random.Next(_carriers.Count)];

        var carrier = AddRouter(null);
        _carriers.Add(carrier);
        return carrier;
    }

    private int AddRouter(int? parent)
    {
        var index = _routers.Count;
        var external = parent is { } carrier ? $"100.64.{carrier}.{10 + index}" : $"203.0.113.{10 + index}";
        _routers.Add(new(parent, TransportAddress.Parse(external), DrawNat((PortAssignment)_random.Next(4))));
        return index;
    }

    private int AddFirewall()
    {
        _routers.Add(new(null, TransportAddress.Parse($"2001:db8:3::{_routers.Count + 1:x}"), DrawNat(PortAssignment.Preserve)));
        return _routers.Count - 1;
    }

    private NatOptions DrawNat(PortAssignment ports)
    {
        // What agents send to keep a mapping is at most 25 s apart.
        var fresh = TimeSpan.FromSeconds(30 + _random.Next(60));
        return new()
        {
            Mapping = (NatMapping)_random.Next(3),
            Filtering = (NatFiltering)_random.Next(3),
            PortAssignment = ports,
            Hairpin = Happens(0.5),
            FreshLifetime = fresh,
            EstablishedLifetime = fresh + TimeSpan.FromSeconds(_random.Next(180)),
            RefreshOnInbound = Happens(0.5),
        };
    }

    private HostPlan DrawHost(Site site)
    {
        var place = ++site.Hosts;
        HostAddress? ipv4 = !site.HasIPv4 ? null : new(TransportAddress.Parse(IPv4Of(site, place)), site.IPv4);
        HostAddress? ipv6 = !site.HasIPv6 ? null : new(TransportAddress.Parse(site.IPv6 is null ? $"2001:db8:2::{_hosts.Count + 1:x}" : $"fd00:1::{place:x}"), site.IPv6);
        return new(ipv4, ipv6);
    }

    private string IPv4Of(Site site, int place) =>
        site.IPv4 is not { } router ? $"203.0.113.{100 + _hosts.Count}"
        : _carriers.Contains(router) ? $"100.64.{router}.{100 + _hosts.Count}"
        : $"192.168.1.{99 + place}";

    private List<SessionPlan> DrawSessions()
    {
        var sessions = new List<SessionPlan>();
        // Each host but the first calls, or is called by, one before it.
        for (var host = 1; host < _hosts.Count; host++)
        {
            var other = _random.Next(host);
            var (left, right) = Happens(0.5) ? (host, other) : (other, host);
            sessions.Add(new(left, right, 1 + _random.Next(2), Happens(0.4), Happens(0.4)));
        }

        return sessions;
    }

    private Impairment DrawPath() => new()
    {
        Loss = Happens(0.5) ? 0 : _random.NextDouble() * HighestLoss,
        Duplication = Happens(0.5) ? 0 : _random.NextDouble() * 0.1,
        Delay = TimeSpan.FromMilliseconds(1 + _random.Next(100)),
        Jitter = Happens(0.5) ? TimeSpan.Zero : TimeSpan.FromMilliseconds(_random.Next(80)),
    };

    private RestartPlan? DrawRestart()
    {
        if (_routers.Count == 0 || !Happens(0.4)) return null;

        var router = _random.Next(_routers.Count);
        var external = _routers[router].External;
        var renumbered = !Happens(0.5) ? default
            : external.IsIPv6 ? TransportAddress.Parse($"2001:db8:4::{router + 1:x}")
            : _routers[router].Parent is { } carrier ? TransportAddress.Parse($"100.64.{carrier}.{200 + router}")
            : TransportAddress.Parse($"203.0.113.{200 + router}");
        return new(router, renumbered, TimeSpan.FromSeconds(_random.NextDouble() * 3));
    }

    private bool Happens(double probability) => _random.NextDouble() < probability;

    /// <summary>One local network.</summary>
    private sealed class Site
    {
        public int? IPv4 { get; init; }

        public int? IPv6 { get; set; }

        public bool HasIPv4 { get; set; }

        public bool HasIPv6 { get; set; }

        public int Hosts { get; set; }
    }
}
