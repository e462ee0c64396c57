using SipNat.Sip.Messages;
using SipNat.Wire;

namespace SipNat.Sip.Transactions;

/// <summary>The client transaction of any request but INVITE and ACK (RFC 3261 §17.1.2).</summary>
internal sealed class NonInviteClientTransaction : ISipTransaction
{
    private readonly SentRequest _sent;
    private readonly SipTimers _timers;
    private Retransmission _retransmission;
    private Instant _end;

    public NonInviteClientTransaction(Instant now, TransactionId id, SentRequest sent, SipTimers timers)
    {
        (Id, _sent, _timers) = (id, sent, timers);
        Key = TransactionKey.ForClient(sent.Branch, sent.Request.Method);
        if (!sent.IsReliable) _retransmission = Retransmission.Start(now, timers.T1, timers.T2);
        _end = now + timers.F;
    }

    public TransactionId Id { get; }

    public TransactionKey Key { get; }

    public MergeKey? Merge => null;

    public FlowId Flow => _sent.Flow;

    public NonInviteClientState State { get; private set; } = NonInviteClientState.Trying;

    public bool IsOver => State is NonInviteClientState.Terminated;

    public Instant? Deadline => Instant.Earlier(_retransmission.Due, _end);

    public void HandleResponse(Instant now, FlowId flow, TransportAddress from, StoredSipMessage response, TransactionOutput output)
    {
        if (State is not (NonInviteClientState.Trying or NonInviteClientState.Proceeding)) return;

        output.Tell(new TransactionEvent.Response(Id, flow, from, response));
        if (response.StatusCode < 200)
        {
            State = NonInviteClientState.Proceeding;
            _retransmission.SlowDown();
            return;
        }

        _retransmission = default;
        State = _sent.IsReliable ? NonInviteClientState.Terminated : NonInviteClientState.Completed;
        _end = now + _timers.K;
    }

    public void HandleTimeout(Instant now, TransactionOutput output)
    {
        if (_end <= now)
        {
            if (State is not NonInviteClientState.Completed) output.Tell(new TransactionEvent.TimedOut(Id));
            State = NonInviteClientState.Terminated;
            return;
        }

        if (_retransmission.TakeDue(now)) output.Resend(Flow, _sent.Destination, _sent.Bytes);
    }

    public void HandleFlowClosed(TransactionOutput output)
    {
        if (State is not NonInviteClientState.Completed) output.Tell(new TransactionEvent.TransportFailed(Id));
        State = NonInviteClientState.Terminated;
    }

    public void HandleSendFailed(TransportAddress destination, TransactionOutput output)
    {
        if (State is not NonInviteClientState.Trying || destination != _sent.Destination) return;

        output.Tell(new TransactionEvent.TransportFailed(Id));
        State = NonInviteClientState.Terminated;
    }
}

internal enum NonInviteClientState
{
    Trying,
    Proceeding,
    Completed,
    Terminated,
}
