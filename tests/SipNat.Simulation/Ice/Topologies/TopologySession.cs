using SipNat.Traversal.Ice;
using SipNat.Wire;

namespace SipNat.Simulation.Ice.Topologies;

/// <summary>Two agents on their hosts, with the signalling between them, which loses nothing.</summary>
internal sealed class TopologySession(SessionPlan plan, IceTopology topology, SimulatedNetwork network, TransportAddress relay)
{
    private SimulatedHost? _leftHost;
    private SimulatedHost? _rightHost;
    private Instant _begun;

    private readonly HostPlan _left = topology.Hosts[plan.Left];
    private readonly HostPlan _right = topology.Hosts[plan.Right];

    public SessionPlan Plan { get; } = plan;

    /// <summary>What the oracle says.</summary>
    public PathClass Best { get; } = ReachabilityOracle.BestOf(topology, plan);

    public required IceParty Left { get; init; }

    public required IceParty Right { get; init; }

    public bool IsGathered => Left.IsGathered && Right.IsGathered;

    public bool IsConnected => Left.Agent.State is IceState.Connected && Right.Agent.State is IceState.Connected;

    public bool HasEnded => Took is not null || (Left.Agent.State is IceState.Failed && Right.Agent.State is IceState.Failed);

    /// <summary>Whether a side has lost consent since the descriptions were exchanged last.</summary>
    public bool HasLostConsent => Left.LostConsentSince(_begun) || Right.LostConsentSince(_begun);

    /// <summary>When a path was last taken or lost on either side.</summary>
    public Instant LastChange => Left.LastEvent > Right.LastEvent ? Left.LastEvent : Right.LastEvent;

    /// <summary>Whether a path was taken or lost in the last moments, after it had connected.</summary>
    public bool HasChangedWithin(TimeSpan span) => Took is { } took && LastChange > _begun + took && network.Now - LastChange < span;

    /// <summary>How long it took to connect; null while it has not.</summary>
    public TimeSpan? Took { get; private set; }

    /// <summary>What it connected by: the worst of the components.</summary>
    public PathClass Found { get; private set; }

    /// <summary>Opens the sockets of both sides.</summary>
    public void Open(SimulatedHost leftHost, SimulatedHost rightHost, int port)
    {
        (_leftHost, _rightHost) = (leftHost, rightHost);
        Open(leftHost, _left, Left, port);
        Open(rightHost, _right, Right, port);
    }

    /// <summary>The offer goes to the right, which begins at once; its answer takes <paramref name="delay"/>.</summary>
    public void Exchange(TimeSpan delay)
    {
        (_begun, Took, Found) = (network.Now, null, PathClass.None);
        var offer = IceSignalling.Carry(Left.Agent.Describe());
        _rightHost!.Run(now => Give(Right, now, offer));
        var answer = IceSignalling.Carry(Right.Agent.Describe());
        network.After(delay, () => _leftHost!.Run(now => Give(Left, now, answer)));
    }

    public void Regather()
    {
        _leftHost!.Run(Left.Regather);
        _rightHost!.Run(Right.Regather);
    }

    /// <summary>Looks whether it has connected; to be called while it has not.</summary>
    public void Observe()
    {
        if (Took is not null || !IsConnected) return;

        Took = network.Now - _begun;
        Found = PathClass.Own;
        for (var component = 1; component <= Plan.Components; component++)
        {
            var found = ClassOf(Left.Agent.PathOf(component)!);
            if (found > Found) Found = found;
        }
    }

    /// <summary>Sends one packet each way on every component.</summary>
    public void SendMedia()
    {
        for (var component = 1; component <= Plan.Components; component++)
        {
            _leftHost!.Run(now => Left.TrySendMedia(now, component));
            _rightHost!.Run(now => Right.TrySendMedia(now, component));
        }
    }

    /// <summary>Media packets that arrived, by side and component.</summary>
    public int[] CountMedia() => [.. Left.MediaReceived.AsSpan(0, Plan.Components), .. Right.MediaReceived.AsSpan(0, Plan.Components)];

    private PathClass ClassOf(IcePath path) =>
        path.Local.Address.HasSameAddress(relay) || path.Remote.HasSameAddress(relay) ? PathClass.Relayed
        : Has(_left, path.Local.Address) && Has(_right, path.Remote) ? PathClass.Own
        : PathClass.Translated;

    private static bool Has(HostPlan host, TransportAddress address) => host.Addresses.Any(own => own.Address.HasSameAddress(address));

    private static void Give(IceParty party, Instant now, IceDescription description)
    {
        party.Agent.SetRemote(now, description);
        party.Drain(now);
    }

    private static void Open(SimulatedHost host, HostPlan plan, IceParty party, int port)
    {
        host.Attach(party);
        foreach (var own in plan.Addresses)
        {
            for (var component = 0; component < party.Agent.Components; component++) host.OpenUdp(port + component, party, own.Address);
        }
    }
}
