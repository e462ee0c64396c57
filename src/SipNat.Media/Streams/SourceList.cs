using SipNat.Wire;

namespace SipNat.Media.Streams;

/// <summary>Every source that sent to one media port, bounded: what a diagnosis of missing audio asks for first.</summary>
internal sealed class SourceList(int capacity, int keepFrom)
{
    private readonly List<Entry> _entries = [];
    private Entry? _last;

    /// <summary>Packets of sources that found no place in the list.</summary>
    public long Unlisted { get; private set; }

    /// <summary>Counts a packet of a source, which is an address and an SSRC; null when the list is full.</summary>
    public Entry? See(Instant now, TransportAddress from, uint ssrc, int payloadType, TransportAddress locked)
    {
        var entry = Find(from, ssrc) ?? Add(now, from, ssrc, locked);
        _last = entry;
        if (entry is null)
        {
            Unlisted++;
            return null;
        }

        entry.Packets++;
        entry.PayloadType = payloadType;
        return entry;
    }

    public void EndRuns()
    {
        foreach (var entry in _entries) entry.Run = 0;
    }

    public IReadOnlyList<SourceSeen> Snapshot() => [.. _entries.Select(e => e.ToSeen())];

    private Entry? Find(TransportAddress from, uint ssrc)
    {
        if (_last is { } last && last.Ssrc == ssrc && last.Address == from) return last;

        foreach (var entry in _entries)
        {
            if (entry.Ssrc == ssrc && entry.Address == from) return entry;
        }

        return null;
    }

    private Entry? Add(Instant now, TransportAddress from, uint ssrc, TransportAddress locked)
    {
        var entry = new Entry(from, ssrc, now);
        if (_entries.Count < capacity)
        {
            _entries.Add(entry);
            return entry;
        }

        // A flood of forged sources pushes out others of its kind, never one that sent a run of packets.
        var victim = -1;
        for (var i = 0; i < _entries.Count; i++)
        {
            if (_entries[i].Packets >= keepFrom || _entries[i].Address == locked) continue;
            if (victim < 0 || _entries[i].Last < _entries[victim].Last) victim = i;
        }

        if (victim < 0) return null;

        _entries[victim] = entry;
        return entry;
    }

    internal sealed class Entry
    {
        // Within this time a source that is alive sends again, whatever its packet time.
        private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(2);

        private const int MaxMisorder = 100;

        private readonly Instant _first;
        private int _sequence;

        public Entry(TransportAddress address, uint ssrc, Instant first)
        {
            (Address, Ssrc) = (address, ssrc);
            _first = Last = first;
        }

        public TransportAddress Address { get; }

        public uint Ssrc { get; }

        public int PayloadType { get; set; }

        public Instant Last { get; private set; }

        public long Packets { get; set; }

        public LatchVerdict Verdict { get; set; }

        /// <summary>Packets in a run of rising sequence numbers and negotiated payload types.</summary>
        public int Run { get; set; }

        public Instant RunStarted { get; private set; }

        /// <param name="sequence">Of an RTP packet; −1 where packets have none.</param>
        public void Extend(Instant now, int sequence, bool counts)
        {
            var step = sequence < 0 ? 1 : (short)(sequence - _sequence);
            var paused = sequence >= 0 && now - Last > LongestPause;
            Last = now;
            if (!counts) return;

            if (Run == 0 || paused || step < -MaxMisorder)
            {
                (Run, RunStarted, _sequence) = (1, now, sequence);
                return;
            }

            if (step <= 0) return;

            (Run, _sequence) = (Run + 1, sequence);
        }

        public SourceSeen ToSeen() => new(Address, Ssrc, PayloadType, _first, Last, Packets, Verdict);
    }
}
