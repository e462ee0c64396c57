using SipNat.Wire;

namespace SipNat.Endpoint.Siprec;

/// <summary>One step in the history of a recording session's metadata. The set is closed: switch over it.</summary>
public abstract record MetadataChange
{
    private MetadataChange()
    {
    }

    public sealed record SessionStarted(string SessionId, IReadOnlyList<string> SipSessionIds, IReadOnlyList<string> Groups) : MetadataChange;

    /// <summary>The session's identifiers or groups are others than before.</summary>
    public sealed record SessionChanged(string SessionId, IReadOnlyList<string> SipSessionIds, IReadOnlyList<string> Groups) : MetadataChange;

    public sealed record SessionEnded(string SessionId, string? Reason) : MetadataChange;

    /// <summary>The participant is in the session; the session is empty where the client does not say which.</summary>
    public sealed record ParticipantJoined(string ParticipantId, string SessionId, IReadOnlyList<MetadataName> Names) : MetadataChange;

    /// <summary>The participant's addresses or names are others than before.</summary>
    public sealed record ParticipantChanged(string ParticipantId, IReadOnlyList<MetadataName> Names) : MetadataChange;

    public sealed record ParticipantLeft(string ParticipantId, string SessionId) : MetadataChange;

    public sealed record StreamAdded(string StreamId, string? Label, string? SessionId) : MetadataChange;

    /// <summary>The stream's label or session is another than before.</summary>
    public sealed record StreamChanged(string StreamId, string? Label, string? SessionId) : MetadataChange;

    public sealed record StreamRemoved(string StreamId, string? Label) : MetadataChange;

    public sealed record SendingStarted(string ParticipantId, string StreamId) : MetadataChange;

    public sealed record SendingStopped(string ParticipantId, string StreamId) : MetadataChange;
}

/// <summary>
/// A change with its times: when the document arrived here, and when it happened by the client's clock, if it says so.
/// </summary>
public sealed record MetadataHistoryEntry(Instant At, DateTimeOffset? StatedAt, MetadataChange Change);

/// <summary>
/// What a document changed, in the order of the history. A snapshot is needed where a partial document came without
/// the complete one that it changes, or names what is not known.
/// </summary>
public sealed record MetadataUpdate(IReadOnlyList<MetadataHistoryEntry> Changes, bool NeedsSnapshot);
