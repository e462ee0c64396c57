using SipNat.Endpoint.Calls;
using SipNat.Endpoint.Dns;
using SipNat.Sip.Messages;
using SipNat.Sip.Transactions;
using SipNat.Wire;

namespace SipNat.Endpoint.Accounts;

/// <summary>The accounts of a signalling core, found by name, transaction and deadline.</summary>
internal sealed class AccountList(SignallingContext context)
{
    /// <summary>So many accounts a second begin at the start: a registrar that serves thousands of ours is not flooded.</summary>
    public const int StartsPerSecond = 50;

    private readonly SortedDictionary<string, Account> _byName = new(StringComparer.Ordinal);
    private readonly Dictionary<TransactionId, Account> _byTransaction = [];
    private readonly Dictionary<Account, List<TransactionId>> _transactions = [];
    private readonly DeadlineQueue<Account> _deadlines = new();

    // How many accounts are registered there.
    private readonly Dictionary<(FlowId, TransportAddress), int> _servers = [];

    public int Count => _byName.Count;

    /// <summary>Accounts that are registered; may be read by any thread.</summary>
    public int Registered { get; private set; }

    /// <summary>Registrars that did not answer lately: what one account has found out, the others need not.</summary>
    public FailedServers Failed { get; } = new();

    public RegistrarFlows Registrars { get; } = new(context);

    public Instant? Deadline => Instant.Earlier(_deadlines.Next, Registrars.Deadline);

    public IReadOnlyList<AccountSnapshot> Snapshots => [.. _byName.Values.Select(a => a.Snapshot)];

    public void Add(Instant now, AccountOptions options)
    {
        var account = new Account(StartOf(now, _byName.Count), context, options);
        if (!_byName.TryAdd(options.Name, account)) throw new ArgumentException($"Two accounts are called {options.Name}.", nameof(options));

        _transactions.Add(account, []);
        Settle(account, before: null);
    }

    /// <summary>Whether a request comes from a server that accounts of ours are registered with, over their flow.</summary>
    public bool IsServer(FlowId flow, TransportAddress from) => _servers.ContainsKey((flow, from.WithPort(0)));

    /// <summary>The way that the calls of an account take; null while it is not registered, or where there is none of that name.</summary>
    public AccountRoute? RouteOf(string name) => _byName.TryGetValue(name, out var account) ? account.Route : null;

    /// <summary>Who we are in the calls of an account; null where there is none of that name.</summary>
    public CallIdentity? IdentityOf(string name) => _byName.TryGetValue(name, out var account) ? account.Identity : null;

    /// <summary>The account that an INVITE of a provider is for, by the user that it names; null where it is for none.</summary>
    public Account? FindCalled(FlowId flow, TransportAddress from, StoredSipMessage invite)
    {
        if (!IsServer(flow, from)) return null;

        var users = new[] { SipUri.TryParse(invite.RequestUri, out var target) ? target.User : "", invite.Uri(SipHeader.To)?.User ?? "" };
        var served = _byName.Values.Where(a => a.ServedBy is { } by && by.Flow == flow && by.Registrar == from.WithPort(0)).ToList();
        foreach (var user in users)
        {
            if (served.Find(a => a.Identity.User == user) is { } called) return called;
        }

        return served is [var only] ? only : null;
    }

    public void With(string name, Action<Account> input)
    {
        if (_byName.TryGetValue(name, out var account)) Run(account, input);
    }

    public void WithAll(Action<Account> input)
    {
        foreach (var account in _byName.Values) Run(account, input);
    }

    public void HandleFlow(Instant now, FlowId flow, FlowChange change)
    {
        var before = 0;
        WithAll(account => account.HandleFlow(now, flow, change, () => StartOf(now, before++)));
    }

    /// <summary>False where the response is to no request of an account.</summary>
    public bool TryHandleResponse(Instant now, TransactionEvent.Response response)
    {
        if (Registrars.TryHandleResponse(now, response, out var outcome))
        {
            Move(now, outcome.Moved);
            for (var i = 0; i < outcome.Forgotten.Count; i++) Run(outcome.Forgotten[i], account => account.HandleForgotten(now, StartOf(now, i)));
            foreach (var busy in outcome.Busy) Run(busy, account => account.HandleBusy(now, outcome.Wait));
            return true;
        }

        if (!_byTransaction.TryGetValue(response.Transaction, out var owner)) return false;

        Run(owner, account => account.HandleResponse(now, response));
        Move(now, Registrars.TakeMoved());
        return true;
    }

    /// <summary>False where the transaction that got no answer is of no account.</summary>
    public bool TryHandleNoResponse(Instant now, TransactionId transaction)
    {
        if (Registrars.TryHandleNoResponse(transaction, out var lost))
        {
            HandleLost(now, lost);
            return true;
        }

        if (!_byTransaction.TryGetValue(transaction, out var owner)) return false;

        Run(owner, account => account.HandleNoResponse(now, transaction));
        return true;
    }

    public void HandleTimeout(Instant now)
    {
        HandleLost(now, Registrars.HandleTimeout(now));
        while (_deadlines.TryTakeDue(now, out var account)) Run(account, a => a.HandleTimeout(now));
    }

    /// <summary>The network has changed, or was away.</summary>
    public void HandleNetworkChange(Instant now)
    {
        var before = 0;
        foreach (var account in _byName.Values) Run(account, a => a.HandleNetworkChange(now, StartOf(now, before++)));
    }

    private void Move(Instant now, IReadOnlyList<Account> moved)
    {
        for (var i = 0; i < moved.Count; i++) Run(moved[i], account => account.HandleMoved(StartOf(now, i)));
    }

    private void HandleLost(Instant now, IReadOnlyList<Account> lost)
    {
        for (var i = 0; i < lost.Count; i++) Run(lost[i], account => account.HandleKeepaliveLost(now, StartOf(now, i)));
    }

    private static Instant StartOf(Instant now, int before) => now + TimeSpan.FromSeconds((double)before / StartsPerSecond);

    private void Run(Account account, Action<Account> input)
    {
        var before = account.ServedBy;
        input(account);
        Settle(account, before);
    }

    private void Settle(Account account, (FlowId, TransportAddress)? before)
    {
        if (before != account.ServedBy)
        {
            Registered += (account.ServedBy is null ? 0 : 1) - (before is null ? 0 : 1);
            if (before is { } former && --_servers[former] == 0) _servers.Remove(former);
            if (account.ServedBy is { } served) _servers[served] = _servers.GetValueOrDefault(served) + 1;
        }

        if (account.TryTakeChange(out var snapshot)) context.AccountChanges.Enqueue(snapshot);

        var transactions = _transactions[account];
        foreach (var transaction in transactions) _byTransaction.Remove(transaction);
        transactions.Clear();
        transactions.AddRange(account.Transactions);
        foreach (var transaction in transactions) _byTransaction[transaction] = account;
        _deadlines.Set(account, account.Deadline);
    }
}
