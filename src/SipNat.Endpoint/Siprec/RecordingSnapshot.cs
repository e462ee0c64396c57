using SipNat.Endpoint.Diagnosis;
using SipNat.Endpoint.Media;
using SipNat.Wire;

namespace SipNat.Endpoint.Siprec;

/// <summary>Everything there is to tell of a recording session at one moment; the shell turns it into a document.</summary>
/// <param name="CallId">Call-ID of the recording dialog.</param>
/// <param name="Remote">Where the peer's requests come from.</param>
/// <param name="Links">The names that the recorded call has outside of the recording.</param>
/// <param name="Related">Other sessions that have one of these names; those that came later only where this one still ran.</param>
/// <param name="EndReason">Why it ended, in words; null while it runs.</param>
public sealed record RecordingSnapshot(
    SessionId Id,
    RecordingState State,
    Instant StartedAt,
    Instant? EndedAt,
    string? EndReason,
    string CallId,
    TransportAddress Remote,
    IReadOnlyList<CommunicationSessionInfo> CommunicationSessions,
    IReadOnlyList<ParticipantInfo> Participants,
    IReadOnlyList<RecordingLink> Links,
    IReadOnlyList<SessionId> Related,
    IReadOnlyList<StreamSnapshot> Streams,
    IReadOnlyList<Finding> Findings,
    IReadOnlyList<MetadataDocument> Metadata,
    IReadOnlyList<TimelineEntry> Timeline);

public enum RecordingState
{
    Recording,
    Paused,
    Complete,
}

/// <summary>A communication session as the metadata names it (RFC 7865 §6.2).</summary>
public sealed record CommunicationSessionInfo(string Id, string? SipSessionId, IReadOnlyList<string> Groups);

/// <summary>A participant as the metadata names it (RFC 7865 §6.4).</summary>
public sealed record ParticipantInfo(string Aor, string? Name);

/// <summary>Metadata as it was received.</summary>
/// <param name="ContentType">The media type of its part.</param>
/// <param name="DataMode"><c>complete</c>, <c>partial</c>, or <c>unreadable</c>.</param>
public sealed record MetadataDocument(Instant At, string ContentType, string DataMode, ReadOnlyMemory<byte> Xml);

/// <summary>One stream of a session at one moment.</summary>
/// <param name="Index">Its place among the m-lines, from 0.</param>
/// <param name="Label">The SDP label; empty where there is none.</param>
/// <param name="Direction">The direction of our answer.</param>
/// <param name="Local">Where RTP is bound.</param>
/// <param name="Advertised">What the answer said.</param>
/// <param name="Why">Why that address.</param>
/// <param name="Report">What the media side has counted; null before it said anything.</param>
public sealed record StreamSnapshot(
    int Index,
    string Label,
    IReadOnlyList<ParticipantInfo> Participants,
    string Direction,
    Instant StartedAt,
    TransportAddress Local,
    TransportAddress Advertised,
    string Why,
    MediaStreamReport? Report);
