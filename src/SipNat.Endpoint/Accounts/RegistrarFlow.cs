using SipNat.Sip.Messages;
using SipNat.Sip.Transactions;
using SipNat.Wire;

namespace SipNat.Endpoint.Accounts;

/// <summary>
/// Keeps the way to a registrar open for all accounts that use it, and finds out when it is not: a double line end at each
/// interval (RFC 5626 §4.4.1), and at least every 30 s an OPTIONS, because no line end over UDP is answered, and only
/// an answer shows that somebody is there and where we are seen.
/// </summary>
internal sealed class RegistrarFlow(SignallingContext context, FlowId flow, TransportAddress registrar)
{
    private readonly SortedDictionary<string, (Account Account, TimeSpan? FlowTimer)> _users = new(StringComparer.Ordinal);
    private Instant? _next;
    private Instant? _answerDue;
    private Instant _askedAt;

    public FlowId Flow { get; } = flow;

    public TransportAddress Registrar { get; } = registrar;

    /// <summary>The accounts that it serves, by name.</summary>
    public IReadOnlyList<Account> Users => [.. _users.Values.Select(u => u.Account)];

    public bool IsUsed => _users.Count > 0;

    public Instant? Deadline => Instant.Earlier(_next, _answerDue);

    /// <summary>The OPTIONS that waits for its answer; null where none does.</summary>
    public TransactionId? Transaction { get; private set; }

    /// <summary>Where the registrar saw us last; none before it said so.</summary>
    public TransportAddress Seen { get; private set; }

    /// <summary>Upper bound of the time between two packets: the shortest that any of its accounts has or was told.</summary>
    public TimeSpan Bound => _users.Values.Min(u => u.FlowTimer < u.Account.Options.Keepalive ? u.FlowTimer.Value : u.Account.Options.Keepalive);

    /// <summary>Takes in an account whose registration was just accepted, which is as good as an answer.</summary>
    /// <param name="flowTimer">How soon the registrar takes a silent flow for dead (RFC 5626 §5.4); null where it does not say.</param>
    /// <param name="seen">Where the registrar saw us; none where it does not say.</param>
    public void Join(Instant now, Account account, TimeSpan? flowTimer, TransportAddress seen)
    {
        _users[account.Options.Name] = (account, flowTimer);
        (Seen, _askedAt, Transaction, _answerDue) = (seen, now, null, null);
        if (_next is null || _next > now + Bound) Schedule(now);
    }

    public void Leave(Account account) => _users.Remove(account.Options.Name);

    /// <summary>Sends what is due; true where the last question was not answered in time.</summary>
    public bool HandleTimeout(Instant now)
    {
        if (_answerDue <= now) return true;
        if (!(_next <= now)) return false;

        if (Transaction is null && now + Bound > _askedAt + RegistrationPace.AnswerInterval) Ask(now);
        else context.Outbox.Add(Flow, Registrar, "\r\n\r\n"u8);
        Schedule(now);
        return false;
    }

    /// <summary>Takes the answer to its question; true where the registrar sees us elsewhere than before.</summary>
    public bool HandleAnswer(StoredSipMessage answer)
    {
        (Transaction, _answerDue) = (null, null);
        var seen = answer.SeenAt;
        if (seen.IsNone || seen == Seen) return false;

        Seen = seen;
        return true;
    }

    private void Ask(Instant now)
    {
        Transaction = context.Transactions.Request(now, Flow, Registrar, _users.Values.First().Account.CreateOptions());
        (_askedAt, _answerDue) = (now, now + RegistrationPace.KeepalivePatience);
    }

    private void Schedule(Instant now) => _next = now + RegistrationPace.Keepalive(Bound, context.Random);
}
