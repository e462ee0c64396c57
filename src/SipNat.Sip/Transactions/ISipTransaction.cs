using SipNat.Wire;

namespace SipNat.Sip.Transactions;

/// <summary>What the four machines of RFC 3261 §17 have in common for the table that keeps them.</summary>
internal interface ISipTransaction
{
    TransactionId Id { get; }

    TransactionKey Key { get; }

    /// <summary>Null for client transactions, and where no merging can be told.</summary>
    MergeKey? Merge { get; }

    FlowId Flow { get; }

    /// <summary>The Terminated state: the table forgets it.</summary>
    bool IsOver { get; }

    /// <summary>When <see cref="HandleTimeout"/> wants to run next; afterwards it is null or later than that moment.</summary>
    Instant? Deadline { get; }

    void HandleTimeout(Instant now, TransactionOutput output);

    void HandleFlowClosed(TransactionOutput output);

    void HandleSendFailed(TransportAddress destination, TransactionOutput output);
}
