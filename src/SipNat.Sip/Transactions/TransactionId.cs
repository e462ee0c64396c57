namespace SipNat.Sip.Transactions;

/// <summary>One transaction of one <see cref="TransactionLayer"/>, client or server. Never reused.</summary>
public readonly record struct TransactionId(long Value)
{
    public override string ToString() => $"transaction {Value}";
}
