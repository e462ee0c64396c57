using SipNat.Sip.Messages;
using SipNat.Wire;

namespace SipNat.Sip.Transactions;

/// <summary>Where all transactions of one layer put what they want sent, told and counted.</summary>
internal sealed class TransactionOutput(string? product)
{
    private TransactionCounters _counters;

    public Outbox Outbox { get; } = new();

    public Queue<TransactionEvent> Events { get; } = new();

    /// <summary>Server and User-Agent of our messages; null for none.</summary>
    public string? Product => product;

    /// <summary>Used by one call at a time.</summary>
    public SipWriter Writer { get; } = new();

    public ref TransactionCounters Counters => ref _counters;

    public void Tell(TransactionEvent e) => Events.Enqueue(e);

    public void Send(FlowId flow, TransportAddress destination, ReadOnlySpan<byte> message) => Outbox.Add(flow, destination, message);

    public void Resend(FlowId flow, TransportAddress destination, ReadOnlySpan<byte> message)
    {
        _counters.Resends++;
        Outbox.Add(flow, destination, message);
    }
}
