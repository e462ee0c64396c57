using SipNat.Sip.Messages;
using SipNat.Wire;

namespace SipNat.Sip.Transactions;

/// <summary>What the transactions tell their user. The set is closed: switch over it.</summary>
public abstract record TransactionEvent
{
    private TransactionEvent()
    {
    }

    /// <summary>A request to answer with <see cref="TransactionLayer.Respond"/>; never ACK or CANCEL, never a retransmission.</summary>
    public sealed record Request(TransactionId Transaction, FlowId Flow, TransportAddress From, StoredSipMessage Message) : TransactionEvent;

    /// <summary>An ACK that no error response of ours waits for, so one for a 2xx, or a stray one.</summary>
    public sealed record Ack(FlowId Flow, TransportAddress From, StoredSipMessage Message) : TransactionEvent;

    /// <summary>The peer gave up an INVITE that has no final answer. The CANCEL is answered; the INVITE wants 487.</summary>
    public sealed record Cancelled(TransactionId Invite) : TransactionEvent;

    /// <summary>A provisional or final response; 2xx to INVITE come as often as they arrive, each wants its ACK.</summary>
    public sealed record Response(TransactionId Transaction, FlowId Flow, TransportAddress From, StoredSipMessage Message) : TransactionEvent;

    /// <summary>Nobody answered within 64·T1 (timers B, F), or nobody acknowledged our error response (timer H).</summary>
    public sealed record TimedOut(TransactionId Transaction) : TransactionEvent;

    /// <summary>The flow ended, or the kernel refused the destination, before the transaction was over.</summary>
    public sealed record TransportFailed(TransactionId Transaction) : TransactionEvent;

    /// <summary>Our 2xx was retransmitted for 64·T1 and never acknowledged (RFC 3261 §13.3.1.4): the dialog wants a BYE.</summary>
    public sealed record NoAck(TransactionId Invite) : TransactionEvent;

    /// <summary>Bytes that were no message to act on; answered where they could be.</summary>
    public sealed record Malformed(FlowId Flow, TransportAddress From, SipDefect Defect) : TransactionEvent;
}
