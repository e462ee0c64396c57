namespace SipNat.Traversal.Discovery;

/// <summary>
/// What will work between two sides, from what is known of their NATs alone. It knows RFC 4787 and nothing of ICE, so
/// that it can judge an ICE agent.
/// </summary>
/// <remarks>
/// Assumed: the two sides are in different private networks; a NAT gives one host one external address ("paired"
/// pooling, RFC 4787 §4.1); mappings are kept alive; no firewall blocks more than the description says.
/// </remarks>
/// <param name="Paths">Every way on which media flow in both directions, the simplest first; empty where there is none.</param>
/// <param name="LeftMayCall">Whether the left side can send an INVITE straight to the right side, uninvited.</param>
/// <param name="RightMayCall">The other way round. Where neither may, both need a SIP server that they keep a flow to.</param>
public sealed record PathPrediction(IReadOnlyList<PredictedPath> Paths, bool LeftMayCall, bool RightMayCall)
{
    public static PathPrediction Of(PathSide left, PathSide right)
    {
        var paths = new List<PredictedPath>();
        if (!left.Nat.IsUdpBlocked && !right.Nat.IsUdpBlocked) AddDirect(paths, new(left), new(right));
        if (CanRelay(left, right)) paths.Add(new(PathKind.Relay, PathAddress.Relayed, PathAddress.Relayed, FirstSender.Either));
        return new(paths, new End(right).IsStanding, new End(left).IsStanding);
    }

    private static void AddDirect(List<PredictedPath> paths, End left, End right)
    {
        if (!left.IsStanding && !right.IsStanding)
        {
            AddHolePunching(paths, left, right);
            return;
        }

        // Where one side cannot be reached uninvited, its own first packet goes to the one that can.
        var first = left.IsStanding && right.IsStanding ? FirstSender.Either : left.IsStanding ? FirstSender.Right : FirstSender.Left;
        if (!left.IsMappingDependent && !right.IsMappingDependent)
        {
            paths.Add(new(KindOf(left.Address, right.Address), left.Address, right.Address, first));
        }

        // To learn the source of packets adds nothing where the address in SDP is the host's own, or open to all.
        if (!left.IsStanding && left.Address is not PathAddress.Own) paths.Add(new(PathKind.Latching, PathAddress.Learned, right.Address, first));
        if (!right.IsStanding && right.Address is not PathAddress.Own) paths.Add(new(PathKind.Latching, left.Address, PathAddress.Learned, first));
    }

    private static void AddHolePunching(List<PredictedPath> paths, End left, End right)
    {
        if (!IsTwoWay(left, right) && !IsTwoWay(right, left)) return;

        var toLeft = left.IsMappingDependent ? PathAddress.Learned : left.Address;
        var toRight = right.IsMappingDependent ? PathAddress.Learned : right.Address;
        paths.Add(new(PathKind.HolePunching, toLeft, toRight, FirstSender.Both));
    }

    // Whether packets of one side to the signalled address of the other get in, and the answers to them too. The answers
    // of a dependent mapping come from another port than the one that was sent to.
    private static bool IsTwoWay(End from, End to) =>
        GetsIn(from, to) && (!to.IsMappingDependent || from.Filtering is not EndpointDependence.AddressAndPortDependent);

    // The other side sends as well, to the address that was signalled: that opens its filter for this address, and for
    // this port only where the port is the signalled one.
    private static bool GetsIn(End from, End to)
    {
        // The signalled address belongs to the mapping towards the STUN server, whose filter knows that server alone.
        if (to.IsMappingDependent) return to.AdmitsEverybody;

        return to.Filtering is not EndpointDependence.AddressAndPortDependent || !from.IsMappingDependent;
    }

    private static PathKind KindOf(PathAddress left, PathAddress right)
    {
        if (left is PathAddress.Forwarded || right is PathAddress.Forwarded) return PathKind.Forward;

        return left is PathAddress.Own && right is PathAddress.Own ? PathKind.Direct : PathKind.Reflexive;
    }

    // One relayed address is enough where the other side can send UDP to it; whoever cannot needs a relay of its own.
    private static bool CanRelay(PathSide left, PathSide right) =>
        (left.HasTurn && (right.HasTurn || !right.Nat.IsUdpBlocked)) || (right.HasTurn && !left.Nat.IsUdpBlocked);

    // A side as its peer meets it: a forwarded port is an endpoint-independent mapping that admits everybody.
    private readonly struct End(PathSide side)
    {
        public PathAddress Address { get; } =
            side.Nat.Mapping is EndpointDependence.None ? PathAddress.Own
            : IsForwarded(side) ? PathAddress.Forwarded
            : PathAddress.Reflexive;

        public EndpointDependence Filtering { get; } = IsForwarded(side) ? EndpointDependence.EndpointIndependent : side.Nat.Filtering;

        public bool IsMappingDependent { get; } = side.Nat.IsMappingDependent && !IsForwarded(side);

        public bool AdmitsEverybody => Filtering is EndpointDependence.None or EndpointDependence.EndpointIndependent;

        /// <summary>Whether there is an address at which everybody can reach it, uninvited.</summary>
        public bool IsStanding { get; } = !side.Nat.IsUdpBlocked && (IsForwarded(side) || (!side.Nat.IsMappingDependent && side.Nat.AdmitsEverybody));

        // What the nearest router forwards, the second one has never heard of.
        private static bool IsForwarded(PathSide side) => side is { HasForward: true, Nat: { Layers: 1, IsUdpBlocked: false } };
    }
}
