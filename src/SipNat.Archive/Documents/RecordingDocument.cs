using System.Text.Json.Serialization;

namespace SipNat.Archive.Documents;

/// <summary>
/// All that is known of one recording: <c>session.json</c> beside its audio, the element of <c>recordings list</c>
/// (without <see cref="Metadata"/> and <see cref="Timeline"/>) and the answer of <c>recordings show</c>. Times are UTC,
/// durations are seconds.
/// </summary>
/// <remarks>
/// The generated reader sets every init property, those that the JSON lacks to their type's default: lists therefore
/// take null as empty.
/// </remarks>
public sealed record RecordingDocument
{
    /// <summary>The version of this format; a document without it or with a higher one is not read.</summary>
    public const int CurrentSchema = 1;

    public int Schema { get; init; } = CurrentSchema;

    /// <summary>8 to 64 letters, digits and hyphens, see <see cref="Storage.RecordingId"/>.</summary>
    public required string Id { get; init; }

    public required RecordingState State { get; init; }

    /// <summary>When the session began. Its day is part of the path, so it never changes.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>Null while the session runs.</summary>
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>The Call-ID of the recording dialog (not of the calls that are recorded).</summary>
    public string? CallId { get; init; }

    /// <summary>The address and port of the recording client as seen here.</summary>
    public string? Remote { get; init; }

    public IReadOnlyList<CommunicationSession> CommunicationSessions { get; init => field = value ?? []; } = [];

    public IReadOnlyList<Participant> Participants { get; init => field = value ?? []; } = [];

    /// <summary>The names that the recorded call has outside of the recording.</summary>
    public IReadOnlyList<RecordingLink> Links { get; init => field = value ?? []; } = [];

    /// <summary>The ids of recordings that share one of <see cref="Links"/>; later ones only where this one still ran.</summary>
    public IReadOnlyList<string> RelatedSessions { get; init => field = value ?? []; } = [];

    /// <summary>In the order of the SDP's m-lines.</summary>
    public IReadOnlyList<RecordedStream> Streams { get; init => field = value ?? []; } = [];

    public IReadOnlyList<RecordingFinding> Findings { get; init => field = value ?? []; } = [];

    /// <summary>Whether it is whole; null where that was not told, as in documents of earlier versions.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public RecordingAssurance? Assurance { get; init; }

    /// <summary>Each metadata document that came, oldest first; null in a list's element.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<MetadataVersion>? Metadata { get; init; }

    /// <summary>What happened and when, oldest first; null in a list's element.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<TimelineEntry>? Timeline { get; init; }

    /// <summary>Whether the session was running when this was written.</summary>
    [JsonIgnore]
    public bool IsRunning => State is RecordingState.Recording or RecordingState.Paused;

    /// <summary>The element of a list: the same without metadata and timeline.</summary>
    public RecordingDocument ToSummary() => this with { Metadata = null, Timeline = null };
}

/// <summary>Where a recording stands. JSON has the names in lower case.</summary>
[JsonConverter(typeof(RecordingStateConverter))]
public enum RecordingState
{
    Recording,

    /// <summary>The client has paused it: nothing is written, and the session goes on.</summary>
    Paused,

    /// <summary>It ended as it should, and its files are whole.</summary>
    Complete,

    /// <summary>The program ended before the session did.</summary>
    Interrupted,
}
