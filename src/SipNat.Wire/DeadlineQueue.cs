namespace SipNat.Wire;

/// <summary>
/// Deadlines of many children by key: an indexed heap, so that setting, moving and removing one costs O(log n) and the
/// next one is known at once. Equal deadlines come out in the order in which they were set, so that the same input
/// gives the same output.
/// </summary>
public sealed class DeadlineQueue<TKey>
    where TKey : notnull
{
    private readonly Dictionary<TKey, int> _positions = [];
    private readonly List<Entry> _heap = [];
    private long _sequence;

    public int Count => _heap.Count;

    /// <summary>The earliest deadline; null when there is none.</summary>
    public Instant? Next => _heap.Count == 0 ? null : _heap[0].Due;

    /// <summary>Sets, moves or (with null) removes the deadline of a child. An unchanged deadline keeps its place.</summary>
    public void Set(TKey key, Instant? deadline)
    {
        var known = _positions.TryGetValue(key, out var position);
        if (deadline is not { } due)
        {
            if (known) RemoveAt(position);
            return;
        }

        if (known && _heap[position].Due == due) return;

        var entry = new Entry(key, due, _sequence++);
        if (!known)
        {
            position = _heap.Count;
            _heap.Add(entry);
        }

        Place(position, entry);
        SiftDown(SiftUp(position));
    }

    public void Remove(TKey key) => Set(key, null);

    /// <summary>Takes the first child that is due and forgets its deadline; the caller sets the child's next one.</summary>
    public bool TryTakeDue(Instant now, out TKey key)
    {
        if (_heap.Count == 0 || _heap[0].Due > now)
        {
            key = default!;
            return false;
        }

        key = _heap[0].Key;
        RemoveAt(0);
        return true;
    }

    private void RemoveAt(int position)
    {
        _positions.Remove(_heap[position].Key);
        var last = _heap[^1];
        _heap.RemoveAt(_heap.Count - 1);
        if (position == _heap.Count) return;

        Place(position, last);
        SiftDown(SiftUp(position));
    }

    private int SiftUp(int position)
    {
        while (position > 0)
        {
            var parent = (position - 1) / 2;
            if (!_heap[position].IsBefore(_heap[parent])) break;
            Swap(parent, position);
            position = parent;
        }

        return position;
    }

    private void SiftDown(int position)
    {
        while (true)
        {
            var smallest = (2 * position) + 1;
            if (smallest >= _heap.Count) return;
            if (smallest + 1 < _heap.Count && _heap[smallest + 1].IsBefore(_heap[smallest])) smallest++;
            if (!_heap[smallest].IsBefore(_heap[position])) return;
            Swap(position, smallest);
            position = smallest;
        }
    }

    private void Swap(int left, int right)
    {
        var entry = _heap[left];
        Place(left, _heap[right]);
        Place(right, entry);
    }

    private void Place(int position, Entry entry)
    {
        _heap[position] = entry;
        _positions[entry.Key] = position;
    }

    private readonly record struct Entry(TKey Key, Instant Due, long Sequence)
    {
        public bool IsBefore(Entry other) => Due != other.Due ? Due < other.Due : Sequence < other.Sequence;
    }
}
