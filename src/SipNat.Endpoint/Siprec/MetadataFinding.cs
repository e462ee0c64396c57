using System.Diagnostics;
using System.Globalization;

namespace SipNat.Endpoint.Siprec;

/// <summary>Where metadata and session description do not fit together. The set is closed: switch over it.</summary>
public abstract record MetadataFinding
{
    private MetadataFinding()
    {
    }

    /// <summary>A stream of the metadata whose label no m-line has.</summary>
    public sealed record StreamWithoutMedia(string StreamId, string Label) : MetadataFinding;

    /// <summary>A stream of the metadata without a label: it cannot be found in the description.</summary>
    public sealed record StreamWithoutLabel(string StreamId) : MetadataFinding;

    /// <summary>A labelled m-line (place from 0) of which the metadata knows nothing.</summary>
    public sealed record MediaWithoutStream(int MediaIndex, string Label) : MetadataFinding;

    /// <summary>An m-line (place from 0) without a label (RFC 7866 §7.1.1).</summary>
    public sealed record MediaWithoutLabel(int MediaIndex) : MetadataFinding;

    /// <summary>Two m-lines with one label; the place is that of the later.</summary>
    public sealed record DuplicateMediaLabel(int MediaIndex, string Label) : MetadataFinding;

    /// <summary>A participant sends a stream that the metadata does not list.</summary>
    public sealed record UnknownStream(string ParticipantId, string StreamId) : MetadataFinding;

    /// <summary>A listed stream that nobody is said to send.</summary>
    public sealed record StreamWithoutSender(string StreamId, string? Label) : MetadataFinding;
}

public static class MetadataFindingText
{
    /// <summary>One sentence for a person.</summary>
    public static string Explain(this MetadataFinding finding) => finding switch
    {
        MetadataFinding.StreamWithoutMedia(var id, var label) =>
            $"The metadata's stream {id} has the label {label}, which no m-line of the session description has.",
        MetadataFinding.StreamWithoutLabel(var id) => $"The metadata's stream {id} has no label.",
        MetadataFinding.MediaWithoutStream(var index, var label) =>
            string.Create(CultureInfo.InvariantCulture, $"The m-line {index + 1} with the label {label} has no stream in the metadata."),
        MetadataFinding.MediaWithoutLabel(var index) => string.Create(CultureInfo.InvariantCulture, $"The m-line {index + 1} has no label."),
        MetadataFinding.DuplicateMediaLabel(var index, var label) =>
            string.Create(CultureInfo.InvariantCulture, $"The m-line {index + 1} repeats the label {label} of an earlier one."),
        MetadataFinding.UnknownStream(var participant, var stream) =>
            $"The participant {participant} sends the stream {stream}, which the metadata does not list.",
        MetadataFinding.StreamWithoutSender(var id, var label) =>
            $"Nobody is said to send the stream {id} (label {label ?? "none"}).",
        _ => throw new UnreachableException(),
    };
}
