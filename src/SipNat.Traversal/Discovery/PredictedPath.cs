namespace SipNat.Traversal.Discovery;

/// <summary>One end of a path that is to be predicted.</summary>
/// <param name="Nat">What its packets meet.</param>
public sealed record PathSide(NatBehaviour Nat)
{
    /// <summary>Whether its SIP and media ports are forwarded to it by the router.</summary>
    public bool HasForward { get; init; }

    /// <summary>Whether it has a TURN server (RFC 8656), by TCP or TLS where UDP is blocked.</summary>
    public bool HasTurn { get; init; }
}

/// <summary>A way on which media flow in both directions.</summary>
/// <param name="Kind">What makes it work.</param>
/// <param name="ToLeft">The address of the left side that the right side sends to.</param>
/// <param name="ToRight">The address of the right side that the left side sends to.</param>
/// <param name="First">Who must have sent before the other's packets get through.</param>
public sealed record PredictedPath(PathKind Kind, PathAddress ToLeft, PathAddress ToRight, FirstSender First);

/// <summary>What makes a path work, the simplest first.</summary>
public enum PathKind
{
    /// <summary>Both sides have addresses of their own that the other can send to.</summary>
    Direct,

    /// <summary>A router forwards the ports of one side, and the addresses in SDP are right on both.</summary>
    Forward,

    /// <summary>The addresses that STUN shows are put into SDP (RFC 8489), and are right for the peer too.</summary>
    Reflexive,

    /// <summary>One side sends to where the other's packets come from (symmetric RTP, RFC 4961), whatever SDP says.</summary>
    Latching,

    /// <summary>Neither side can be reached uninvited; both send at once and open their filters for each other (ICE, RFC 8445).</summary>
    HolePunching,

    /// <summary>By way of a TURN server (RFC 8656).</summary>
    Relay,
}

/// <summary>What kind of address packets are sent to. All but <see cref="Learned"/> are known before the first packet.</summary>
public enum PathAddress
{
    /// <summary>The host's own.</summary>
    Own,

    /// <summary>The router's, with a forwarded port.</summary>
    Forwarded,

    /// <summary>The one that a STUN server saw.</summary>
    Reflexive,

    /// <summary>The source of the packets that came; ICE calls it peer-reflexive (RFC 8445 §4).</summary>
    Learned,

    /// <summary>One on a TURN server, of either side.</summary>
    Relayed,
}

/// <summary>Who must send before the other's packets get through.</summary>
public enum FirstSender
{
    Either,
    Left,
    Right,

    /// <summary>Both, at about the same time.</summary>
    Both,
}
