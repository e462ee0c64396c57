using SipNat.NatLab.Topology;
using SipNat.Traversal.Discovery;
using NatBehaviour = SipNat.NatLab.Topology.NatBehaviour;

namespace SipNat.NatLab.Matrix;

/// <summary>Two sides in one mode, what happened between them, and what the prediction says.</summary>
public sealed record MatrixCell(MatrixPair Pair, MatrixMode Mode, MediaSideResult Left, MediaSideResult Right)
{
    /// <summary>Whether each side heard the other, and nothing else.</summary>
    public bool Works => Left is { Heard: true, Foreign: 0 } && Right is { Heard: true, Foreign: 0 };

    /// <summary>Heard in one direction only, or something that nobody sent.</summary>
    public bool IsHalf => !Works && (Left.Heard || Right.Heard || Left.Foreign + Right.Foreign > 0);

    public bool IsPredicted => Pair.IsPredicted(Mode);

    public bool IsAsPredicted => Works == IsPredicted && !IsHalf;
}

/// <summary>What stands on both sides.</summary>
/// <param name="SameAddress">Both hosts have the same private address.</param>
public sealed record MatrixPair(NatBehaviour Left, NatBehaviour Right, bool SameAddress = false)
{
    private static readonly NatBehaviour[] Kinds =
    [
        NatBehaviour.Open, NatBehaviour.FullCone, NatBehaviour.AddressRestricted, NatBehaviour.PortRestricted, NatBehaviour.Symmetric,
        NatBehaviour.UdpBlocked, NatBehaviour.Double,
    ];

    /// <summary>Every pair of kinds, and two NATs of one kind with the same address behind both.</summary>
    public static IReadOnlyList<MatrixPair> All { get; } =
    [
        .. from left in Kinds from right in Kinds select new MatrixPair(left, right),
        new(NatBehaviour.PortRestricted, NatBehaviour.PortRestricted, SameAddress: true),
    ];

    public static IReadOnlyList<NatBehaviour> AllKinds => Kinds;

    public string Name => $"{Left.Name} – {Right.Name}{(SameAddress ? ", same private address" : "")}";

    /// <summary>
    /// The prediction from the two NATs alone. The kernel keeps the ports of all but the symmetric kind, so that a peer which
    /// sends to the address that signalling comes from, with the port of the description, meets the same mapping as with a
    /// reflexive address: the first three modes have the same answer.
    /// </summary>
    public bool IsPredicted(MatrixMode mode)
    {
        var hasTurn = mode is MatrixMode.IceWithTurn;
        return PathPrediction.Of(new(Of(Left)) { HasTurn = hasTurn }, new(Of(Right)) { HasTurn = hasTurn }).Paths.Count > 0;
    }

    internal static Traversal.Discovery.NatBehaviour Of(NatBehaviour behaviour) => behaviour switch
    {
        NatBehaviour.Open => Traversal.Discovery.NatBehaviour.Open,
        NatBehaviour.FullCone => Traversal.Discovery.NatBehaviour.FullCone,
        NatBehaviour.AddressRestricted => Traversal.Discovery.NatBehaviour.AddressRestricted,
        NatBehaviour.PortRestricted => Traversal.Discovery.NatBehaviour.PortRestricted,
        NatBehaviour.Symmetric => Traversal.Discovery.NatBehaviour.Symmetric,
        NatBehaviour.Double => Traversal.Discovery.NatBehaviour.Double,
        NatBehaviour.UdpBlocked => Traversal.Discovery.NatBehaviour.UdpBlocked,
        _ => throw new System.Diagnostics.UnreachableException(),
    };
}
