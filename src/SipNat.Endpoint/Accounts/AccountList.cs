using SipNat.Endpoint.Calls;
using SipNat.Endpoint.Dns;
using SipNat.Sip.Messages;
using SipNat.Sip.Transactions;
using SipNat.Wire;

namespace SipNat.Endpoint.Accounts;

/// <summary>The accounts of a signalling core and their registrations, found by name, flow, transaction and deadline.</summary>
internal sealed class AccountList(SignallingContext context)
{
    /// <summary>So many accounts a second begin at the start: a registrar that serves thousands of ours is not flooded.</summary>
    public const int StartsPerSecond = 50;

    private readonly SortedDictionary<string, AccountFlows> _byName = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Account> _byId = new(StringComparer.Ordinal);
    private readonly Dictionary<TransactionId, Account> _byTransaction = [];
    private readonly Dictionary<Account, List<TransactionId>> _transactions = [];
    private readonly DeadlineQueue<Account> _deadlines = new();

    private readonly AccountIndex<FlowId> _byFlow = new();
    private readonly AccountIndex<(FlowId, TransportAddress)> _byServer = new();
    private readonly AccountIndex<(TransportProtocol, TransportAddress)> _awaiting = new();

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
        var flows = new AccountFlows(StartOf(now, _byName.Count), context, options);
        if (!_byName.TryAdd(options.Name, flows)) throw new ArgumentException($"Two accounts are called {options.Name}.", nameof(options));

        foreach (var account in flows.All)
        {
            _byId.Add(account.Id, account);
            _transactions.Add(account, []);
            Settle(account);
        }
    }

    /// <summary>Whether a request comes from a server that accounts of ours are registered with, over their flow.</summary>
    public bool IsServer(FlowId flow, TransportAddress from) => _byServer.Has((flow, from.WithPort(0)));

    /// <summary>The ways that the calls of an account may take, the first one to be tried first; none while it is not registered, or where there is none of that name.</summary>
    public IEnumerable<AccountRoute> RoutesOf(string name) => _byName.TryGetValue(name, out var account) ? account.Routes : [];

    /// <summary>An account by its name; null where there is none.</summary>
    public AccountFlows? Find(string name) => _byName.GetValueOrDefault(name);

    /// <summary>The account that an INVITE of a provider is for, by the user that it names; null where it is for none.</summary>
    public CallIdentity? FindCalled(FlowId flow, TransportAddress from, StoredSipMessage invite)
    {
        var served = _byServer.Of((flow, from.WithPort(0)));
        if (served.Count == 0) return null;

        var users = new[] { SipUri.TryParse(invite.RequestUri, out var target) ? target.User : "", invite.Uri(SipHeader.To)?.User ?? "" };
        foreach (var user in users)
        {
            foreach (var account in served)
            {
                if (account.Flows.Identity.User == user) return account.Flows.Identity;
            }
        }

        // Several flows of one account may be with one server's ports.
        var only = served.First().Flows;
        return served.All(account => account.Flows == only) ? only.Identity : null;
    }

    public void With(Instant now, string id, Action<Account> input)
    {
        if (_byId.TryGetValue(id, out var account)) Run(now, account, input);
    }

    public void WithAll(Instant now, Action<Account> input)
    {
        foreach (var account in _byName.Values.SelectMany(static flows => flows.All)) Run(now, account, input);
    }

    /// <summary>Only those hear of it that are registered by that flow, or wait for one like it: connections come and go, and accounts are many.</summary>
    public void HandleFlow(Instant now, FlowId flow, FlowChange change)
    {
        var before = 0;
        IReadOnlyCollection<Account> concerned = change.Kind is FlowChangeKind.Closed
            ? _byFlow.Of(flow)
            : _awaiting.Of((change.Transport, change.Transport.IsReliable ? change.Remote : default));
        foreach (var account in concerned.ToList()) Run(now, account, a => a.HandleFlow(now, flow, change, () => StartOf(now, before++)));
    }

    /// <summary>False where the response is to no request of an account.</summary>
    public bool TryHandleResponse(Instant now, TransactionEvent.Response response)
    {
        if (Registrars.TryHandleResponse(now, response, out var outcome))
        {
            Move(now, outcome.Moved);
            for (var i = 0; i < outcome.Forgotten.Count; i++) Run(now, outcome.Forgotten[i], account => account.HandleForgotten(now, StartOf(now, i)));
            foreach (var busy in outcome.Busy) Run(now, busy, account => account.HandleBusy(now, outcome.Wait));
            return true;
        }

        if (!_byTransaction.TryGetValue(response.Transaction, out var owner)) return false;

        Run(now, owner, account => account.HandleResponse(now, response));
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

        Run(now, owner, account => account.HandleNoResponse(now, transaction));
        return true;
    }

    public void HandleTimeout(Instant now)
    {
        HandleLost(now, Registrars.HandleTimeout(now));
        while (_deadlines.TryTakeDue(now, out var account)) Run(now, account, a => a.HandleTimeout(now));
    }

    /// <summary>The network has changed, or was away.</summary>
    public void HandleNetworkChange(Instant now)
    {
        var before = 0;
        foreach (var account in _byName.Values.SelectMany(static flows => flows.All)) Run(now, account, a => a.HandleNetworkChange(now, StartOf(now, before++)));
    }

    private void Move(Instant now, IReadOnlyList<Account> moved)
    {
        for (var i = 0; i < moved.Count; i++) Run(now, moved[i], account => account.HandleMoved(StartOf(now, i)));
    }

    private void HandleLost(Instant now, IReadOnlyList<Account> lost)
    {
        for (var i = 0; i < lost.Count; i++) Run(now, lost[i], account => account.HandleKeepaliveLost(now, StartOf(now, i)));
    }

    private static Instant StartOf(Instant now, int before) => now + TimeSpan.FromSeconds((double)before / StartsPerSecond);

    private void Run(Instant now, Account account, Action<Account> input)
    {
        var flows = account.Flows;
        var wasRegistered = flows.IsRegistered;
        input(account);
        Settle(account);
        foreach (var ready in flows.Ready.ToList())
        {
            ready.Begin(now);
            Settle(ready);
        }

        Registered += (flows.IsRegistered ? 1 : 0) - (wasRegistered ? 1 : 0);
        if (flows.All.Aggregate(false, static (changed, one) => one.TakeChanged() | changed)) context.AccountChanges.Enqueue(flows.Snapshot);
    }

    private void Settle(Account account)
    {
        _byFlow.Set(account, account.ServedBy?.Flow);
        _byServer.Set(account, account.ServedBy);
        _awaiting.Set(account, account.Awaits);
        var transactions = _transactions[account];
        foreach (var transaction in transactions) _byTransaction.Remove(transaction);
        transactions.Clear();
        transactions.AddRange(account.Transactions);
        foreach (var transaction in transactions) _byTransaction[transaction] = account;
        _deadlines.Set(account, account.Deadline);
    }
}
