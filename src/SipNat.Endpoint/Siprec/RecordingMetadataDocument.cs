namespace SipNat.Endpoint.Siprec;

/// <summary>
/// One recording metadata document (RFC 7865 §5.1) in a single shape, whatever dialect it came in: what older drafts put
/// into a participant or a stream is found in the associations here. Times are as stated by the recording client.
/// </summary>
public sealed record RecordingMetadataDocument
{
    /// <summary>True where the document changes an earlier one, false where it stands alone (RFC 7865 §5.1).</summary>
    public bool IsPartial { get; init; }

    public IReadOnlyList<MetadataGroup> Groups { get; init; } = [];

    public IReadOnlyList<MetadataSession> Sessions { get; init; } = [];

    public IReadOnlyList<MetadataParticipant> Participants { get; init; } = [];

    public IReadOnlyList<MetadataStream> Streams { get; init; } = [];

    public IReadOnlyList<SessionRecordingAssociation> SessionRecordings { get; init; } = [];

    public IReadOnlyList<ParticipantSessionAssociation> ParticipantSessions { get; init; } = [];

    public IReadOnlyList<ParticipantStreamAssociation> ParticipantStreams { get; init; } = [];

    /// <summary>Elements of other vocabularies, as they came.</summary>
    public IReadOnlyList<MetadataExtension> Extensions { get; init; } = [];
}

/// <summary>A communication session group (RFC 7865 §6.2): calls that belong together.</summary>
public sealed record MetadataGroup(string Id, MetadataSpan Span = default);

/// <summary>A communication session, the call that is recorded (RFC 7865 §6.3).</summary>
public sealed record MetadataSession
{
    public required string Id { get; init; }

    /// <summary>Session identifiers of its dialogs (RFC 7989), with their parameters.</summary>
    public IReadOnlyList<string> SipSessionIds { get; init; } = [];

    public IReadOnlyList<string> Groups { get; init; } = [];

    /// <summary>Start and stop time.</summary>
    public MetadataSpan Span { get; init; }

    /// <summary>Why it ended, as the client says it.</summary>
    public string? Reason { get; init; }
}

/// <summary>A participant (RFC 7865 §6.5); one may have several addresses of record.</summary>
public sealed record MetadataParticipant(string Id, IReadOnlyList<MetadataName> Names);

/// <summary>An address of record as written, sometimes without a scheme, and the name that is shown with it.</summary>
public sealed record MetadataName(string? Aor, string? Name);

/// <summary>A media stream (RFC 7865 §6.7). Its label is that of an m-line of the recording session.</summary>
public sealed record MetadataStream
{
    /// <summary>Where a client leaves the id empty, <c>label:</c> and the label.</summary>
    public required string Id { get; init; }

    public string? Label { get; init; }

    public string? SessionId { get; init; }

    /// <summary><c>separate</c> or <c>mixed</c>, which only older drafts say.</summary>
    public string? Mode { get; init; }

    public MetadataSpan Span { get; init; }
}

/// <summary>A communication session's part in the recording session (RFC 7865 §6.4).</summary>
public sealed record SessionRecordingAssociation(string SessionId, MetadataSpan Span);

/// <summary>A participant's part in a communication session (RFC 7865 §6.6). The session is empty where it is not said.</summary>
public sealed record ParticipantSessionAssociation(string ParticipantId, string SessionId, MetadataSpan Span);

/// <summary>The streams that a participant sends and receives, by stream id (RFC 7865 §6.8).</summary>
public sealed record ParticipantStreamAssociation(
    string ParticipantId, IReadOnlyList<string> Sends, IReadOnlyList<string> Receives, MetadataSpan Span);

/// <summary>
/// When something began and ended by the client's clock, in UTC; null where it does not say so. Times before 1990 come
/// from clocks that were never set and are not kept.
/// </summary>
public readonly record struct MetadataSpan(DateTimeOffset? From, DateTimeOffset? Until);

/// <summary>
/// An element of another vocabulary: whose it is (the local name and id of the element around it), its own name, its
/// namespace, and its text as XML. Prefixes may be declared outside of it.
/// </summary>
public sealed record MetadataExtension(string Owner, string? OwnerId, string Name, string? Namespace, string Xml);
