using System.Diagnostics;
using SipNat.Wire;

namespace SipNat.Traversal.Ice;

/// <summary>What an <see cref="IceAgent"/> found. The set is closed: switch over it.</summary>
public abstract record IceEvent
{
    private IceEvent(Instant at) => At = at;

    public Instant At { get; }

    /// <summary>Media of a component may be sent on a path from this moment on, and no longer on its previous one.</summary>
    public sealed record PathChanged(int Component, IcePath Path, Instant At) : IceEvent(At);

    /// <summary>Every component has its nominated path.</summary>
    public sealed record Connected(Instant At) : IceEvent(At);

    /// <summary>No path for every component within <see cref="IceOptions.Patience"/>.</summary>
    public sealed record Failed(int PairsTried, Instant At) : IceEvent(At);

    /// <summary>The path of a component is dead: nothing may be sent on it.</summary>
    public sealed record ConsentLost(int Component, IcePath Path, Instant At) : IceEvent(At);

    /// <summary>Both sides had taken the same role, and this side gave way (RFC 8445 §7.3.1.1).</summary>
    public sealed record RoleChanged(IceRole Role, Instant At) : IceEvent(At);

    /// <summary>A relayed base will send to a peer, for which its TURN server wants a permission (RFC 8656 §9).</summary>
    public sealed record PermissionWanted(FlowId RelayFlow, TransportAddress Peer, Instant At) : IceEvent(At);
}

public static class IceEventText
{
    public static string Explain(this IceEvent happened) => happened switch
    {
        IceEvent.PathChanged(var component, var path, _) => $"Component {component} uses {path}.",
        IceEvent.Connected => "ICE connected.",
        IceEvent.Failed(var pairs, _) => $"ICE failed: none of {pairs} candidate pairs carries media.",
        IceEvent.ConsentLost(var component, var path, _) => $"Component {component} lost its path {path}: the peer answers no more.",
        IceEvent.RoleChanged(var role, _) => $"Both sides had the same role; this one is {(role is IceRole.Controlling ? "controlling" : "controlled")}.",
        IceEvent.PermissionWanted(_, var peer, _) => $"The relay will send to {peer.AddressText}.",
        _ => throw new UnreachableException(),
    };
}
