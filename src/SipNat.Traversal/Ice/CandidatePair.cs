using SipNat.Traversal.Stun;
using SipNat.Wire;

namespace SipNat.Traversal.Ice;

/// <summary>A local base and a candidate of the peer, with the check between them (RFC 8445 §6.1.2).</summary>
internal sealed class CandidatePair(LocalBase local, Candidate remote, IceRole role)
{
    private StunTransactionId? _cancelled;
    private CheckRole _cancelledRole;

    public LocalBase Local { get; } = local;

    public Candidate Remote { get; } = remote;

    public int Component => Local.Component;

    public bool IsRelayed => Local.IsRelayed || Remote.Type is CandidateType.Relayed;

    public CandidatePairState State { get; set; } = CandidatePairState.Frozen;

    /// <summary>Its place in the check list (RFC 8445 §6.1.2.3).</summary>
    public ulong Priority { get; private set; } = PriorityOf(role, local.Candidate.Priority, remote.Priority);

    /// <summary>The local candidate that the peer sees, once a check has succeeded; null before.</summary>
    public Candidate? Seen { get; set; }

    /// <summary>Whether a genuine check of the peer came on it: both NATs are open to what is sent from then on.</summary>
    public bool IsCheckedByPeer { get; set; }

    /// <summary>Whether the peer nominated it before its own check had succeeded.</summary>
    public bool IsNominatedByPeer { get; set; }

    /// <summary>Whether the next check, or the one under way, nominates it.</summary>
    public bool IsNominating { get; set; }

    public bool IsTriggered { get; set; }

    /// <summary>Whether it would free media from a relay.</summary>
    public bool IsUrgent { get; set; }

    /// <summary>When the check under way was sent first.</summary>
    public Instant BegunAt { get; private set; }

    public StunTransaction? Transaction { get; private set; }

    public CheckRole TransactionRole { get; private set; }

    /// <summary>What the valid pair is worth: the local candidate counts as the peer sees it (RFC 8445 §7.2.5.3.2).</summary>
    public ulong ValidPriority(IceRole ours) => PriorityOf(ours, (Seen ?? Local.Candidate).Priority, Remote.Priority);

    public bool HasSameFoundation(CandidatePair other) =>
        Local.Candidate.Foundation == other.Local.Candidate.Foundation && Remote.Foundation == other.Remote.Foundation;

    public void SetRole(IceRole changed) => Priority = PriorityOf(changed, Local.Candidate.Priority, Remote.Priority);

    public void Begin(Instant now, StunTransaction transaction, CheckRole sent)
    {
        Cancel();
        BegunAt = now;
        (Transaction, TransactionRole) = (transaction, sent);
        if (State is not CandidatePairState.Succeeded) State = CandidatePairState.InProgress;
    }

    /// <summary>Stops the repetitions; an answer to what was sent still counts (RFC 8445 §7.3.1.4).</summary>
    public void Cancel()
    {
        if (Transaction is { State: StunTransactionState.Waiting } transaction) (_cancelled, _cancelledRole) = (transaction.Id, TransactionRole);
        Transaction = null;
    }

    public bool IsAwaiting(StunTransactionId id) => _cancelled == id || (Transaction is { } transaction && transaction.IsAwaiting(id));

    /// <summary>Ends the check that was answered, and gives what it had said.</summary>
    public CheckRole End(StunTransactionId id)
    {
        var sent = _cancelled == id ? _cancelledRole : TransactionRole;
        (Transaction, _cancelled) = (null, null);
        return sent;
    }

    public static ulong PriorityOf(IceRole ours, uint local, uint remote)
    {
        var (controlling, controlled) = ours is IceRole.Controlling ? (local, remote) : (remote, local);
        return ((ulong)Math.Min(controlling, controlled) << 32) + (2 * (ulong)Math.Max(controlling, controlled)) + (controlling > controlled ? 1UL : 0);
    }

    public override string ToString() => $"{Local.Candidate.Address} > {Remote.Address} {State}";
}

/// <summary>RFC 8445 §6.1.2.6.</summary>
internal enum CandidatePairState
{
    Frozen,
    Waiting,
    InProgress,
    Succeeded,
    Failed,
}
