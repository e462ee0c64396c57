using SipNat.Traversal.Ice;
using SipNat.Wire;

namespace SipNat.Simulation.Ice.Topologies;

/// <summary>
/// Runs the sessions of a topology and holds them against the oracle: each connects exactly where it can and by the best
/// class of path, carries media both ways, stays while consent allows, and heals by a restart where a router restarted.
/// </summary>
public sealed class IceTopologyRun
{
    private const int FirstPort = 4000;
    private const int PortsOfSession = 10;
    private const int RelayPorts = 48;
    private const int PartiesOfSeed = 16;

    /// <summary>Within so long every session has connected or failed.</summary>
    public static readonly TimeSpan Limit = new IceOptions().Patience * 2.2;

    private static readonly TimeSpan Gathering = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Staying = TimeSpan.FromSeconds(40);
    private static readonly TimeSpan ConsentIsCertain = TimeSpan.FromSeconds(36);

    // A late or doubled answer is seen by the observer and does not count for the agent.
    private static readonly TimeSpan ConsentLeast = TimeSpan.FromSeconds(29);

    // A pair that takes the place of a dead one is in doubt at once.
    private static readonly TimeSpan DoubtLeast = new IceOptions().DoubtTimeout * 0.9;

    // In so long what has changed is asked a few times, and stays or is lost.
    private static readonly TimeSpan Calm = TimeSpan.FromSeconds(3);

    private static readonly TransportAddress[] Servers =
    [
        TransportAddress.Parse("198.51.100.1:3478"), TransportAddress.Parse("198.51.100.2:3478"),
        TransportAddress.Parse("[2001:db8:1::1]:3478"), TransportAddress.Parse("[2001:db8:1::2]:3478"),
    ];

    private readonly IceTopology _topology;
    private readonly SimulatedNetwork _network;
    private readonly List<SimulatedNat> _routers = [];
    private readonly List<TopologySession> _sessions = [];
    private readonly List<string> _faults = [];
    private int _healed;
    private TimeSpan _slowest;

    private IceTopologyRun(IceTopology topology)
    {
        (_topology, _network) = (topology, new(topology.Seed));
        foreach (var server in Servers) SimulatedStunServer.AddTo(_network, server.ToString());
        var relay = SimulatedRelay.AddTo(_network, "198.51.100.3", RelayPorts);
        foreach (var router in topology.Routers) _routers.Add(_network.AddNat(router.External.AddressText, router.Options, NatAt(router.Parent)));
        var hosts = topology.Hosts.Select(AddHost).ToList();
        for (var i = 0; i < topology.Sessions.Count; i++) AddSession(topology.Sessions[i], i, hosts, relay);
    }

    public static IceTopologyResult Run(IceTopology topology)
    {
        var run = new IceTopologyRun(topology);
        try
        {
            run.Run();
        }
        catch (Exception error) when (error is InvalidOperationException or ArgumentException)
        {
            run._faults.Add(error.Message);
        }

        var sessions = Enum.GetValues<PathClass>().Select(kind => run._sessions.Count(session => session.Best == kind)).ToList();
        return new(topology, run._faults, sessions, run._healed, run._slowest, run._network.DeliveredCount);
    }

    private void Run()
    {
        Gather();
        foreach (var session in _sessions) session.Exchange(_topology.Path.Delay);
        Settle(_sessions);
        // A path of four lossy ways may lose half a minute of checks by chance; while another takes its place the sides may
        // disagree for a moment. Such a session is looked at in the end.
        CheckMedia(_sessions.FindAll(session => session.IsConnected && !session.HasChangedWithin(Calm)), "at first");

        _network.RunFor(Staying);
        CheckConsent();
        if (_topology.Restart is { } restart) Restart(restart);
        Heal();
        _network.AssertNothingRented();
    }

    // Without loss: how sockets learn their mappings is not what is tried here.
    private void Gather()
    {
        SetPath(new() { Delay = _topology.Path.Delay });
        if (!_network.RunUntil(() => _sessions.TrueForAll(session => session.IsGathered), Gathering)) _faults.Add("the sockets do not learn their mappings");
        SetPath(_topology.Path);
    }

    private void Settle(List<TopologySession> sessions)
    {
        _network.RunUntil(() => AllEnded(sessions), Limit);
        foreach (var session in sessions)
        {
            Judge(session);
            if (session.Took > _slowest) _slowest = session.Took.Value;
        }
    }

    private static bool AllEnded(List<TopologySession> sessions)
    {
        var all = true;
        foreach (var session in sessions)
        {
            session.Observe();
            all &= session.HasEnded;
        }

        return all;
    }

