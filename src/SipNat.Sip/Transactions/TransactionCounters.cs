namespace SipNat.Sip.Transactions;

/// <summary>What a <see cref="TransactionLayer"/> has seen since it began.</summary>
public record struct TransactionCounters
{
    /// <summary>Requests that began a transaction.</summary>
    public long Requests { get; internal set; }

    /// <summary>Requests that belonged to a transaction of ours already, ACKs of error responses not among them.</summary>
    public long RequestRetransmissions { get; internal set; }

    /// <summary>Responses that belonged to a transaction of ours.</summary>
    public long Responses { get; internal set; }

    /// <summary>Responses that no transaction waited for: dropped.</summary>
    public long StrayResponses { get; internal set; }

    /// <summary>Requests and responses of ours that a timer or a retransmission of the peer sent again.</summary>
    public long Resends { get; internal set; }

    /// <summary>Bytes that were no message to act on.</summary>
    public long Malformed { get; internal set; }

    /// <summary>Requests that were answered without state: 400, 413, 416, 481, 482, 503, 505.</summary>
    public long Rejected { get; internal set; }

    /// <summary>Of those, the ones above <see cref="TransactionOptions.MaxTransactions"/>.</summary>
    public long Overload { get; internal set; }

    /// <summary>Messages that got no answer and were not told of, because their source had sent too many.</summary>
    public long Withheld { get; internal set; }

    /// <summary>Datagrams of line ends or NUL only.</summary>
    public long Keepalives { get; internal set; }

    /// <summary>Messages of flows that are not open.</summary>
    public long UnknownFlow { get; internal set; }

    /// <summary>Answers of the user that came after their transaction had ended, or twice.</summary>
    public long LateAnswers { get; internal set; }
}
