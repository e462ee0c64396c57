namespace SipNat.Archive.Audio;

/// <summary>
/// Jobs of many files in one array, those of each file chained in their order: a file that waits costs no queue of its own.
/// </summary>
internal sealed class JobChains
{
    // What a busy thread leaves for a moment; more is made room for when the disk is behind.
    private const int UsualJobs = 4096;

    private Slot[] _slots = new Slot[UsualJobs];
    private int _used;

    // Slots that were used before, chained too; 0 is none, so that a chain of nothing needs no beginning.
    private int _free;

    /// <summary>Jobs of all files.</summary>
    public int Count { get; private set; }

    public void Add(ref JobChain chain, in WriteJob job)
    {
        var at = Rent();
        _slots[at - 1] = new Slot { Job = job };
        if (chain.IsEmpty) chain.First = at;
        else _slots[chain.Last - 1].Next = at;
        chain.Last = at;
        Count++;
    }

    public bool TryTake(ref JobChain chain, out WriteJob job)
    {
        job = default;
        if (chain.IsEmpty) return false;

        var at = chain.First;
        ref var slot = ref _slots[at - 1];
        (job, chain.First) = (slot.Job, slot.Next);
        slot = new Slot { Next = _free };
        _free = at;
        Count--;
        return true;
    }

    public bool HasOneBuffer(in JobChain chain) => !chain.IsEmpty && chain.First == chain.Last && _slots[chain.First - 1].Job.Kind is WriteJobKind.Write;

    private int Rent()
    {
        if (_free == 0)
        {
            if (_used == _slots.Length) Array.Resize(ref _slots, _used * 2);
            return ++_used;
        }

        var at = _free;
        _free = _slots[at - 1].Next;
        return at;
    }

    private struct Slot
    {
        public WriteJob Job;
        public int Next;
    }
}

/// <summary>The jobs of one file in <see cref="JobChains"/>: places counted from 1, 0 for none.</summary>
internal struct JobChain
{
    public int First;
    public int Last;

    public readonly bool IsEmpty => First == 0;
}
