namespace SipNat.Endpoint.Siprec;

/// <summary>
/// What the body of a message from a recording client holds. The memories are slices of the body, or decoded copies.
/// </summary>
public sealed record SiprecBody
{
    /// <summary>The session description; null where the message brings none.</summary>
    public ReadOnlyMemory<byte>? Sdp { get; init; }

    /// <summary>The recording metadata (RFC 7865), to be kept as it came; null where the message brings none.</summary>
    public ReadOnlyMemory<byte>? Metadata { get; init; }

    /// <summary>The media type of the metadata in lower case, without parameters.</summary>
    public string? MetadataType { get; init; }

    /// <summary>The body asks for a full snapshot of the metadata (<c>application/rs-metadata-request</c>, RFC 7866 §9.2).</summary>
    public bool SnapshotRequested { get; init; }

    /// <summary>What was wrong and passed over; each at most once, in order of appearance.</summary>
    public IReadOnlyList<SiprecBodyDefect> Defects { get; init; } = [];
}

/// <summary>What was wrong with a body. A metric tag, hence no text.</summary>
public enum SiprecBodyDefect
{
    /// <summary>A multipart type without a boundary parameter, or with one that is not in the body.</summary>
    WrongBoundary,

    /// <summary>No boundary line that ends the last part.</summary>
    MissingLastBoundary,

    /// <summary>A boundary line in the middle of a part.</summary>
    StrayBoundary,

    TooManyParts,
    NestedTooDeep,
    PartHeaderTooLong,

    /// <summary>A part whose content is not what its Content-Transfer-Encoding says, or an unknown encoding.</summary>
    BadTransferEncoding,

    /// <summary>A body or part without Content-Type, known by its first bytes.</summary>
    MissingContentType,

    /// <summary>A second session description or a second metadata document; the first is taken.</summary>
    DuplicatePart,
}
