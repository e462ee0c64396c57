using SipNat.Sip.Messages;
using SipNat.Wire;

namespace SipNat.Sip.Transactions;

/// <summary>Sends requests of ours and takes responses to them (RFC 3261 §8.1.3, §17.1.3).</summary>
internal sealed class ClientTransactions(
    TransactionTable table,
    TransactionOutput output,
    SipFlows flows,
    SipTimers timers,
    Random random)
{
    public int SizeOf(FlowId flow, SipRequest request)
    {
        if (!flows.TryGet(flow, out _, out _)) return 0;

        request.Write(output.Writer, ViaOf(flow, request, SipToken.SampleBranch), output.Product);
        return output.Writer.Written.Length;
    }

    public TransactionId Request(Instant now, FlowId flow, TransportAddress destination, SipRequest request) =>
        Begin(now, flow, destination, request, SipToken.NextBranch(random));

    public void SendAck(FlowId flow, TransportAddress destination, SipRequest ack)
    {
        if (!flows.TryGet(flow, out _, out _)) return;

        ack.Write(output.Writer, flows.Via(flow, SipToken.NextBranch(random)), output.Product);
        output.Send(flow, destination, output.Writer.Written);
    }

    public TransactionId? Cancel(Instant now, TransactionId id) =>
        table.TryGet(id, out var transaction) && transaction is InviteClientTransaction invite ? Cancel(now, invite) : null;

    public void Abandon(TransactionId id)
    {
        if (table.TryGet(id, out var transaction) && transaction is NonInviteClientTransaction) table.Forget(transaction);
    }

    public void HandleResponse(Instant now, FlowId flow, TransportAddress from, SipMessage message)
    {
        // More than one Via: the response was meant for somebody else (RFC 3261 §8.1.3.3).
        if (!HasOneVia(message) || !message.TryGetTopVia(out var via) || !table.TryGet(TransactionKey.ForResponse(message, via), out var transaction))
        {
            output.Counters.StrayResponses++;
            return;
        }

        output.Counters.Responses++;
        var response = new StoredSipMessage(message);
        if (transaction is NonInviteClientTransaction other) other.HandleResponse(now, flow, from, response, output);
        if (transaction is InviteClientTransaction invite)
        {
            invite.HandleResponse(now, flow, from, response, output);
            if (invite.WantsCancel) Cancel(now, invite);
        }

        table.Update(transaction);
    }

    private static bool HasOneVia(SipMessage message)
    {
        var count = 0;
        foreach (var _ in message.Values(SipHeader.Via)) count++;

        return count == 1;
    }

    private TransactionId? Cancel(Instant now, InviteClientTransaction invite)
    {
        if (!invite.Cancel(now)) return null;

        table.Update(invite);
        return Begin(now, invite.Flow, invite.Sent.Destination, invite.Sent.Cancel(), invite.Sent.Branch);
    }

    private string ViaOf(FlowId flow, SipRequest request, string branch) => request.OffersKeep ? $"{flows.Via(flow, branch)};keep" : flows.Via(flow, branch);

    private TransactionId Begin(Instant now, FlowId flow, TransportAddress destination, SipRequest request, string branch)
    {
        var id = table.NextId();
        if (!flows.TryGet(flow, out var transport, out _))
        {
            output.Tell(new TransactionEvent.TransportFailed(id));
            return id;
        }

        var via = ViaOf(flow, request, branch);
        request.Write(output.Writer, via, output.Product);
        var sent = new SentRequest(request, via, branch, flow, destination, transport.IsReliable, output.Writer.Written.ToArray());
        output.Send(flow, destination, sent.Bytes);
        table.Add(request.Method is SipMethod.Invite
            ? new InviteClientTransaction(now, id, sent, timers)
            : new NonInviteClientTransaction(now, id, sent, timers));
        return id;
    }
}
