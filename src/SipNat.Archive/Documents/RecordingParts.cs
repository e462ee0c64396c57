using System.Text.Json.Serialization;
using SipNat.Archive.Audio;

namespace SipNat.Archive.Documents;

/// <summary>One communication session of the metadata (RFC 7865 §6.3).</summary>
public sealed record CommunicationSession
{
    /// <summary>The session's id as the client wrote it.</summary>
    public required string Id { get; init; }

    /// <summary>The sipSessionID element (RFC 7989), if there is one.</summary>
    public string? SipSessionId { get; init; }

    /// <summary>The ids of the communication session groups that it belongs to (RFC 7865 §6.2).</summary>
    public IReadOnlyList<string> Groups { get; init => field = value ?? []; } = [];
}

/// <summary>Somebody who was recorded (RFC 7865 §6.5).</summary>
/// <param name="Aor">The address of record, as the client wrote it.</param>
/// <param name="Name">The display name.</param>
public sealed record Participant(string? Aor, string? Name);

/// <summary>A name that recordings of one call share.</summary>
/// <param name="Kind">group, session, sip-session-id, ucid, gcid, ext-tracking-id, x-refci or conversation.</param>
/// <param name="Value">The name as the client wrote it.</param>
public sealed record RecordingLink(string Kind, string Value);

/// <summary>One media stream of a recording: one m-line, in one file or more.</summary>
public sealed record RecordedStream
{
    /// <summary>The label that the SDP and the metadata name it by (RFC 4574).</summary>
    public string? Label { get; init; }

    /// <summary>Who is heard in it.</summary>
    public IReadOnlyList<Participant> Participants { get; init => field = value ?? []; } = [];

    /// <summary>The direction of our answer: recvonly, or inactive where it is held, paused or refused.</summary>
    public string? Direction { get; init; }

    /// <summary>When its first packet came; null where none has.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>How long it should be by the times at which it was active.</summary>
    public double ExpectedSeconds { get; init; }

    /// <summary>How long its files are together.</summary>
    public double RecordedSeconds { get; init; }

    /// <summary>In the order of time.</summary>
    public IReadOnlyList<RecordedFile> Files { get; init => field = value ?? []; } = [];

    /// <summary>Packets of other sources that came to the stream's port and are no part of it; null where none are kept.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public RecordedFile? Other { get; init; }

    /// <summary><see cref="Files"/>, and <see cref="Other"/> after them.</summary>
    [JsonIgnore]
    public IEnumerable<RecordedFile> AllFiles => Other is { } other ? [.. Files, other] : Files;

    public long Packets { get; init; }

    public long Lost { get; init; }

    public long Duplicates { get; init; }

    /// <summary>Packets that came after their place was written; they are in the file, and not among the lost.</summary>
    public long Late { get; init; }

    /// <summary>Where the media came from.</summary>
    public string? Remote { get; init; }

    /// <summary>Where it arrived.</summary>
    public string? Local { get; init; }

    /// <summary>The address that the client was told to send to.</summary>
    public string? Advertised { get; init; }

    /// <summary>Why that address was told.</summary>
    public string? Why { get; init; }

    /// <summary>The path that ICE found for the media; null where it is not used.</summary>
    public MediaPath? Path { get; init; }

    /// <summary>How its packets were encrypted on the way; null where they were not. What is kept is not encrypted.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public MediaEncryption? Srtp { get; init; }

    public IReadOnlyList<uint> Ssrcs { get; init => field = value ?? []; } = [];
}

/// <summary>Encryption of a stream on the way (RFC 3711).</summary>
/// <param name="Suite">The crypto suite, as the IANA registry has it.</param>
/// <param name="Accepted">RTP and RTCP packets that were genuine.</param>
/// <param name="AuthFailed">Packets that failed authentication and were dropped.</param>
/// <param name="Replayed">Packets that had been there before and were dropped.</param>
/// <param name="Refused">Packets that were dropped for their form, or for the key that they name.</param>
public sealed record MediaEncryption(string Suite, long Accepted, long AuthFailed, long Replayed, long Refused);

/// <summary>A path of media.</summary>
/// <param name="Local">Our address, as the client sees it.</param>
/// <param name="LocalKind">How it came to be known: <c>host</c>, <c>server-reflexive</c>, <c>peer-reflexive</c> or <c>relayed</c>.</param>
/// <param name="Remote">The client's address.</param>
/// <param name="RemoteKind">How it came to be known.</param>
public sealed record MediaPath(string Local, string LocalKind, string Remote, string RemoteKind);

/// <summary>One file of a stream: audio, or the packets of a codec that is not decoded.</summary>
public sealed record RecordedFile
{
    /// <summary>Its path below the recordings' directory, with forward slashes.</summary>
    public required string File { get; init; }

    /// <summary>The codec's encoding name in SDP, such as PCMU; "unknown" where only the packets were left.</summary>
    public required string Codec { get; init; }

    /// <summary>Where its first sample stands after the session's beginning.</summary>
    public required double StartOffsetSeconds { get; init; }

    /// <summary>How long it plays; where it keeps packets, from the first to the last.</summary>
    public double DurationSeconds { get; init; }

    /// <summary>How many packets it keeps; null for audio.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? Packets { get; init; }

    /// <summary>The clock rate of the kept codec's rtpmap in Hz (RFC 8866 §6.6); null for audio, and where it is not known.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? ClockRate { get; init; }

    /// <summary>The channels of the kept codec's rtpmap; null where there is one, and as for <see cref="ClockRate"/>.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Channels { get; init; }

    /// <summary>Whether it is an rtpdump file: RTP packets as they came.</summary>
    [JsonIgnore]
    public bool KeepsPackets => IsNamedAsPackets(File);

    /// <summary>Whether a path is that of a file that keeps packets, by its ending.</summary>
    public static bool IsNamedAsPackets(string path) => PacketFile.IsNamed(path);
}

/// <summary>Something that was found wrong or worth to know.</summary>
/// <param name="Code">A short constant word, for programs.</param>
/// <param name="Text">One sentence, for people.</param>
public sealed record RecordingFinding(string Code, string Text, DateTimeOffset At);

/// <summary>One metadata document as it came.</summary>
/// <param name="DataMode">complete or partial (RFC 7865 §6.1); null where it could not be read.</param>
/// <param name="File">The name of the raw bytes' file in the recording's folder; null where they were not kept.</param>
public sealed record MetadataVersion(DateTimeOffset At, string? DataMode, string? File);

/// <summary>One moment of a recording.</summary>
/// <param name="Kind">A short constant word: what happened.</param>
/// <param name="Text">One sentence, for people.</param>
/// <param name="Stream">The 1-based number of the stream that it concerns, or null for the session.</param>
public sealed record TimelineEntry(
    DateTimeOffset At,
    string Kind,
    string? Text = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? Stream = null);
