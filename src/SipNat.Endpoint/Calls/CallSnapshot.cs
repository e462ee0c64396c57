using SipNat.Endpoint.Addressing;
using SipNat.Endpoint.Diagnosis;
using SipNat.Endpoint.Media;
using SipNat.Endpoint.Siprec;
using SipNat.Wire;

namespace SipNat.Endpoint.Calls;

/// <summary>A call at one moment.</summary>
/// <param name="Id">Names the call here.</param>
/// <param name="Direction">Who began it.</param>
/// <param name="Account">The account that it belongs to; null for none.</param>
/// <param name="Remote">The other side's address of record, as it was dialled or as the provider says.</param>
/// <param name="State">How far it is.</param>
/// <param name="StartedAt">The INVITE, or the wish for it.</param>
public sealed record CallSnapshot(SessionId Id, CallDirection Direction, string? Account, string Remote, CallState State, Instant StartedAt)
{
    /// <summary>The name that the other side shows; empty for none.</summary>
    public string RemoteName { get; init; } = "";

    /// <summary>The Call-ID; empty before the first INVITE.</summary>
    public string CallId { get; init; } = "";

    /// <summary>The status of the last response; 0 before the first.</summary>
    public int Status { get; init; }

    public string Reason { get; init; } = "";

    /// <summary>Why it did not come about, or was lost; null where neither is so.</summary>
    public CallFailure? Failure { get; init; }

    /// <summary>Why it ended, for people; empty while it has not.</summary>
    public string EndReason { get; init; } = "";

    /// <summary>Whether the other side ended it, rather than we.</summary>
    public bool WasEndedByPeer { get; init; }

    public Instant? AnsweredAt { get; init; }

    public Instant? EndedAt { get; init; }

    /// <summary>The last thing that signalling does is done, and the media are closed.</summary>
    public bool IsComplete { get; init; }

    /// <summary>Whether we hold the other side.</summary>
    public bool IsHeld { get; init; }

    /// <summary>Whether the other side holds us: it does not hear us, or does not send, though we would.</summary>
    public bool IsHeldByPeer { get; init; }

    /// <summary>Whether we may send audio, as it was agreed on.</summary>
    public bool MaySend { get; init; }

    /// <summary>Whether the other side's audio is to come, as it was agreed on.</summary>
    public bool MayReceive { get; init; }

    /// <summary>The codec that was agreed on; null before that.</summary>
    public string? Codec { get; init; }

    /// <summary>Where requests of the dialog go to, and come from.</summary>
    public TransportAddress SignallingPeer { get; init; }

    /// <summary>The internal address of our RTP.</summary>
    public TransportAddress Local { get; init; }

    /// <summary>The address that the other side was told, and why.</summary>
    public AdvertisedAddress Advertised { get; init; }

    /// <summary>The other side's RTP address as it wrote it; none where it gave none.</summary>
    public TransportAddress Described { get; init; }

    /// <summary>Whether ICE is used.</summary>
    public bool UsesIce { get; init; }

    /// <summary>Whether media are encrypted.</summary>
    public bool IsEncrypted { get; init; }

    /// <summary>The last report of its stream; null before the first.</summary>
    public MediaStreamReport? Stream { get; init; }

    /// <summary>Times without audio that are over.</summary>
    public IReadOnlyList<CallRecovery> Recovered { get; init; } = [];

    /// <summary>The call whose peer asked for this one by REFER; null where none did.</summary>
    public SessionId? TransferOf { get; init; }

    public IReadOnlyList<Finding> Findings { get; init; } = [];

    public IReadOnlyList<TimelineEntry> Timeline { get; init; } = [];
}
