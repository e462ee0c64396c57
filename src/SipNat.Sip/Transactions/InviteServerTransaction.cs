using SipNat.Sip.Messages;
using SipNat.Wire;

namespace SipNat.Sip.Transactions;

/// <summary>
/// The INVITE server transaction (RFC 3261 §17.2.1 with the Accepted state of RFC 6026 §7.1). It also sends the 2xx
/// again until it is acknowledged, which RFC 3261 §13.3.1.4 leaves to its user, on every transport.
/// </summary>
internal sealed class InviteServerTransaction : ISipTransaction
{
    private static readonly SipResponse Trying = new(100);

    private readonly SipTimers _timers;
    private readonly TransportAddress _destination;
    private readonly bool _isReliable;
    private ReceivedRequest? _request;
    private byte[]? _lastResponse;
    private Instant? _trying;
    private Retransmission _retransmission;
    private Instant? _end;
    private bool _isAcknowledged;
    private bool _isCancelled;

    public InviteServerTransaction(Instant now, TransactionId id, TransactionKey key, ReceivedRequest request, TransactionOptions options)
    {
        (Id, Key, Merge) = (id, key, MergeKey.For(request.Message));
        (_request, _timers) = (request, options.Timers);
        (Flow, _destination, _isReliable) = (request.Flow, request.Route.Destination, request.IsReliable);
        Tag = request.Tag;
        _trying = options.TryingAfter is { } after ? now + after : null;
    }

    public TransactionId Id { get; }

    public TransactionKey Key { get; }

    public MergeKey? Merge { get; }

    public FlowId Flow { get; }

    /// <summary>The request while it has no final answer; null afterwards.</summary>
    public ReceivedRequest? Unanswered => _request;

    public InviteServerState State { get; private set; } = InviteServerState.Proceeding;

    public bool IsOver => State is InviteServerState.Terminated;

    public Instant? Deadline => Instant.Earlier(Instant.Earlier(_trying, _retransmission.Due), _end);

    /// <summary>The To tag of the last answer; before the first, the one it would get.</summary>
    public string Tag { get; private set; }

    public void HandleRetransmission(TransactionOutput output)
    {
        if (State is not (InviteServerState.Proceeding or InviteServerState.Completed)) return;
        if (_lastResponse is not null) output.Resend(Flow, _destination, _lastResponse);
    }

    /// <summary>Takes an ACK of this transaction's key; true where it is for a 2xx, and so the user's.</summary>
    public bool HandleAck(Instant now)
    {
        if (State is not InviteServerState.Completed) return State is InviteServerState.Accepted;

        _retransmission = default;
        State = _isReliable ? InviteServerState.Terminated : InviteServerState.Confirmed;
        _end = now + _timers.I;
        return false;
    }

    /// <summary>False where a final answer was given before.</summary>
    public bool Respond(Instant now, SipResponse response, TransactionOutput output)
    {
        if (State is not InviteServerState.Proceeding || _request is null) return false;

        Tag = response.ToTag ?? Tag;
        _trying = null;
        _lastResponse = _request.Answer(response, output);
        output.Send(Flow, _destination, _lastResponse);
        if (response.Status < 200) return true;

        // A 2xx is repeated over any transport, as proxies on its way may use another one.
        var isAccepted = response.Status < 300;
        State = isAccepted ? InviteServerState.Accepted : InviteServerState.Completed;
        _end = now + (isAccepted ? _timers.L : _timers.H);
        if (isAccepted || !_isReliable) _retransmission = Retransmission.Start(now, _timers.T1, _timers.T2);
        _request = null;
        return true;
    }

    /// <summary>True once, for the first CANCEL of an INVITE that has no final answer.</summary>
    public bool TakeCancel()
    {
        var isFirst = State is InviteServerState.Proceeding && !_isCancelled;
        _isCancelled = true;
        return isFirst;
    }

    /// <summary>The user has the ACK of its 2xx.</summary>
    public void Acknowledged()
    {
        if (State is not InviteServerState.Accepted) return;

        _isAcknowledged = true;
        _retransmission = default;
        _lastResponse = null;
    }

    public void HandleTimeout(Instant now, TransactionOutput output)
    {
        if (_end <= now)
        {
            End(output);
            return;
        }

        if (_trying <= now && _request is not null)
        {
            _trying = null;
            _lastResponse = _request.Answer(Trying, output);
            output.Send(Flow, _destination, _lastResponse);
        }

        if (_retransmission.TakeDue(now)) output.Resend(Flow, _destination, _lastResponse);
    }

    // Timers H, I and L.
    private void End(TransactionOutput output)
    {
        if (State is InviteServerState.Completed) output.Tell(new TransactionEvent.TimedOut(Id));
        if (State is InviteServerState.Accepted && !_isAcknowledged) output.Tell(new TransactionEvent.NoAck(Id));
        State = InviteServerState.Terminated;
    }

    // The ACK of a 2xx may still come by another connection, so the wait for it goes on.
    public void HandleFlowClosed(TransactionOutput output)
    {
        _retransmission = default;
        if (State is InviteServerState.Accepted) return;

        if (State is InviteServerState.Proceeding) output.Tell(new TransactionEvent.TransportFailed(Id));
        State = InviteServerState.Terminated;
    }

    // The peer's own retransmissions tell whether it is there.
    public void HandleSendFailed(TransportAddress destination, TransactionOutput output)
    {
    }
}

internal enum InviteServerState
{
    Proceeding,
    Accepted,
    Completed,
    Confirmed,
    Terminated,
}
