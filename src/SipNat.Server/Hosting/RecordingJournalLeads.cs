using SipNat.Endpoint.Siprec;

namespace SipNat.Server.Hosting;

/// <summary>
/// How long each stream of a session had been agreed on, and neither held nor paused, before its first packet came:
/// what signalling promised and the packets cannot tell.
/// </summary>
internal sealed class RecordingJournalLeads
{
    private const string Sending = "recvonly";

    private readonly Dictionary<int, Lead> _leads = [];

    /// <summary>Takes a snapshot.</summary>
    /// <param name="at">When it was taken, since the session's beginning.</param>
    public void Apply(RecordingSnapshot snapshot, TimeSpan at)
    {
        if (snapshot.EndedAt is { } ended) at = ended - snapshot.StartedAt;
        foreach (var stream in snapshot.Streams)
        {
            if (!_leads.TryGetValue(stream.Index, out var lead)) _leads.Add(stream.Index, lead = new(stream.StartedAt - snapshot.StartedAt));
            var first = stream.Report?.Stream.StartedAt - snapshot.StartedAt;
            lead.Advance(first is { } came && came < at ? came : at, isSending: snapshot.State is RecordingState.Recording && stream.Direction == Sending);
            lead.IsOver |= first is not null;
        }
    }

    /// <summary>The time by m-line index.</summary>
    public IReadOnlyDictionary<int, TimeSpan> ToDictionary() => _leads.ToDictionary(lead => lead.Key, lead => lead.Value.Total);

    private sealed class Lead(TimeSpan begin)
    {
        private TimeSpan _at = begin;
        private bool? _wasSending;

        public TimeSpan Total { get; private set; }

        public bool IsOver { get; set; }

        // Between two snapshots a stream is what the first of them said; before any, what the first one says.
        public void Advance(TimeSpan at, bool isSending)
        {
            if (!IsOver && at > _at)
            {
                if (_wasSending ?? isSending) Total += at - _at;
                _at = at;
            }

            _wasSending = isSending;
        }
    }
}
