using SipNat.Wire;

namespace SipNat.Endpoint.Siprec;

/// <summary>
/// Someone who takes or took part in a recorded call: first and last moment by our clock, and by the client's clock as
/// far as it says. <see cref="LeftAt"/> is null while the participant is there.
/// </summary>
public sealed record RecordedParticipant
{
    public required string Id { get; init; }

    public IReadOnlyList<MetadataName> Names { get; init; } = [];

    public required Instant JoinedAt { get; init; }

    public Instant? LeftAt { get; init; }

    /// <summary>Join and leave as stated in the metadata.</summary>
    public MetadataSpan Stated { get; init; }

    /// <summary>The first address of record; null where the client gives none.</summary>
    public string? Aor => Names.Select(name => name.Aor).FirstOrDefault(aor => aor is not null);

    /// <summary>The first display name; null where the client gives none.</summary>
    public string? Name => Names.Select(name => name.Name).FirstOrDefault(name => name is not null);
}

/// <summary>A call that is or was recorded in this recording session.</summary>
public sealed record CommunicationSession
{
    public required string Id { get; init; }

    /// <summary>Session identifiers of its dialogs (RFC 7989), with their parameters.</summary>
    public IReadOnlyList<string> SipSessionIds { get; init; } = [];

    public IReadOnlyList<string> Groups { get; init; } = [];

    public required Instant StartedAt { get; init; }

    public Instant? EndedAt { get; init; }

    /// <summary>Start and stop as stated in the metadata.</summary>
    public MetadataSpan Stated { get; init; }

    public string? Reason { get; init; }
}
