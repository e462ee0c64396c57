using SipNat.Sip.Messages;
using SipNat.Traversal.Stun;
using SipNat.Wire;

namespace SipNat.Endpoint;

/// <summary>What the log should say of signalling. The set is closed: switch over it.</summary>
public abstract record SignallingNotice
{
    private SignallingNotice()
    {
    }

    /// <summary>A request from outside the allowed networks.</summary>
    public sealed record NotAllowed(TransportAddress From, SipMethod Method) : SignallingNotice;

    /// <summary>Bytes that were no message to act on.</summary>
    public sealed record Malformed(TransportAddress From, SipDefect Defect) : SignallingNotice;

    /// <summary>An INVITE of an allowed peer in which nothing could be recorded.</summary>
    public sealed record Unrecordable(TransportAddress From, string CallId, string Answer) : SignallingNotice;

    /// <summary>Sessions are refused for want of media ports.</summary>
    public sealed record OutOfPorts(string Reason) : SignallingNotice;

    /// <summary>Sessions were turned away with 503, for want of something else.</summary>
    /// <param name="From">Whose was the last of them.</param>
    /// <param name="Count">How many, with that one, since this was last told.</param>
    public sealed record TurnedAway(TransportAddress From, int Count, string Reason) : SignallingNotice;

    /// <summary>An address was chosen for a peer, and why.</summary>
    public sealed record Advertised(SessionId Session, string What, TransportAddress Address, string Why) : SignallingNotice;

    /// <summary>What is known of the public address of a SIP flow has changed.</summary>
    public sealed record Mapping(StunBindingEvent Happened) : SignallingNotice;

    /// <summary>A session began or ended.</summary>
    public sealed record SessionChanged(SessionId Session, string Text) : SignallingNotice;
}
