using SipNat.Sip.Messages;
using SipNat.Wire;

namespace SipNat.Sip.Transactions;

/// <summary>Takes well-formed requests to their transactions, or begins one (RFC 3261 §8.2, §9.2, §17.2.3).</summary>
internal sealed class ServerTransactions(
    TransactionTable table,
    TransactionOutput output,
    StatelessAnswers answers,
    TransactionOptions options,
    Random random)
{
    private static readonly SipResponse NoSuchTransaction = new(481);
    private static readonly SipResponse Merged = new(482, "Merged Request");
    private static readonly SipResponse Cancelled = new(200);

    private const int ServiceUnavailable = 503;
    private readonly RefusedInvites _refused = new();

    public void HandleRequest(Instant now, in Arrival arrival, SipMessage message, Via via)
    {
        switch (message.Method)
        {
            case SipMethod.Ack:
                HandleAck(now, arrival, message, via);
                break;
            case SipMethod.Cancel:
                HandleCancel(now, arrival, message, via);
                break;
            default:
                HandleOther(now, arrival, message, via);
                break;
        }
    }

    public void Respond(Instant now, TransactionId id, SipResponse response)
    {
        table.TryGet(id, out var transaction);
        var isTaken = transaction switch
        {
            InviteServerTransaction invite => invite.Respond(now, response, output),
            NonInviteServerTransaction other => other.Respond(now, response, output),
            _ => false,
        };
        if (!isTaken) output.Counters.LateAnswers++;
        if (transaction is not null) table.Update(transaction);
    }

    /// <summary>Ends a transaction that has no answer, with one that is sent once, or with none.</summary>
    public void Dismiss(TransactionId id, SipResponse? answer)
    {
        if (!table.TryGet(id, out var transaction)) return;

        var request = transaction switch
        {
            InviteServerTransaction invite => invite.Unanswered,
            NonInviteServerTransaction other => other.Unanswered,
            _ => null,
        };
        if (request is null) return;

        table.Forget(transaction);
        if (answer is { Status: ServiceUnavailable } && transaction is InviteServerTransaction { Key: var key }) _refused.Add(key, answer);
        if (answer is not null) answers.Refuse(request.Flow, request.Message.View, request.Route, answer);
    }

    public void Acknowledged(TransactionId id)
    {
        if (!table.TryGet(id, out var transaction) || transaction is not InviteServerTransaction invite) return;

        invite.Acknowledged();
        table.Update(invite);
    }

    private void HandleAck(Instant now, in Arrival arrival, SipMessage ack, Via via)
    {
        if (table.TryGet(TransactionKey.ForRequest(ack, via), out var transaction) && transaction is InviteServerTransaction invite)
        {
            var isForUser = invite.HandleAck(now);
            table.Update(invite);
            if (!isForUser) return;
        }
        else if (answers.IsOurs(ack))
        {
            return;
        }

        output.Tell(new TransactionEvent.Ack(arrival.Flow, arrival.From, new(ack)));
    }

    // Answered without a transaction of its own: its retransmissions find the INVITE again, and get the same answer.
    private void HandleCancel(Instant now, in Arrival arrival, SipMessage cancel, Via via)
    {
        if (!table.TryGet(TransactionKey.ForCancelled(cancel, via), out var transaction) || transaction is not InviteServerTransaction invite)
        {
            Refuse(now, arrival, cancel, NoSuchTransaction);
            return;
        }

        answers.Answer(arrival.Flow, cancel, arrival.Route, Cancelled with { ToTag = invite.Tag });
        if (invite.TakeCancel()) output.Tell(new TransactionEvent.Cancelled(invite.Id));
    }

    private void HandleOther(Instant now, in Arrival arrival, SipMessage request, Via via)
    {
        var key = TransactionKey.ForRequest(request, via);
        if (table.TryGet(key, out var known))
        {
            output.Counters.RequestRetransmissions++;
            if (known is InviteServerTransaction invite) invite.HandleRetransmission(output);
            if (known is NonInviteServerTransaction other) other.HandleRetransmission(output);
            return;
        }

        if (table.Count >= options.MaxTransactions + (request.ToTag.Length > 0 ? options.ReservedForDialogs : 0))
        {
            if (!answers.MayAnswer(now, arrival.From)) return;

            var overload = answers.RefuseOverload(arrival.Flow, request, arrival.Route);
            if (request.Method is SipMethod.Invite) _refused.Add(key, overload);
            return;
        }

        if (request.Method is SipMethod.Invite && _refused.Find(key) is { } refusal)
        {
            output.Counters.RequestRetransmissions++;
            Refuse(now, arrival, request, refusal);
            return;
        }

        var message = new StoredSipMessage(request);
        if (MergeKey.For(message) is { } merge && table.Has(merge)) Refuse(now, arrival, request, Merged);
        else Begin(now, arrival, key, message);
    }

    private void Refuse(Instant now, in Arrival arrival, SipMessage request, SipResponse response)
    {
        if (answers.MayAnswer(now, arrival.From)) answers.Refuse(arrival.Flow, request, arrival.Route, response);
    }

    private void Begin(Instant now, in Arrival arrival, TransactionKey key, StoredSipMessage message)
    {
        output.Counters.Requests++;
        var id = table.NextId();
        var request = new ReceivedRequest(message, arrival.Flow, arrival.IsReliable, arrival.Route, SipToken.Next(random));
        table.Add(message.Method is SipMethod.Invite
            ? new InviteServerTransaction(now, id, key, request, options)
            : new NonInviteServerTransaction(now, id, key, request, options.Timers));
        output.Tell(new TransactionEvent.Request(id, arrival.Flow, arrival.From, message));
    }
}

/// <summary>Where a request came from, and where its answers go.</summary>
internal readonly record struct Arrival(FlowId Flow, TransportAddress From, bool IsReliable, ResponseRoute Route);
