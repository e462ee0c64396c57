using SipNat.Sip.Messages;
using SipNat.Wire;

namespace SipNat.Sip.Transactions;

/// <summary>The server transaction of any request but INVITE and ACK (RFC 3261 §17.2.2).</summary>
internal sealed class NonInviteServerTransaction : ISipTransaction
{
    private readonly SipTimers _timers;
    private readonly TransportAddress _destination;
    private readonly bool _isReliable;
    private ReceivedRequest? _request;
    private byte[]? _lastResponse;
    private Instant _end;

    public NonInviteServerTransaction(Instant now, TransactionId id, TransactionKey key, ReceivedRequest request, SipTimers timers)
    {
        (Id, Key, Merge) = (id, key, MergeKey.For(request.Message));
        (_request, _timers) = (request, timers);
        (Flow, _destination, _isReliable) = (request.Flow, request.Route.Destination, request.IsReliable);

        // An answer after the client's timer F reaches nobody (RFC 4320 §4.2).
        _end = now + timers.F;
    }

    public TransactionId Id { get; }

    public TransactionKey Key { get; }

    public MergeKey? Merge { get; }

    public FlowId Flow { get; }

    /// <summary>The request while it has no final answer; null afterwards.</summary>
    public ReceivedRequest? Unanswered => _request;

    public NonInviteServerState State { get; private set; } = NonInviteServerState.Trying;

    public bool IsOver => State is NonInviteServerState.Terminated;

    public Instant? Deadline => _end;

    public void HandleRetransmission(TransactionOutput output)
    {
        if (_lastResponse is not null) output.Resend(Flow, _destination, _lastResponse);
    }

    /// <summary>False where a final answer was given before.</summary>
    public bool Respond(Instant now, SipResponse response, TransactionOutput output)
    {
        if (State is not (NonInviteServerState.Trying or NonInviteServerState.Proceeding) || _request is null) return false;

        _lastResponse = _request.Answer(response, output);
        output.Send(Flow, _destination, _lastResponse);
        if (response.Status < 200)
        {
            State = NonInviteServerState.Proceeding;
            return true;
        }

        State = _isReliable ? NonInviteServerState.Terminated : NonInviteServerState.Completed;
        _end = now + _timers.J;
        _request = null;
        return true;
    }

    public void HandleTimeout(Instant now, TransactionOutput output)
    {
        if (_end <= now) State = NonInviteServerState.Terminated;
    }

    public void HandleFlowClosed(TransactionOutput output)
    {
        if (State is not NonInviteServerState.Completed) output.Tell(new TransactionEvent.TransportFailed(Id));
        State = NonInviteServerState.Terminated;
    }

    // The peer's own retransmissions tell whether it is there.
    public void HandleSendFailed(TransportAddress destination, TransactionOutput output)
    {
    }
}

internal enum NonInviteServerState
{
    Trying,
    Proceeding,
    Completed,
    Terminated,
}
