using SipNat.Endpoint.Diagnosis;
using SipNat.Wire;

namespace SipNat.Endpoint.Siprec;

/// <summary>
/// What has been noted of one session: findings, timeline and the metadata as received. Every list and every text is
/// bounded, as a peer can make us write into them; what is past a bound is counted and named once.
/// </summary>
public sealed class SessionJournal
{
    /// <summary>Characters of a text; labels, names and reasons of a peer may be as long as a message.</summary>
    public const int MaxTextLength = 1_000;

    // Two names of 127 characters and the slash (RFC 6838 §4.2).
    private const int MaxContentTypeLength = 255;

    private const int MaxFindings = 200;


    // One for each stream that a session may have; a fault that says something else each time crowds out no other.
    private const int MaxFindingsPerCode = 64;

    private const int MaxTimelineEntries = 2_000;
    private const int MaxMetadataDocuments = 200;

    // Metadata is kept whole, so its bytes are bounded and not only its number.
    private const int MaxMetadataBytes = 4 * 1024 * 1024;

    private readonly List<Finding> _findings = [];
    private readonly HashSet<FindingCode> _fullCodes = [];
    private readonly List<TimelineEntry> _timeline = [];
    private readonly List<MetadataDocument> _metadata = [];
    private int _metadataBytes;

    /// <summary>Whether anything was noted since <see cref="TakeChanged"/> was last asked.</summary>
    private bool _changed;

    /// <summary>A text that is too long ends with an ellipsis, and never with half of a character.</summary>
    public static string Clip(string text, int maxLength = MaxTextLength)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.Length <= maxLength) return text;

        var end = maxLength - 1;
        return string.Concat(text.AsSpan(0, char.IsHighSurrogate(text[end - 1]) ? end - 1 : end), "…");
    }

    public IReadOnlyList<Finding> Findings => [.. _findings];

    public IReadOnlyList<TimelineEntry> Timeline => [.. _timeline];

    public IReadOnlyList<MetadataDocument> Metadata => [.. _metadata];

    /// <summary>Notes a finding; the same code with the same text is noted once.</summary>
    public void Find(Instant now, FindingCode code, string text) => Find(new(code, text, now));

    public void Find(Finding finding)
    {
        var bounded = finding with { Text = Clip(finding.Text) };
        if (_findings.Exists(known => known.Code == bounded.Code && known.Text == bounded.Text)) return;
        if (_findings.Count >= MaxFindings || _findings.Count(known => known.Code == bounded.Code) >= MaxFindingsPerCode)
        {
            NoteFull(bounded);
            return;
        }

        _findings.Add(bounded);
        _changed = true;
    }

    public void Note(Instant now, string kind, string text) => Note(new(now, kind, text));

    public void Note(TimelineEntry entry)
    {
        if (_timeline.Count > MaxTimelineEntries) return;

        _timeline.Add(_timeline.Count < MaxTimelineEntries
            ? entry with { Text = Clip(entry.Text) }
            : new(entry.At, "timeline-full", $"More than {MaxTimelineEntries} entries; the rest is not kept."));
        _changed = true;
    }

    public void Keep(MetadataDocument document, Instant now)
    {
        if (_metadata.Count >= MaxMetadataDocuments || _metadataBytes + document.Xml.Length > MaxMetadataBytes)
        {
            Note(now, "metadata-full", $"Metadata past {MaxMetadataDocuments} documents or {MaxMetadataBytes} bytes is not kept.");
            return;
        }

        _metadata.Add(document with { ContentType = Clip(document.ContentType, MaxContentTypeLength) });
        _metadataBytes += document.Xml.Length;
        _changed = true;
    }

    /// <summary>Whether a new snapshot is due; asking clears it.</summary>
    public bool TakeChanged()
    {
        var changed = _changed;
        _changed = false;
        return changed;
    }

    private void NoteFull(Finding finding)
    {
        if (_fullCodes.Add(finding.Code)) Note(finding.At, "findings-full", $"There are more findings {finding.Code.Text} than are kept.");
    }
}
