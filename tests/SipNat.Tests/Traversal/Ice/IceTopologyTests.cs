using SipNat.Simulation;
using SipNat.Simulation.Ice;
using SipNat.Traversal.Ice;

namespace SipNat.Tests.Traversal.Ice;

/// <summary>Agents in topologies that are drawn at random, against an oracle that knows the NATs and nothing of ICE.</summary>
public sealed class IceTopologyTests
{
    private const int Count = 200;

    [Fact]
    public void Agents_connect_exactly_where_the_NATs_allow_it_and_by_the_best_kind_of_path()
    {
        var wrong = new List<string>();
        for (var seed = 1; seed <= Count; seed++)
        {
            var topology = Topology.Draw(seed);
            var found = Run(topology);
            if (found != topology.Expected) wrong.Add($"seed {seed}: {topology} gave {found}, and {topology.Expected} is possible");
        }

        Assert.Empty(wrong);
    }

    private static string Run(Topology topology)
    {
        var scene = new IceScene(topology.Seed, topology.Left, topology.Right, new() { Components = topology.Components }, topology.HasRelay);
        scene.Gather();
        (scene.Network.Loss, scene.Network.Duplication) = (topology.Loss, topology.Loss / 2);
        (scene.Network.Delay, scene.Network.Jitter) = (topology.Delay, topology.Delay);
        scene.Exchange();
        scene.Network.RunUntil(() => scene.AreConnected || scene.Left.Agent.State is IceState.Failed, TimeSpan.FromSeconds(60));
        var left = scene.Left.Agent;
        if (!scene.AreConnected) return "nothing";

        scene.Network.AssertNothingRented();
        return Enumerable.Range(1, topology.Components).Any(component => left.PathOf(component)!.IsRelayed) ? "relayed" : "direct";
    }

    private sealed record Topology(int Seed, NatOptions? Left, NatOptions? Right, int Components, bool HasRelay, double Loss, TimeSpan Delay)
    {
        public string Expected => CanMeet(Left, Right) ? "direct" : HasRelay ? "relayed" : "nothing";

        public static Topology Draw(int seed)
        {
            var random = new Random(seed);
            return new(
                seed,
                DrawNat(random),
                DrawNat(random),
                1 + random.Next(2),
                random.Next(2) == 0,
                random.Next(2) == 0 ? 0 : random.NextDouble() * 0.15,
                TimeSpan.FromMilliseconds(1 + random.Next(80)));
        }

        public override string ToString() =>
            $"{Text(Left)} and {Text(Right)}, {Components} components, {(HasRelay ? "with" : "without")} a relay, loss {Loss:P0}, delay {Delay.TotalMilliseconds} ms";

        private static string Text(NatOptions? nat) => nat is null ? "open" : $"{nat.Mapping}/{nat.Filtering}/{nat.PortAssignment}";

        private static NatOptions? DrawNat(Random random) => random.Next(5) == 0 ? null : new()
        {
            Mapping = (NatMapping)random.Next(3),
            Filtering = (NatFiltering)random.Next(3),
            // Not preserved: a varying mapping that keeps a port by chance is as good as one that does not vary.
            PortAssignment = PortAssignment.Random,
        };

        private static bool CanMeet(NatOptions? left, NatOptions? right)
        {
            var (one, other) = (new Side(left), new Side(right));
            // Each round lets both send to all that they have heard of: who is at home after five, is.
            for (var round = 0; round < 5; round++)
            {
                foreach (var target in one.Known.ToList()) one.Send(other, target);
                foreach (var target in other.Known.ToList()) other.Send(one, target);
            }

            return one.Meets(other);
        }
    }

    /// <summary>
    /// One host and its NAT in the terms of RFC 4787 §4 and §5, as names of external ports: "0" is the port that a server
    /// saw, and what the peer is told. A mapping that varies has another port for another destination.
    /// </summary>
    private sealed class Side(NatOptions? nat)
    {
        private readonly Dictionary<string, HashSet<string>> _sentFrom = new(StringComparer.Ordinal) { ["0"] = new(StringComparer.Ordinal) };

        public SortedSet<string> Known { get; } = new(StringComparer.Ordinal) { "0" };

        public void Send(Side peer, string target)
        {
            var source = PortTo(target);
            if (!_sentFrom.TryGetValue(source, out var targets)) _sentFrom[source] = targets = new(StringComparer.Ordinal);
            targets.Add(target);
            if (peer.LetsIn(target, source)) peer.Known.Add(source);
        }

        /// <summary>Whether there are two ports that both sides use towards each other.</summary>
        public bool Meets(Side peer) => Known.Any(target => peer.LetsIn(target, PortTo(target)) && peer.PortTo(PortTo(target)) == target && LetsIn(PortTo(target), target));

        private string PortTo(string target) => nat?.Mapping switch
        {
            null or NatMapping.EndpointIndependent => "0",
            NatMapping.AddressDependent => "peer",
            _ => $"[{target}]",
        };

        private bool LetsIn(string port, string source) => _sentFrom.TryGetValue(port, out var targets) && (nat?.Filtering switch
        {
            null or NatFiltering.EndpointIndependent => true,
            NatFiltering.AddressDependent => targets.Count > 0,
            _ => targets.Contains(source),
        });
    }
}
