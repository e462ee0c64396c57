using System.Diagnostics.CodeAnalysis;
using SipNat.Wire;

namespace SipNat.Sip.Transactions;

/// <summary>All transactions alive, by identity, by key and by deadline.</summary>
internal sealed class TransactionTable
{
    private readonly Dictionary<TransactionId, ISipTransaction> _byId = [];
    private readonly Dictionary<TransactionKey, ISipTransaction> _byKey = [];
    private readonly Dictionary<MergeKey, TransactionId> _merges = [];
    private readonly DeadlineQueue<TransactionId> _deadlines = new();
    private long _lastId;

    public int Count => _byId.Count;

    public Instant? Next => _deadlines.Next;

    public TransactionId NextId() => new(++_lastId);

    public void Add(ISipTransaction transaction)
    {
        _byId.Add(transaction.Id, transaction);
        _byKey[transaction.Key] = transaction;
        if (transaction.Merge is { } merge) _merges[merge] = transaction.Id;
        Update(transaction);
    }

    public bool TryGet(TransactionKey key, [NotNullWhen(true)] out ISipTransaction? transaction) => _byKey.TryGetValue(key, out transaction);

    public bool TryGet(TransactionId id, [NotNullWhen(true)] out ISipTransaction? transaction) => _byId.TryGetValue(id, out transaction);

    public bool Has(MergeKey merge) => _merges.ContainsKey(merge);

    /// <summary>To be called after every input to a transaction.</summary>
    public void Update(ISipTransaction transaction)
    {
        _deadlines.Set(transaction.Id, transaction.IsOver ? null : transaction.Deadline);
        if (transaction.IsOver) Forget(transaction);
    }

    /// <summary>Takes a transaction out, whatever its state.</summary>
    public void Forget(ISipTransaction transaction)
    {
        _deadlines.Remove(transaction.Id);
        _byId.Remove(transaction.Id);
        _byKey.Remove(transaction.Key);
        if (transaction.Merge is { } merge) _merges.Remove(merge);
    }

    public void HandleTimeout(Instant now, TransactionOutput output)
    {
        while (_deadlines.TryTakeDue(now, out var id))
        {
            var transaction = _byId[id];
            transaction.HandleTimeout(now, output);
            Update(transaction);
        }
    }

    public void HandleFlowClosed(FlowId flow, TransactionOutput output)
    {
        foreach (var transaction in OfFlow(flow))
        {
            transaction.HandleFlowClosed(output);
            Update(transaction);
        }
    }

    public void HandleSendFailed(FlowId flow, TransportAddress destination, TransactionOutput output)
    {
        foreach (var transaction in OfFlow(flow))
        {
            transaction.HandleSendFailed(destination, output);
            Update(transaction);
        }
    }

    // In the order in which they began, so that the events of one failure always come in the same order.
    private List<ISipTransaction> OfFlow(FlowId flow) => [.. _byId.Values.Where(t => t.Flow == flow).OrderBy(t => t.Id.Value)];
}
