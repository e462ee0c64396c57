using SipNat.Traversal.Ice;
using SipNat.Wire;

namespace SipNat.Simulation.Ice;

/// <summary>Two agents, each behind what a test says, two STUN servers and perhaps a relay. Left is controlling.</summary>
public sealed class IceScene
{
    private const int RelayPorts = 8;
    private static readonly TimeSpan Gathering = TimeSpan.FromSeconds(2);
    private static readonly TransportAddress[] Servers = [TransportAddress.Parse("198.51.100.1:3478"), TransportAddress.Parse("198.51.100.2:3478")];

    public IceScene(int seed, NatOptions? left, NatOptions? right, IceOptions? options = null, bool hasRelay = false, IceRole rightRole = IceRole.Controlled, IceOptions? rightOptions = null)
    {
        Network = new(seed);
        foreach (var server in Servers) SimulatedStunServer.AddTo(Network, server.ToString());
        var relay = hasRelay ? SimulatedRelay.AddTo(Network, "198.51.100.3", RelayPorts) : default;
        Left = new(IceRole.Controlling, (2 * seed) + 1, options, Servers, relay);
        Right = new(rightRole, (2 * seed) + 2, rightOptions ?? options, Servers, relay);
        (LeftHost, LeftNat) = Add(Left, left, "203.0.113.1", "192.168.1.100", "203.0.113.10");
        (RightHost, RightNat) = Add(Right, right, "203.0.113.2", "192.168.1.100", "203.0.113.20");
    }

    public SimulatedNetwork Network { get; }

    public IceParty Left { get; }

    public IceParty Right { get; }

    public SimulatedHost LeftHost { get; }

    public SimulatedHost RightHost { get; }

    public SimulatedNat? LeftNat { get; }

    public SimulatedNat? RightNat { get; }

    public bool AreConnected => Left.Agent.State is IceState.Connected && Right.Agent.State is IceState.Connected;

    /// <summary>What to put between a description that was written and one that is read.</summary>
    public Func<IceDescription, IceDescription> OnTheWay { get; set; } = static description => description;

    /// <summary>Lets the sockets learn how they are seen, on a network that loses nothing.</summary>
    public void Gather()
    {
        if (!Network.RunUntil(() => Left.IsGathered && Right.IsGathered, Gathering)) throw new InvalidOperationException("The sockets do not learn their mappings.");
    }

    /// <summary>Carries both descriptions across, as text, at this moment.</summary>
    public void Exchange()
    {
        var (left, right) = (Carry(Left.Agent.Describe()), Carry(Right.Agent.Describe()));
        LeftHost.Run(now => Left.Agent.SetRemote(now, right));
        RightHost.Run(now => Right.Agent.SetRemote(now, left));
        Settle();
    }

    /// <summary>Restarts from the left: an offer, then the answer to it.</summary>
    public void Restart()
    {
        Left.Agent.Restart();
        var offer = Carry(Left.Agent.Describe());
        RightHost.Run(now => Right.Agent.SetRemote(now, offer));
        var answer = Carry(Right.Agent.Describe());
        LeftHost.Run(now => Left.Agent.SetRemote(now, answer));
        Settle();
    }

    /// <summary>Runs until both sides are connected; false when they are not in time.</summary>
    public bool Connects(TimeSpan limit) => Network.RunUntil(() => AreConnected, limit);

    /// <summary>Gathers, exchanges, and runs until both are connected or one has failed.</summary>
    public bool Run(TimeSpan limit)
    {
        Gather();
        Exchange();
        Network.RunUntil(() => AreConnected || Left.Agent.State is IceState.Failed, limit);
        return AreConnected;
    }

    // What an input changed at a party leaves with the party's next drain.
    private void Settle()
    {
        LeftHost.Run(Left.Drain);
        RightHost.Run(Right.Drain);
    }

    private IceDescription Carry(IceDescription description) => IceSignalling.Carry(OnTheWay(description));

    private (SimulatedHost Host, SimulatedNat? Nat) Add(IceParty party, NatOptions? options, string external, string inner, string open)
    {
        var nat = options is null ? null : Network.AddNat(external, options);
        var host = Network.AddHost(nat is null ? open : inner, party, nat);
        for (var component = 0; component < party.Agent.Components; component++) host.OpenUdp(4000 + component);
        return (host, nat);
    }
}
