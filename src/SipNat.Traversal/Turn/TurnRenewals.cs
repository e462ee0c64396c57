using SipNat.Wire;

namespace SipNat.Traversal.Turn;

/// <summary>
/// What an allocation asks its server for, peer by peer, and has to ask for again: when next, and until when it holds.
/// Permissions and channels differ in what they are for and in how long they last.
/// </summary>
/// <param name="maxCount">Entries at a time; more are refused here.</param>
/// <param name="lifetime">How long one holds after the server has confirmed it.</param>
/// <param name="refreshInterval">When it is asked for again.</param>
internal abstract class TurnRenewals<T>(int maxCount, TimeSpan lifetime, TimeSpan refreshInterval)
    where T : TurnRenewal
{
    private readonly List<T> _entries = [];

    public Instant? Deadline
    {
        get
        {
            Instant? deadline = null;
            foreach (var entry in _entries) deadline = Instant.Earlier(deadline, entry.Due);
            return deadline;
        }
    }

    public bool IsEmpty => _entries.Count == 0;

    protected List<T> Entries => _entries;

    protected bool IsFull => _entries.Count == maxCount;

    public void Remove(TransportAddress peer) => _entries.RemoveAll(entry => entry.IsFor(peer));

    /// <summary>The next to ask for; it is not due again before the answer.</summary>
    public bool TryTakeDue(Instant now, out T taken)
    {
        foreach (var entry in _entries)
        {
            if (entry.Due is not { } due || due > now) continue;

            entry.Due = null;
            taken = entry;
            return true;
        }

        taken = null!;
        return false;
    }

    /// <summary>The server has confirmed; true for the first time.</summary>
    public bool HandleConfirmed(Instant now, TransportAddress peer)
    {
        if (Find(peer) is not { } entry) return false;

        var isNew = entry.ExpiresAt is null;
        (entry.ExpiresAt, entry.Due) = (now + lifetime, now + refreshInterval);
        return isNew;
    }

    public void RetryAt(Instant at, TransportAddress peer)
    {
        if (Find(peer) is { } entry) entry.Due = at;
    }

    /// <summary>The allocation is another one: everything has to be asked for again.</summary>
    public void Reset(Instant now)
    {
        foreach (var entry in _entries) (entry.ExpiresAt, entry.Due) = (null, now);
    }

    protected void Add(Instant now, T entry)
    {
        entry.Due = now;
        _entries.Add(entry);
    }

    protected T? Find(TransportAddress peer)
    {
        foreach (var entry in _entries)
        {
            if (entry.IsFor(peer)) return entry;
        }

        return null;
    }
}

/// <summary>One thing that a server grants for a time.</summary>
internal abstract class TurnRenewal(TransportAddress peer)
{
    public TransportAddress Peer { get; } = peer;

    /// <summary>When it is asked for; null while an answer is awaited.</summary>
    public Instant? Due { get; set; }

    /// <summary>Until when the server's confirmation holds; null before it.</summary>
    public Instant? ExpiresAt { get; set; }

    public abstract bool IsFor(TransportAddress peer);

    public bool Holds(Instant now) => ExpiresAt is { } expiry && now < expiry;
}
