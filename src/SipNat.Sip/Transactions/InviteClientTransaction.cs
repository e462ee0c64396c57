using SipNat.Sip.Messages;
using SipNat.Wire;

namespace SipNat.Sip.Transactions;

/// <summary>The INVITE client transaction (RFC 3261 §17.1.1 with the Accepted state of RFC 6026 §7.2).</summary>
internal sealed class InviteClientTransaction : ISipTransaction
{
    private readonly SipTimers _timers;
    private Retransmission _retransmission;
    private Instant? _end;
    private byte[]? _ack;
    private bool _isCancelled;

    public InviteClientTransaction(Instant now, TransactionId id, SentRequest sent, SipTimers timers)
    {
        (Id, Sent, _timers) = (id, sent, timers);
        Key = TransactionKey.ForClient(sent.Branch, SipMethod.Invite);

        // Timer A has no longest interval: timer B ends it.
        if (!sent.IsReliable) _retransmission = Retransmission.Start(now, timers.T1, timers.B);
        _end = now + timers.B;
    }

    public TransactionId Id { get; }

    public TransactionKey Key { get; }

    public MergeKey? Merge => null;

    public FlowId Flow => Sent.Flow;

    public SentRequest Sent { get; }

    public InviteClientState State { get; private set; } = InviteClientState.Calling;

    public bool IsOver => State is InviteClientState.Terminated;

    public Instant? Deadline => Instant.Earlier(_retransmission.Due, _end);

    /// <summary>The user gave up before any answer: the CANCEL waits for the first provisional one (RFC 3261 §9.1).</summary>
    public bool WantsCancel { get; private set; }

    /// <summary>True where the CANCEL is to be sent at once.</summary>
    public bool Cancel(Instant now)
    {
        if (State is InviteClientState.Calling) WantsCancel = true;
        if (State is not InviteClientState.Proceeding || _isCancelled) return false;

        // Without a final answer by then the INVITE counts as cancelled (RFC 3261 §9.1).
        (WantsCancel, _isCancelled) = (false, true);
        _end = now + _timers.F;
        return true;
    }

    public void HandleResponse(Instant now, FlowId flow, TransportAddress from, StoredSipMessage response, TransactionOutput output)
    {
        switch (State)
        {
            case InviteClientState.Calling or InviteClientState.Proceeding:
                Advance(now, response, output);
                output.Tell(new TransactionEvent.Response(Id, flow, from, response));
                break;
            case InviteClientState.Accepted when response.StatusCode is >= 200 and < 300:
                output.Tell(new TransactionEvent.Response(Id, flow, from, response));
                break;
            case InviteClientState.Completed when response.StatusCode >= 300:
                output.Resend(Flow, Sent.Destination, _ack);
                break;
        }
    }

    private void Advance(Instant now, StoredSipMessage response, TransactionOutput output)
    {
        _retransmission = default;
        switch (response.StatusCode)
        {
            case < 200:
                if (!_isCancelled && (State is InviteClientState.Calling || response.StatusCode > 100)) _end = now + _timers.C;
                State = InviteClientState.Proceeding;
                break;
            case < 300:
                State = InviteClientState.Accepted;
                _end = now + _timers.M;
                break;
            default:
                _ack = Sent.Ack(response, output);
                output.Send(Flow, Sent.Destination, _ack);
                State = Sent.IsReliable ? InviteClientState.Terminated : InviteClientState.Completed;
                _end = now + _timers.D;
                break;
        }
    }

    public void HandleTimeout(Instant now, TransactionOutput output)
    {
        if (_end <= now)
        {
            if (State is InviteClientState.Calling or InviteClientState.Proceeding) output.Tell(new TransactionEvent.TimedOut(Id));
            State = InviteClientState.Terminated;
            return;
        }

        if (_retransmission.TakeDue(now)) output.Resend(Flow, Sent.Destination, Sent.Bytes);
    }

    public void HandleFlowClosed(TransactionOutput output)
    {
        if (State is InviteClientState.Calling or InviteClientState.Proceeding) output.Tell(new TransactionEvent.TransportFailed(Id));
        if (State is not InviteClientState.Accepted) State = InviteClientState.Terminated;
    }

    public void HandleSendFailed(TransportAddress destination, TransactionOutput output)
    {
        if (State is not InviteClientState.Calling || destination != Sent.Destination) return;

        output.Tell(new TransactionEvent.TransportFailed(Id));
        State = InviteClientState.Terminated;
    }
}

internal enum InviteClientState
{
    Calling,
    Proceeding,
    Accepted,
    Completed,
    Terminated,
}
