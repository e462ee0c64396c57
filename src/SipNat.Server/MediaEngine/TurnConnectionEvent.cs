using SipNat.Wire;

namespace SipNat.Server.MediaEngine;

/// <summary>What happened to a connection of <see cref="TurnConnections"/>.</summary>
public readonly struct TurnConnectionEvent
{
    private readonly int _length;

    internal TurnConnectionEvent(FlowId flow, byte[] buffer, int length) =>
        (Kind, Flow, Buffer, _length) = (TurnConnectionEventKind.Received, flow, buffer, length);

    internal TurnConnectionEvent(FlowId flow, FlowChange change, TurnConnectionEnd end)
    {
        Kind = change.Kind is FlowChangeKind.Opened ? TurnConnectionEventKind.Opened : TurnConnectionEventKind.Closed;
        (Flow, Change, End) = (flow, change, end);
    }

    public TurnConnectionEventKind Kind { get; }

    public FlowId Flow { get; }

    /// <summary>
    /// What a core is told of an opening (with the local address) or of an end: closed, or refused where it never
    /// opened.
    /// </summary>
    public FlowChange Change { get; }

    /// <summary>Why it is closed; None otherwise.</summary>
    public TurnConnectionEnd End { get; }

    /// <summary>One whole STUN or ChannelData message, padding included, until the event is released.</summary>
    public ReadOnlySpan<byte> Message => Buffer.AsSpan(0, _length);

    internal byte[]? Buffer { get; }
}

public enum TurnConnectionEventKind
{
    /// <summary>Messages can be sent; with TLS the server is who it should be.</summary>
    Opened,
    Received,

    /// <summary>It has ended, or could not be made. Nothing more comes of it.</summary>
    Closed,
}

/// <summary>Why a connection to a TURN server ended. A metric's tag.</summary>
public enum TurnConnectionEnd
{
    /// <summary>It has not.</summary>
    None,

    /// <summary>Refused, unreachable, or not made in time.</summary>
    NotReached,

    /// <summary>The certificate is not made out to the configured name, or nobody trusted vouches for it.</summary>
    CertificateRefused,
    ByUs,
    ByServer,

    /// <summary>What came begins no message of TURN.</summary>
    NotTurn,

    /// <summary>The first message, or the rest of one, did not come in time.</summary>
    TooSlow,

    /// <summary>Reset, timed out or unreachable.</summary>
    Broken,
}
