using SipNat.Wire;

namespace SipNat.Endpoint.Siprec;

/// <summary>What a recording session has to do with others.</summary>
internal sealed partial class RecordingSession
{
    private const int MaxLinks = 64;
    private const int MaxRelated = 64;

    private readonly List<RecordingLink> _links = [];
    private readonly SortedSet<string> _related = new(StringComparer.Ordinal);

    /// <summary>Another session was found to record the same call.</summary>
    public void RelateTo(Instant now, SessionId other)
    {
        if (other == Id || _related.Count >= MaxRelated || !_related.Add(other.Value)) return;

        _journal.Note(now, "related", $"Recording {other} is of the same call.");
        _changed = true;
    }

    private void NoteLinks(Instant now)
    {
        foreach (var link in _metadata.TakeLinks())
        {
            if (!_links.Contains(link))
            {
                if (_links.Count == MaxLinks) continue;

                _links.Add(link);
            }

            foreach (var other in _context.Links.Add(now, link, Id))
            {
                RelateTo(now, other);
                _context.Relations.Enqueue((other, Id));
            }
        }
    }
}
