using SipNat.Traversal.Stun;
using SipNat.Wire;

namespace SipNat.Traversal.Ice;

/// <summary>The pairs of one stream in the order in which they are checked, and the queue of triggered checks (RFC 8445 §6.1.2).</summary>
internal sealed class CheckList
{
    /// <summary>Pairs beyond these, the least of them, are not checked (RFC 8445 §6.1.2.5).</summary>
    public const int MaxPairs = 100;

    private readonly List<CandidatePair> _pairs = [];
    private readonly Queue<CandidatePair> _triggered = new();

    /// <summary>The highest priority first.</summary>
    public IReadOnlyList<CandidatePair> Pairs => _pairs;

    /// <summary>Checks that are waiting or under way, for the RTO (RFC 8445 §14.3).</summary>
    public int CountOpen()
    {
        var count = 0;
        foreach (var pair in _pairs)
        {
            if (pair.State is CandidatePairState.Waiting or CandidatePairState.InProgress) count++;
        }

        return count;
    }

    public CandidatePair? Find(FlowId flow, TransportAddress remote)
    {
        foreach (var pair in _pairs)
        {
            if (pair.Local.Flow == flow && pair.Remote.Address == remote) return pair;
        }

        return null;
    }

    public CandidatePair? FindAwaiting(StunTransactionId id)
    {
        foreach (var pair in _pairs)
        {
            if (pair.IsAwaiting(id)) return pair;
        }

        return null;
    }

    /// <summary>Adds a pair at its place; false where the list is full of better or busy ones, or has it.</summary>
    public bool TryAdd(CandidatePair pair)
    {
        if (Find(pair.Local.Flow, pair.Remote.Address) is not null) return false;
        if (_pairs.Count == MaxPairs && !TryMakeRoom(pair.Priority)) return false;

        var place = _pairs.FindIndex(other => other.Priority < pair.Priority);
        _pairs.Insert(place < 0 ? _pairs.Count : place, pair);
        return true;
    }

    public void SetRole(IceRole role)
    {
        foreach (var pair in _pairs) pair.SetRole(role);
        _pairs.Sort(static (left, right) => right.Priority.CompareTo(left.Priority));
    }

    public void Clear()
    {
        _pairs.Clear();
        _triggered.Clear();
    }

    public void Trigger(CandidatePair pair)
    {
        if (pair.State is CandidatePairState.InProgress) pair.Cancel();
        if (pair.State is not CandidatePairState.Succeeded) pair.State = CandidatePairState.Waiting;
        if (pair.IsTriggered) return;

        pair.IsTriggered = true;
        _triggered.Enqueue(pair);
    }

    /// <summary>What has the foundation of a pair that succeeded is likely to succeed too (RFC 8445 §7.2.5.3.3).</summary>
    public void HandleSuccess(CandidatePair succeeded)
    {
        succeeded.State = CandidatePairState.Succeeded;
        foreach (var pair in _pairs)
        {
            if (pair.State is CandidatePairState.Frozen && pair.HasSameFoundation(succeeded)) pair.State = CandidatePairState.Waiting;
        }
    }

    /// <summary>Begins the direct checks of a component anew that are under way, as only a relay carries its media.</summary>
    public void Hurry(int component)
    {
        foreach (var pair in _pairs)
        {
            if (pair.Component != component || pair.IsRelayed || pair.IsCheckedByPeer || pair.IsUrgent) continue;

            pair.IsUrgent = true;
            if (pair.State is CandidatePairState.InProgress) Trigger(pair);
        }
    }

    /// <summary>Ends what is not needed once a component is nominated: pairs of lower priority, and such as wait (RFC 8445 §8.1.2).</summary>
    public void HandleNomination(int component)
    {
        foreach (var pair in _pairs)
        {
            if (pair.Component != component || pair.State is CandidatePairState.Succeeded or CandidatePairState.Failed) continue;

            pair.Cancel();
            pair.State = CandidatePairState.Failed;
        }
    }

    /// <summary>Ends all checks.</summary>
    public void Stop()
    {
        for (var component = 1; component <= IceOptions.MaxComponents; component++) HandleNomination(component);
        foreach (var pair in _pairs) pair.Cancel();
        foreach (var pair in _triggered) pair.IsTriggered = false;
        _triggered.Clear();
    }