    private void Judge(TopologySession session)
    {
        // By chance all checks of half a minute may be lost, also before the other component is there: a restart heals it.
        if (session.Took is null && session.HasLostConsent) return;

        if (!session.HasEnded) _faults.Add($"{session.Plan}: the left is {session.Left.Agent.State}, the right {session.Right.Agent.State}");
        else if (Level(session.Found) != Level(session.Best)) _faults.Add($"{session.Plan}: {session.Found}, and {session.Best} is possible");
    }

    // Where checks are lost, a path through a NAT may be there first: it is as direct as one without.
    private PathClass Level(PathClass kind) => kind is PathClass.Own && _topology.Path.Loss > 0 ? PathClass.Translated : kind;

    private void CheckMedia(List<TopologySession> sessions, string when)
    {
        SetPath(new() { Delay = _topology.Path.Delay });
        var before = sessions.ConvertAll(session => session.CountMedia());
        foreach (var session in sessions) session.SendMedia();
        // A relay on either side makes three paths of one.
        _network.RunFor((_topology.Path.Delay * 3) + TimeSpan.FromMilliseconds(10));
        for (var i = 0; i < sessions.Count; i++)
        {
            var arrived = sessions[i].CountMedia().Zip(before[i], static (after, earlier) => after - earlier);
            if (arrived.Any(static count => count != 1)) _faults.Add($"{sessions[i].Plan}: media {when} arrived {string.Join(", ", arrived)} times");
        }

        SetPath(_topology.Path);
    }

    private void CheckConsent()
    {
        foreach (var session in _sessions)
        {
            CheckConsent(session, session.Left);
            CheckConsent(session, session.Right);
        }
    }

    private void CheckConsent(TopologySession session, IceParty party)
    {
        foreach (var (inUse, silence) in party.LostConsents)
        {
            if (silence < (inUse < ConsentLeast ? DoubtLeast : ConsentLeast)) _faults.Add($"{session.Plan}: consent lost {silence.TotalSeconds:F1} s after an answer");
        }
    }

    private void Restart(RestartPlan restart)
    {
        _routers[restart.Router].Reboot(restart.Outage);
        if (!restart.Renumbered.IsNone) _routers[restart.Router].Renumber(restart.Renumbered.AddressText);
        _network.RunFor(restart.Outage + ConsentIsCertain);
    }

    private void Heal()
    {
        SetPath(new() { Delay = _topology.Path.Delay });
        _network.RunFor(Calm);
        _network.RunUntil(() => _sessions.TrueForAll(session => _network.Now - session.LastChange > Calm), Calm * 10);
        var broken = _sessions.FindAll(static session => session.Best is not PathClass.None && !session.IsConnected);
        CheckMedia(_sessions.FindAll(static session => session.IsConnected), "after it all");
        if (broken.Count == 0) return;

        SetPath(new() { Delay = _topology.Path.Delay });
        foreach (var session in broken) session.Regather();
        _network.RunFor(Gathering);
        SetPath(_topology.Path);
        foreach (var session in broken)
        {
            session.Left.Agent.Restart();
            session.Exchange(_topology.Path.Delay);
        }

        Settle(broken);
        CheckMedia(broken.FindAll(static session => session.IsConnected), "after a restart");
        _healed = broken.Count(static session => session.IsConnected);
    }

    private void SetPath(Impairment path) =>
        (_network.Loss, _network.Duplication, _network.Delay, _network.Jitter) = (path.Loss, path.Duplication, path.Delay, path.Jitter);

    private SimulatedNat? NatAt(int? router) => router is { } index ? _routers[index] : null;

    private SimulatedHost AddHost(HostPlan plan)
    {
        SimulatedHost? host = null;
        foreach (var own in plan.Addresses)
        {
            if (host is null) host = _network.AddHost(own.Address.AddressText, new SilentCore(), NatAt(own.Router));
            else host.AddAddress(own.Address.AddressText, NatAt(own.Router));
        }

        return host!;
    }

    private void AddSession(SessionPlan plan, int index, List<SimulatedHost> hosts, TransportAddress relay)
    {
        var options = new IceOptions { Components = plan.Components };
        var seed = (_topology.Seed * PartiesOfSeed) + (2 * index);
        var session = new TopologySession(plan, _topology, _network, relay)
        {
            Left = new(IceRole.Controlling, seed, options, Servers, plan.LeftHasRelay && _topology.Hosts[plan.Left].IPv4 is not null ? relay : default) { KeepsSent = false },
            Right = new(IceRole.Controlled, seed + 1, options, Servers, plan.RightHasRelay && _topology.Hosts[plan.Right].IPv4 is not null ? relay : default) { KeepsSent = false },
        };
        session.Open(hosts[plan.Left], hosts[plan.Right], FirstPort + (PortsOfSession * index));
        _sessions.Add(session);
    }
}
