using SipNat.Sip.Transactions;
using SipNat.Wire;

namespace SipNat.Endpoint.Accounts;

/// <summary>The ways to registrars that accounts use: one for each socket or connection and each registrar, however many accounts there are.</summary>
internal sealed class RegistrarFlows(SignallingContext context)
{
    private readonly Dictionary<(FlowId, TransportAddress), RegistrarFlow> _flows = [];
    private readonly Dictionary<TransactionId, RegistrarFlow> _byTransaction = [];
    private readonly Dictionary<Account, RegistrarFlow> _byAccount = [];
    private readonly DeadlineQueue<RegistrarFlow> _deadlines = new();
    private readonly List<Account> _moved = [];

    public Instant? Deadline => _deadlines.Next;

    /// <summary>Keeps a way open for an account until it leaves.</summary>
    /// <returns>Upper bound of the time between two packets.</returns>
    public TimeSpan Join(Instant now, Account account, FlowId flow, TransportAddress registrar, KeepaliveTerms terms, TransportAddress seen)
    {
        if (_byAccount.TryGetValue(account, out var former) && (former.Flow != flow || former.Registrar != registrar)) Leave(account);
        if (!_flows.TryGetValue((flow, registrar), out var way)) _flows.Add((flow, registrar), way = new(context, flow, registrar));

        var asked = way.Transaction;
        _moved.AddRange(way.Join(now, account, terms, seen));
        _byAccount[account] = way;
        Settle(way, asked);
        return way.Bound;
    }

    /// <summary>Takes the accounts that the registration of another one has shown to be elsewhere than they said.</summary>
    public IReadOnlyList<Account> TakeMoved()
    {
        IReadOnlyList<Account> moved = [.. _moved];
        _moved.Clear();
        return moved;
    }

    public void Leave(Account account)
    {
        if (!_byAccount.Remove(account, out var way)) return;

        way.Leave(account);
        if (!way.IsUsed) Remove(way);
    }

    /// <summary>Sends what is due.</summary>
    /// <returns>Accounts whose registrar no longer answers.</returns>
    public IReadOnlyList<Account> HandleTimeout(Instant now)
    {
        List<Account>? lost = null;
        while (_deadlines.TryTakeDue(now, out var way))
        {
            var asked = way.Transaction;
            if (way.HandleTimeout(now)) (lost ??= []).AddRange(Lose(way));
            else Settle(way, asked);
        }

        return lost ?? (IReadOnlyList<Account>)[];
    }

    /// <summary>Takes the answer to a question. False where it was none of these.</summary>
    public bool TryHandleResponse(Instant now, TransactionEvent.Response response, out KeepaliveOutcome outcome)
    {
        outcome = new();
        if (!_byTransaction.TryGetValue(response.Transaction, out var way)) return false;
        if (response.Message.StatusCode < 200) return true;

        var asked = way.Transaction;
        outcome = way.HandleAnswer(now, response.Message);
        Settle(way, asked);
        return true;
    }

    /// <summary>Accounts whose registrar no longer answers, where a transaction that got no answer was a question of these. False where it was not.</summary>
    public bool TryHandleNoResponse(TransactionId transaction, out IReadOnlyList<Account> lost)
    {
        var isOurs = _byTransaction.TryGetValue(transaction, out var way);
        lost = isOurs ? Lose(way!) : [];
        return isOurs;
    }

    // Where nobody answers one account, nobody answers the others.
    private IReadOnlyList<Account> Lose(RegistrarFlow way)
    {
        var users = way.Users;
        foreach (var user in users) _byAccount.Remove(user);
        Remove(way);
        return users;
    }

    private void Remove(RegistrarFlow way)
    {
        if (way.Transaction is { } asked) _byTransaction.Remove(asked);
        _flows.Remove((way.Flow, way.Registrar));
        _deadlines.Remove(way);
    }

    private void Settle(RegistrarFlow way, TransactionId? before)
    {
        if (before is { } former) _byTransaction.Remove(former);
        if (way.Transaction is { } asked) _byTransaction[asked] = way;
        _deadlines.Set(way, way.Deadline);
    }
}
