using SipNat.Wire;

namespace SipNat.Endpoint.Siprec;

/// <summary>Everything known of a recording session's metadata. Ordered throughout: its order reaches documents and pages.</summary>
internal sealed class MetadataState
{
    public OrderedDictionary<string, CommunicationSession> Sessions { get; } = new(StringComparer.Ordinal);

    public OrderedDictionary<string, RecordedParticipant> Participants { get; } = new(StringComparer.Ordinal);

    public OrderedDictionary<string, (MetadataStream Stream, bool IsActive)> Streams { get; } = new(StringComparer.Ordinal);

    /// <summary>Whether each participant is in each session at this moment.</summary>
    public OrderedDictionary<(string ParticipantId, string SessionId), bool> Presences { get; } = [];

    /// <summary>Whether each participant sends each stream at this moment.</summary>
    public OrderedDictionary<(string ParticipantId, string StreamId), bool> Sends { get; } = [];

    public Queue<MetadataHistoryEntry> History { get; } = [];

    public int HistoryDropped { get; private set; }

    public int Untracked { get; private set; }

    public bool HasDocument { get; set; }

    public bool HasCompleteDocument { get; set; }

    /// <summary>The last document has a participant that sends and receives nothing.</summary>
    public bool HasEmptyAssociation { get; set; }

    public IEnumerable<MetadataStream> ActiveStreams => Streams.Values.Where(tracked => tracked.IsActive).Select(tracked => tracked.Stream);

    /// <summary>Sets what is there or still fits; false where it was passed over.</summary>
    public bool TrySet<TKey, TValue>(OrderedDictionary<TKey, TValue> tracked, TKey key, TValue value)
        where TKey : notnull
    {
        if (tracked.Count == RecordingMetadata.MaxTracked && !tracked.ContainsKey(key))
        {
            Untracked++;
            return false;
        }

        tracked[key] = value;
        return true;
    }

    public MetadataHistoryEntry Record(Instant now, DateTimeOffset? statedAt, MetadataChange change)
    {
        if (History.Count == RecordingMetadata.MaxHistory)
        {
            History.Dequeue();
            HistoryDropped++;
        }

        var entry = new MetadataHistoryEntry(now, statedAt, change);
        History.Enqueue(entry);
        return entry;
    }
}
