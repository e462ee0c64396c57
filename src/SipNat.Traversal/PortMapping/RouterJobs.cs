using SipNat.Wire;

namespace SipNat.Traversal.PortMapping;

/// <summary>
/// What a client has yet to ask its router, in order. One request is under way at a time: small routers drop what they
/// are sent all at once. Each port has one job at most that was not begun, so that the queue is bounded by the ports.
/// </summary>
internal sealed class RouterJobs
{
    private readonly List<RouterJob> _waiting = [];

    /// <summary>What is under way; null where nothing is.</summary>
    public RouterJob? Current { get; private set; }

    public bool IsEmpty => Current is null && _waiting.Count == 0;

    public void Probe()
    {
        if (Current?.Kind is not RouterJobKind.Probe && !_waiting.Exists(job => job.Kind is RouterJobKind.Probe))
        {
            _waiting.Add(new(RouterJobKind.Probe, default, default, default));
        }
    }

    public void Map(InternalPort port, TransportAddress suggested, TimeSpan lifetime)
    {
        _waiting.RemoveAll(job => job.Kind is RouterJobKind.Map && job.Port == port);
        _waiting.Add(new(RouterJobKind.Map, port, suggested, lifetime));
    }

    public void Remove(InternalPort port)
    {
        _waiting.RemoveAll(job => job.Kind is not RouterJobKind.Probe && job.Port == port);
        _waiting.Add(new(RouterJobKind.Remove, port, default, TimeSpan.Zero));
    }

    /// <summary>Begins the next one where nothing is under way.</summary>
    public bool TryBegin(out RouterJob job)
    {
        job = null!;
        if (Current is not null || _waiting.Count == 0) return false;

        Current = job = _waiting[0];
        _waiting.RemoveAt(0);
        return true;
    }

    public void Complete() => Current = null;

    /// <summary>Forgets everything and gives back the ports whose mapping was asked for.</summary>
    public List<InternalPort> Abandon()
    {
        if (Current is not null) _waiting.Insert(0, Current);
        var ports = _waiting.Where(job => job.Kind is RouterJobKind.Map).Select(job => job.Port).Distinct().ToList();
        _waiting.Clear();
        Current = null;
        return ports;
    }
}

/// <summary>One request to a router.</summary>
internal sealed record RouterJob(RouterJobKind Kind, InternalPort Port, TransportAddress Suggested, TimeSpan Lifetime);

internal enum RouterJobKind
{
    /// <summary>Is it there, has it still its table, and what is its address?</summary>
    Probe,
    Map,
    Remove,
}
