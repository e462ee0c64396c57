namespace SipNat.Archive.Audio;

/// <summary>A stretch of a file's audio in bytes, from the first to before the last.</summary>
public readonly record struct AudioSpan(long From, long To)
{
    public long Length => To - From;
}

/// <summary>Stretches of a file that do not touch each other, in order.</summary>
/// <param name="capacity">Stretches that are told apart; from then on the two that lie nearest to each other become one.</param>
internal sealed class SpanSet(int capacity)
{
    private readonly List<AudioSpan> _spans = [];

    public int Count => _spans.Count;

    /// <summary>The end of the last; 0 where there is none.</summary>
    public long End => _spans.Count == 0 ? 0 : _spans[^1].To;

    /// <summary>What of a stretch is in the set.</summary>
    public IEnumerable<AudioSpan> Within(AudioSpan stretch) => _spans
        .Select(span => new AudioSpan(Math.Max(span.From, stretch.From), Math.Min(span.To, stretch.To)))
        .Where(common => common.From < common.To);

    /// <summary>Those that end before a byte, or with it.</summary>
    public IReadOnlyList<AudioSpan> Snapshot(long end) => [.. _spans.TakeWhile(span => span.To <= end)];

    public void Add(long from, long to)
    {
        if (from >= to) return;

        var at = _spans.Count > 0 && _spans[^1].To < from ? -1 : _spans.FindIndex(span => span.To >= from);
        if (at < 0) at = _spans.Count;
        while (at < _spans.Count && _spans[at].From <= to)
        {
            (from, to) = (Math.Min(from, _spans[at].From), Math.Max(to, _spans[at].To));
            _spans.RemoveAt(at);
        }

        _spans.Insert(at, new AudioSpan(from, to));
        if (_spans.Count > capacity) JoinNearest();
    }

    public void Remove(long from, long to)
    {
        for (var i = _spans.Count - 1; i >= 0 && _spans[i].To > from; i--)
        {
            var span = _spans[i];
            if (span.From >= to) continue;

            _spans.RemoveAt(i);
            if (to < span.To) _spans.Insert(i, new AudioSpan(to, span.To));
            if (span.From < from) _spans.Insert(i, new AudioSpan(span.From, from));
        }

        if (_spans.Count > capacity) JoinNearest();
    }

    private void JoinNearest()
    {
        var nearest = Enumerable.Range(1, _spans.Count - 1).MinBy(i => _spans[i].From - _spans[i - 1].To);
        _spans[nearest - 1] = new AudioSpan(_spans[nearest - 1].From, _spans[nearest].To);
        _spans.RemoveAt(nearest);
    }
}
