namespace SipNat.Media.Streams;

/// <summary>Where silence stands for audio that did not come, bounded; late frames take their part back.</summary>
internal sealed class GapList(int capacity)
{
    private readonly List<StreamGap> _gaps = [];

    /// <summary>All gaps that remain, listed or not.</summary>
    public long Count { get; private set; }

    public IReadOnlyList<StreamGap> Snapshot() => [.. _gaps];

    public void Add(StreamGap gap)
    {
        Count++;
        if (_gaps.Count < capacity) _gaps.Add(gap);
    }

    /// <summary>Everything in a file stands so many samples later.</summary>
    public void Shift(int file, long samples)
    {
        for (var i = 0; i < _gaps.Count; i++)
        {
            if (_gaps[i].FileIndex == file) _gaps[i] = _gaps[i] with { Start = _gaps[i].Start + samples };
        }
    }

    /// <summary>Audio came after all, for a part of a gap or the whole.</summary>
    public void Fill(int file, long start, int length)
    {
        for (var i = _gaps.Count - 1; i >= 0; i--)
        {
            var gap = _gaps[i];
            if (gap.FileIndex != file || start < gap.Start || start >= gap.Start + gap.Length) continue;

            Split(i, gap, start, Math.Min(length, gap.Start + gap.Length - start));
            return;
        }
    }

    private void Split(int index, StreamGap gap, long start, long length)
    {
        var before = gap with { Length = start - gap.Start };
        var after = gap with { Start = start + length, Length = gap.Start + gap.Length - start - length };
        _gaps.RemoveAt(index);
        Count--;
        if (after.Length > 0) Insert(index, after);
        if (before.Length > 0) Insert(index, before);
    }

    private void Insert(int index, StreamGap gap)
    {
        Count++;
        if (_gaps.Count < capacity) _gaps.Insert(index, gap);
    }
}
