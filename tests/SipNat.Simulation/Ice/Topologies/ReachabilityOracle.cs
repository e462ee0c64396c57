using SipNat.Wire;

namespace SipNat.Simulation.Ice.Topologies;

/// <summary>
/// Says by what a session of a topology can be carried at best, from RFC 4787 alone: which packets get where when both
/// sides send to every address that they were told and to every source that they have seen. It knows no time, no loss, no
/// port numbers (each mapping has a name of its own) and nothing of ICE.
/// </summary>
public sealed class ReachabilityOracle
{
    // Two NATs that map by destination reveal further mappings without end; what can meet has met by then.
    private const int Rounds = 6;
    private const int StunServer = 1;

    private readonly IceTopology _topology;
    private readonly List<Mapping>[] _mappings;

    private ReachabilityOracle(IceTopology topology)
    {
        _topology = topology;
        _mappings = [.. topology.Routers.Select(_ => new List<Mapping>())];
    }

    /// <summary>The best that can carry the session.</summary>
    public static PathClass BestOf(IceTopology topology, SessionPlan session)
    {
        var (left, right) = (topology.Hosts[session.Left], topology.Hosts[session.Right]);
        var best = PathClass.None;
        if ((session.LeftHasRelay || session.RightHasRelay) && left.IPv4 is not null && right.IPv4 is not null) best = PathClass.Relayed;
        if (left.IPv4 is { } left4 && right.IPv4 is { } right4) best = Better(best, new ReachabilityOracle(topology).Meet(new(left4), new(right4)));
        if (left.IPv6 is { } left6 && right.IPv6 is { } right6) best = Better(best, new ReachabilityOracle(topology).Meet(new(left6), new(right6)));
        return best;
    }

    private static PathClass Better(PathClass one, PathClass other) => one < other ? one : other;

    private PathClass Meet(Side left, Side right)
    {
        Tell(left, right);
        Tell(right, left);
        for (var round = 0; round < Rounds; round++)
        {
            foreach (var target in left.Known.ToList()) Send(left, target, right);
            foreach (var target in right.Known.ToList()) Send(right, target, left);
        }

        var best = PathClass.None;
        foreach (var target in left.Known.ToList())
        {
            // A path is a pair of places that each side sees the other at.
            if (Send(left, target, right) is not { } seen || Send(right, seen, left) != target) continue;

            best = Better(best, target == right.Own && seen == left.Own ? PathClass.Own : PathClass.Translated);
        }

        return best;
    }

    // A side tells its own address and what a STUN server sees.
    private void Tell(Side side, Side peer)
    {
        peer.Hear(side.Own);
        var source = side.Own;
        var server = new Place(TransportAddress.Parse(side.Own.Address.IsIPv4 ? "198.51.100.1" : "2001:db8:1::1"), StunServer);
        for (var router = side.Router; router is { } index; router = _topology.Routers[index].Parent) source = MapOutbound(index, source, server);
        peer.Hear(source);
    }

    // The source that the peer sees; null where the packet does not arrive at it.
    private Place? Send(Side from, Place target, Side peer)
    {
        var source = from.Own;
        var realm = from.Router;
        while (!IsIn(realm, target.Address))
        {
            if (realm is not { } router) return null;
            if (target.Address == _topology.Routers[router].External && !_topology.Routers[router].Options.Hairpin) return null;

            source = MapOutbound(router, source, target);
            realm = _topology.Routers[router].Parent;
        }

        if (!Arrives(realm, source, target, peer)) return null;

        peer.Hear(source);
        return source;
    }

    private bool Arrives(int? realm, Place source, Place target, Side peer)
    {
        while (RouterAt(realm, target.Address) is { } router)
        {
            var mapping = _mappings[router].Find(known => known.Name == target.Port);
            if (mapping is null || !mapping.Permitted.Contains(Part(_topology.Routers[router].Options.Filtering, source))) return false;

            (realm, target) = (router, mapping.Source);
        }

        return realm == peer.Router && target == peer.Own;
    }

    private Place MapOutbound(int router, Place source, Place target)
    {
        var plan = _topology.Routers[router];
        var selector = plan.Options.Mapping switch
        {
            NatMapping.EndpointIndependent => default,
            NatMapping.AddressDependent => target with { Port = 0 },
            _ => target,
        };
        var mapping = _mappings[router].Find(known => known.Source == source && known.Selector == selector);
        if (mapping is null) _mappings[router].Add(mapping = new(_mappings[router].Count + 1, source, selector));
        mapping.Permitted.Add(Part(plan.Options.Filtering, target));
        return new(plan.External, mapping.Name);
    }

    private static Place Part(NatFiltering filtering, Place remote) => filtering switch
    {
        NatFiltering.EndpointIndependent => default,
        NatFiltering.AddressDependent => remote with { Port = 0 },
        _ => remote,
    };

    private bool IsIn(int? realm, TransportAddress address) => RouterAt(realm, address) is not null || HostsIn(realm, address);

    private int? RouterAt(int? realm, TransportAddress address)
    {
        for (var i = 0; i < _topology.Routers.Count; i++)
        {
            if (_topology.Routers[i].Parent == realm && _topology.Routers[i].External == address) return i;
        }

        return null;
    }

    private bool HostsIn(int? realm, TransportAddress address)
    {
        foreach (var host in _topology.Hosts)
        {
            foreach (var own in host.Addresses)
            {
                if (own.Router == realm && own.Address == address) return true;
            }
        }

        return false;
    }

    /// <summary>An address, and in place of a port the name of a mapping there: 0 is the socket of a host itself.</summary>
    private readonly record struct Place(TransportAddress Address, int Port);

    /// <summary>One mapping of a router.</summary>
    private sealed record Mapping(int Name, Place Source, Place Selector)
    {
        public HashSet<Place> Permitted { get; } = [];
    }

    /// <summary>One of the two hosts, with what it knows of the other.</summary>
    private sealed class Side(HostAddress own)
    {
        public int? Router { get; } = own.Router;

        public Place Own { get; } = new(own.Address, 0);

        public List<Place> Known { get; } = [];

        public void Hear(Place place)
        {
            if (!Known.Contains(place)) Known.Add(place);
        }
    }
}
