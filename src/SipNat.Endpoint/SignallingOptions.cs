using SipNat.Sip.Sdp;
using SipNat.Wire;

namespace SipNat.Endpoint;

/// <summary>What a <see cref="SignallingCore"/> needs to know beside its messages.</summary>
public sealed record SignallingOptions
{
    /// <summary>Who may record; everybody else gets 403.</summary>
    public IReadOnlyList<NetworkPrefix> AllowedNetworks { get; init; } = [];

    /// <summary>The internal address that RTP binds; none for the one that the peer's INVITE came in on.</summary>
    public TransportAddress MediaAddress { get; init; }

    /// <summary>Upper bound of the time between two packets that keep a NAT's mapping alive.</summary>
    public TimeSpan Keepalive { get; init; } = TimeSpan.FromSeconds(25);

    /// <summary>How long a stream that should be sending may be silent before the peer is asked.</summary>
    public TimeSpan SilenceTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How long an answer may wait for a STUN server (it has had that time already where ports are mapped ahead).</summary>
    public TimeSpan MappingWait { get; init; } = TimeSpan.FromMilliseconds(300);

    /// <summary>The same for a TURN server, where an answer must name its address (<c>Nat:RelayOnly</c>), which may come by TLS.</summary>
    public TimeSpan RelayWait { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Whether an offer of ICE is taken up, and our own offers have it; the media plane has the same setting.</summary>
    public bool UsesIce { get; init; } = true;

    /// <summary>How media that are encrypted are treated.</summary>
    public SrtpMode Srtp { get; init; } = SrtpMode.Offered;

    /// <summary>Recording sessions at one time; one more gets 503.</summary>
    public int MaxSessions { get; init; } = 2_000;

    /// <summary>Of those, with one peer, told by the address that its INVITEs come from; one more gets 503.</summary>
    public int MaxSessionsPerPeer { get; init; } = 2_000;

    /// <summary>
    /// Of those, the ones that the peer has never acknowledged; one more gets 503. Whoever only sends INVITEs, or sends
    /// them in another's name, gets no further.
    /// </summary>
    public int MaxUnacknowledgedPerPeer { get; init; } = 200;

    /// <summary>
    /// Requests outside a session, malformed ones too, that are answered each second to one source inside the allowed
    /// networks; the rest is dropped unanswered.
    /// </summary>
    public int AnswersPerSecond { get; init; } = 2_000;

    /// <summary>The same to one source outside of them.</summary>
    public int RefusalsPerSecond { get; init; } = 5;

    /// <summary>Hosts that calls may be sent on to by REFER and redirects, beside the account's own domain.</summary>
    public IReadOnlyList<string> AllowedTargets { get; init; } = [];

    /// <summary>Calls at one time; one more is refused with 486.</summary>
    public int MaxCalls { get; init; } = 1_000;

    /// <summary>Answer private UDP senders at their source even where they did not ask for it (RFC 3581).</summary>
    public bool ForceRport { get; init; } = true;

    /// <summary>Where connections of a transport are accepted, for Contacts over those that we made; the first where there are several.</summary>
    public IReadOnlyDictionary<TransportProtocol, int> ListeningPorts { get; init; } = new Dictionary<TransportProtocol, int>();

    /// <summary>Text of the Server header.</summary>
    public string ServerName { get; init; } = "SipNat";
}
