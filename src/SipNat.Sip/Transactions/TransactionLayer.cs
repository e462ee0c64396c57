using System.Diagnostics;
using SipNat.Sip.Messages;
using SipNat.Wire;

namespace SipNat.Sip.Transactions;

public sealed class TransactionLayer
{
    public TransactionLayer(TransactionOptions options, Random random) => throw new UnreachableException();

    public Outbox Outbox => throw new UnreachableException();

    public Instant? Deadline => throw new UnreachableException();

    public TransactionCounters Counters => throw new UnreachableException();

    /// <summary>Transactions alive.</summary>
    public int Count => throw new UnreachableException();

    public void HandleFlow(Instant now, FlowId flow, FlowChange change) => throw new UnreachableException();

    public void HandleMessage(Instant now, FlowId flow, TransportAddress from, ReadOnlySpan<byte> message) => throw new UnreachableException();

    public void HandleTimeout(Instant now) => throw new UnreachableException();

    public bool TryTake(out TransactionEvent e) => throw new UnreachableException();

    public void Respond(Instant now, TransactionId transaction, SipResponse response) => throw new UnreachableException();

    public void Acknowledged(Instant now, TransactionId invite) => throw new UnreachableException();

    public TransactionId Request(Instant now, FlowId flow, TransportAddress destination, SipRequest request) => throw new UnreachableException();

    public void SendAck(Instant now, FlowId flow, TransportAddress destination, SipRequest ack) => throw new UnreachableException();

    public TransactionId? Cancel(Instant now, TransactionId invite) => throw new UnreachableException();

    public void SetAdvertised(FlowId flow, TransportAddress advertised) => throw new UnreachableException();

    public bool TryGetFlow(FlowId flow, out TransportProtocol transport, out TransportAddress local) => throw new UnreachableException();
}
