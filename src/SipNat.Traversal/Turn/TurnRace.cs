using SipNat.Wire;

namespace SipNat.Traversal.Turn;

/// <summary>
/// Asks several TURN servers at once: the first that relays wins, the others are given back. When the winner's server is
/// silent or does not give another relay, all are asked again; already when it is in doubt the others are, and the first of
/// them wins if the winner has not answered by then.
/// </summary>
public sealed class TurnRace
{
    /// <summary>Servers of one race; more are not asked.</summary>
    public const int MaxServers = 8;

    private readonly List<TurnAllocation> _allocations = [];
    private readonly Queue<TurnEvent> _events = new();
    private bool _asksOthers;

    /// <param name="allocations">One for each server, not started; their order decides nothing.</param>
    public TurnRace(IReadOnlyList<TurnAllocation> allocations)
    {
        for (var i = 0; i < allocations.Count && i < MaxServers; i++) _allocations.Add(allocations[i]);
    }

    public Outbox Outbox { get; } = new();

    /// <summary>The allocation that relays, or did last and is asking a server anew that answers; null while none has won.</summary>
    public TurnAllocation? Winner { get; private set; }

    /// <summary>When <see cref="HandleTimeout"/> wants to run next; null when nothing is pending.</summary>
    public Instant? Deadline
    {
        get
        {
            Instant? deadline = null;
            foreach (var allocation in _allocations) deadline = Instant.Earlier(deadline, allocation.Deadline);
            return deadline;
        }
    }

    /// <summary>Takes what happened to any of the allocations; a loser tells of its release.</summary>
    public bool TryTake(out TurnEvent happened) => _events.TryDequeue(out happened!);

    public void Start(Instant now)
    {
        foreach (var allocation in _allocations) allocation.Start(now);
        Drain(now);
    }

    /// <summary>Gives everything back.</summary>
    public void Release(Instant now)
    {
        Winner = null;
        foreach (var allocation in _allocations) allocation.Release(now);
        Drain(now, isOver: true);
    }

    /// <summary>As <see cref="TurnAllocation.TryHandle"/>; only the winner's packets are given out.</summary>
    public TurnInput TryHandle(Instant now, FlowId flow, TransportAddress from, ReadOnlySpan<byte> datagram, out TurnPacket packet)
    {
        foreach (var allocation in _allocations)
        {
            var input = allocation.TryHandle(now, flow, from, datagram, out packet);
            if (input is TurnInput.NotMine) continue;

            Drain(now);
            return input;
        }

        packet = default;
        return TurnInput.NotMine;
    }

    public void HandleTimeout(Instant now)
    {
        foreach (var allocation in _allocations) allocation.HandleTimeout(now);
        Drain(now);
    }

    public void HandleFlow(Instant now, FlowId flow, FlowChange change)
    {
        foreach (var allocation in _allocations) allocation.HandleFlow(now, flow, change);
        Drain(now);
    }

    /// <summary>Asks the winner now whether it is there.</summary>
    public void Ask(Instant now)
    {
        Winner?.Ask(now);
        Drain(now);
    }

    private void Drain(Instant now, bool isOver = false)
    {
        foreach (var allocation in _allocations)
        {
            while (allocation.TryTake(out var happened))
            {
                _events.Enqueue(happened);
                if (!isOver) Judge(now, allocation, happened);
            }
        }

        if (!isOver) Doubt(now);

        // Releases and new starts are under way only after the loop above has judged.
        foreach (var allocation in _allocations) Outbox.TakeAllFrom(allocation.Outbox);
    }

    private void Judge(Instant now, TurnAllocation allocation, TurnEvent happened)
    {
        if (happened is TurnEvent.Allocated && Winner is null or { IsDoubted: true } && Winner != allocation) Win(now, allocation);
        else if (happened is TurnEvent.Allocated && Winner != allocation) allocation.Release(now);
        else if (IsEnd(happened) && Winner == allocation) Lose(now);
    }

    private static bool IsEnd(TurnEvent happened) => happened is TurnEvent.Failed or TurnEvent.Lost { Reason: TurnLoss.FlowClosed or TurnLoss.Silence };

    private void Win(Instant now, TurnAllocation winner)
    {
        Winner = winner;
        ReleaseOthers(now);
    }

    private void Lose(Instant now)
    {
        StartOthers(now);
        Winner = null;
    }

    private void Doubt(Instant now)
    {
        if (Winner is not { } winner || winner.IsDoubted == _asksOthers) return;

        if (winner.IsDoubted) StartOthers(now);
        else ReleaseOthers(now);
        _asksOthers = winner.IsDoubted;
    }

    private void StartOthers(Instant now)
    {
        foreach (var allocation in _allocations)
        {
            if (allocation != Winner) allocation.Start(now);
        }
    }

    private void ReleaseOthers(Instant now)
    {
        _asksOthers = false;
        foreach (var allocation in _allocations)
        {
            if (allocation != Winner) allocation.Release(now);
        }
    }
}
