using SipNat.Endpoint.Diagnosis;
using SipNat.Endpoint.Siprec;

namespace SipNat.Endpoint.Media;

/// <summary>What the owner of the media sockets tells signalling. The set is closed: switch over it.</summary>
public abstract record MediaEvent(SessionId Session)
{
    /// <summary>All ports of the session, in order.</summary>
    public sealed record Opened(SessionId Session, IReadOnlyList<MediaPortAddresses> Ports) : MediaEvent(Session);

    /// <summary>No ports could be bound.</summary>
    public sealed record Refused(SessionId Session, string Reason) : MediaEvent(Session);

    /// <summary>What a STUN server sees of a port was learned or has changed.</summary>
    public sealed record AddressesChanged(SessionId Session, int Port, MediaPortAddresses Addresses) : MediaEvent(Session);

    /// <summary>How the streams are doing: at least every two seconds while anything changes, and at once at their start.</summary>
    public sealed record Reported(SessionId Session, IReadOnlyList<MediaStreamReport> Streams) : MediaEvent(Session);

    /// <summary>Something that belongs to the timeline of the session: a digit, a new source.</summary>
    public sealed record Noted(SessionId Session, TimelineEntry Entry) : MediaEvent(Session);

    public sealed record Found(SessionId Session, Finding Finding) : MediaEvent(Session);

    /// <summary>A stream that should be sending brings nothing. Why, is for signalling to find: it knows what was agreed on.</summary>
    public sealed record Silent(SessionId Session, StreamSilence Silence) : MediaEvent(Session);

    /// <summary>The peer pressed a key, and has released it.</summary>
    /// <param name="Digit">0–9, *, #, A–D.</param>
    /// <param name="Duration">As its sender says; in band measured.</param>
    public sealed record DigitHeard(SessionId Session, int Port, char Digit, TimeSpan Duration, DigitTransport By) : MediaEvent(Session);

    /// <summary>A clip that does not loop has been sent to its end.</summary>
    public sealed record PlayEnded(SessionId Session, int Port) : MediaEvent(Session);

    /// <summary>The session's files are complete and its ports closed; the last word of a session.</summary>
    public sealed record Closed(SessionId Session, IReadOnlyList<MediaStreamReport> Streams) : MediaEvent(Session);
}