    /// <summary>One pair of each foundation that has none waiting or under way becomes Waiting (RFC 8445 §6.1.2.6).</summary>
    public void Thaw()
    {
        for (var component = 1; component <= IceOptions.MaxComponents; component++)
        {
            foreach (var pair in _pairs)
            {
                if (pair.Component == component && pair.State is CandidatePairState.Frozen && !IsFoundationBusy(pair)) pair.State = CandidatePairState.Waiting;
            }
        }
    }

    /// <summary>The pair whose check is next: triggered ones first, then by priority (RFC 8445 §6.1.4.2).</summary>
    /// <param name="budget">Whom a check may be sent to at this moment.</param>
    /// <param name="now">The moment.</param>
    /// <param name="isHeldBack">Whether there is one that the budget holds back.</param>
    public CandidatePair? TakeNext(CheckBudget budget, Instant now, out bool isHeldBack)
    {
        isHeldBack = false;
        for (var left = _triggered.Count; left > 0; left--)
        {
            var pair = _triggered.Dequeue();
            if (!IsDue(pair))
            {
                pair.IsTriggered = false;
                continue;
            }

            if (budget.TryTake(now, pair.Remote.Address))
            {
                pair.IsTriggered = false;
                return pair;
            }

            isHeldBack = true;
            _triggered.Enqueue(pair);
        }

        return TakeWaiting(budget, now, ref isHeldBack) ?? TakeThawed(budget, now, ref isHeldBack);
    }

    /// <summary>The best pair of a component whose check has succeeded; null where none has.</summary>
    public CandidatePair? BestValid(int component, IceRole role)
    {
        CandidatePair? best = null;
        foreach (var pair in _pairs)
        {
            if (pair.Component != component || pair.State is not CandidatePairState.Succeeded) continue;
            if (best is null || pair.ValidPriority(role) > best.ValidPriority(role)) best = pair;
        }

        return best;
    }

    /// <summary>Whether a check that nominates a pair of the component waits or is under way.</summary>
    public bool IsNominating(int component)
    {
        foreach (var pair in _pairs)
        {
            if (pair.Component == component && pair.IsNominating) return true;
        }

        return false;
    }

    /// <summary>
    /// Whether a pair for the same component may still succeed and be worth more. What goes through a NAT is worth less
    /// once it is valid than it was before.
    /// </summary>
    public bool HasBetterOpen(CandidatePair valid, IceRole role)
    {
        var worth = valid.ValidPriority(role);
        foreach (var pair in _pairs)
        {
            if (pair.Priority <= worth) return false;
            if (pair.Component == valid.Component && pair.State is not (CandidatePairState.Succeeded or CandidatePairState.Failed)) return true;
        }

        return false;
    }

    /// <summary>Whether the peer was heard on a direct pair of the component that may still succeed.</summary>
    public bool HasHeardDirectOpen(int component)
    {
        foreach (var pair in _pairs)
        {
            if (pair.Component == component && pair is { IsCheckedByPeer: true, IsRelayed: false, State: CandidatePairState.Waiting or CandidatePairState.InProgress }) return true;
        }

        return false;
    }

    // A triggered pair that was answered meanwhile needs no check, unless that check nominates it.
    private static bool IsDue(CandidatePair pair) => pair.State is CandidatePairState.Waiting || pair is { State: CandidatePairState.Succeeded, IsNominating: true };

    private CandidatePair? TakeWaiting(CheckBudget budget, Instant now, ref bool isHeldBack)
    {
        foreach (var pair in _pairs)
        {
            if (pair.State is not CandidatePairState.Waiting || pair.IsTriggered) continue;
            if (budget.TryTake(now, pair.Remote.Address)) return pair;

            isHeldBack = true;
        }

        return null;
    }

    private CandidatePair? TakeThawed(CheckBudget budget, Instant now, ref bool isHeldBack)
    {
        if (isHeldBack) return null;

        Thaw();
        return TakeWaiting(budget, now, ref isHeldBack);
    }

    private bool IsFoundationBusy(CandidatePair candidate)
    {
        foreach (var pair in _pairs)
        {
            if (pair.State is CandidatePairState.Waiting or CandidatePairState.InProgress && pair.HasSameFoundation(candidate)) return true;
        }

        return false;
    }

    private bool TryMakeRoom(ulong priority)
    {
        for (var i = _pairs.Count - 1; i >= 0; i--)
        {
            var pair = _pairs[i];
            if (pair.State is CandidatePairState.Succeeded or CandidatePairState.InProgress || pair.IsTriggered) continue;
            if (pair.State is not CandidatePairState.Failed && pair.Priority >= priority) return false;

            _pairs.RemoveAt(i);
            return true;
        }

        return false;
    }
}
