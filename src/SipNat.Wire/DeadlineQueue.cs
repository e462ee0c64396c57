namespace SipNat.Wire;

/// <summary>
/// Deadlines of many children by key: an indexed heap, so that setting, moving and removing one costs O(log n) and the
/// next one is known at once. Equal deadlines come out in the order in which they were set, so that the same input
/// gives the same output.
/// </summary>
public sealed class DeadlineQueue<TKey>
    where TKey : notnull
{
    // What is taken when due is most often set again: its node waits here.
    private const int MaxSpareNodes = 64;

    private readonly Dictionary<TKey, Node> _nodes = [];
    private readonly Stack<Node> _spare = new();
    private readonly List<Entry> _heap = [];
    private long _sequence;

    public int Count => _heap.Count;

    /// <summary>The earliest deadline; null when there is none.</summary>
    public Instant? Next => _heap.Count == 0 ? null : _heap[0].Due;

    /// <summary>Sets, moves or (with null) removes the deadline of a child. An unchanged deadline keeps its place.</summary>
    public void Set(TKey key, Instant? deadline)
    {
        var known = _nodes.TryGetValue(key, out var node);
        if (deadline is not { } due)
        {
            if (known) Remove(node!);
            return;
        }

        if (!known)
        {
            if (!_spare.TryPop(out node)) node = new();
            (node.Key, node.Position) = (key, _heap.Count);
            _nodes.Add(key, node);
            _heap.Add(default);
        }
        else if (_heap[node!.Position].Due == due)
        {
            return;
        }

        Sift(node.Position, new(node, due, _sequence++));
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

        var node = _heap[0].Node;
        key = node.Key;
        Remove(node);
        return true;
    }

    private void Remove(Node node)
    {
        var position = node.Position;
        var last = _heap[^1];
        _heap.RemoveAt(_heap.Count - 1);
        if (position < _heap.Count) Sift(position, last);

        _nodes.Remove(node.Key);
        node.Key = default!;
        if (_spare.Count < MaxSpareNodes) _spare.Push(node);
    }

    // The place is free: what is in its way moves there, until the entry stands where it belongs.
    private void Sift(int position, Entry entry)
    {
        while (position > 0 && entry.IsBefore(_heap[(position - 1) / 2]))
        {
            Place(position, _heap[(position - 1) / 2]);
            position = (position - 1) / 2;
        }

        while (true)
        {
            var earlier = (2 * position) + 1;
            if (earlier >= _heap.Count) break;
            if (earlier + 1 < _heap.Count && _heap[earlier + 1].IsBefore(_heap[earlier])) earlier++;
            if (!_heap[earlier].IsBefore(entry)) break;

            Place(position, _heap[earlier]);
            position = earlier;
        }

        Place(position, entry);
    }

    private void Place(int position, Entry entry)
    {
        _heap[position] = entry;
        entry.Node.Position = position;
    }

    private sealed class Node
    {
        public TKey Key { get; set; } = default!;

        public int Position { get; set; }
    }

    private readonly record struct Entry(Node Node, Instant Due, long Sequence)
    {
        public bool IsBefore(Entry other) => Due != other.Due ? Due < other.Due : Sequence < other.Sequence;
    }
}
