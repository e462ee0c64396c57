namespace SipNat.Archive.Index;

/// <summary>Which recordings a list shows. Everything that is set has to hold.</summary>
public sealed record RecordingFilter
{
    public const int DefaultLimit = 100;
    public const int MaxLimit = 10_000;

    /// <summary>Begun at this time or later.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>Begun before this time.</summary>
    public DateTimeOffset? Until { get; init; }

    /// <summary>Part of a participant's address or name; upper and lower case are alike.</summary>
    public string? Party { get; init; }

    /// <summary>How many at most, the newest first: 1 to <see cref="MaxLimit"/>.</summary>
    public int Limit { get; init; } = DefaultLimit;
}
