using SipNat.Sip.Messages;
using SipNat.Sip.Transactions;
using SipNat.Wire;

namespace SipNat.Endpoint.Accounts;

/// <summary>
/// Keeps the way to a registrar open for all accounts that use it, and finds out when it is not: a double line end at each
/// interval, or over UDP a STUN request to whoever has said that he takes them (RFC 5626 §4.4, RFC 6223), and at least every 25 s a question, because no line end over UDP is answered, and only an
/// answer shows that somebody is there, where we are seen, and that we are known. The account that registered longest ago
/// asks for all of them: whoever still knows that one has forgotten none that came later.
/// </summary>
internal sealed class RegistrarFlow(SignallingContext context, FlowId flow, TransportAddress registrar)
{
    private readonly SortedDictionary<string, User> _users = new(StringComparer.Ordinal);
    private Instant? _next;
    private Instant? _answerDue;
    private Instant _askedAt;
    private Account? _asker;
    private int _missing;

    public FlowId Flow { get; } = flow;

    public TransportAddress Registrar { get; } = registrar;

    /// <summary>The accounts that it serves, by name.</summary>
    public IReadOnlyList<Account> Users => [.. _users.Values.Select(u => u.Account)];

    public bool IsUsed => _users.Count > 0;

    public Instant? Deadline => Instant.Earlier(_next, _answerDue);

    /// <summary>The question that waits for its answer; null where none does.</summary>
    public TransactionId? Transaction { get; private set; }

    /// <summary>Where the registrar saw us last; none before it said so.</summary>
    public TransportAddress Seen { get; private set; }

    /// <summary>Upper bound of the time between two packets: the shortest that any of its accounts has or was told.</summary>
    public TimeSpan Bound => _users.Values.Min(u => u.Terms.Limit(u.Account.Options.Keepalive));

    private TimeSpan Interval => Bound < RegistrationPace.AnswerInterval ? Bound : RegistrationPace.AnswerInterval;

    /// <summary>Takes in an account whose registration was just accepted, which is as good as an answer.</summary>
    /// <param name="terms">What the registrar said of keepalives.</param>
    /// <param name="seen">Where the registrar saw us; none where it does not say.</param>
    /// <returns>Accounts that were seen elsewhere when they registered.</returns>
    public IReadOnlyList<Account> Join(Instant now, Account account, KeepaliveTerms terms, TransportAddress seen)
    {
        IReadOnlyList<Account> moved = Seen.IsNone || seen.IsNone || seen == Seen ? [] : [.. Users.Where(user => user != account)];
        _users[account.Id] = new(account, terms, now);
        if (_users.Count == 1) _askedAt = now;
        (Seen, Transaction, _answerDue) = (seen, null, null);
        if (_next is null || _next > now + Interval) Schedule(now);
        return moved;
    }

    public void Leave(Account account)
    {
        _users.Remove(account.Id);
        if (_asker == account) _asker = null;
    }

    /// <summary>Sends what is due; true where the last question was not answered in time.</summary>
    public bool HandleTimeout(Instant now)
    {
        if (_answerDue <= now) return true;
        if (!(_next <= now)) return false;

        var isAsked = Transaction is null && now + Interval > _askedAt + RegistrationPace.AnswerInterval;
        // A question is as good a packet as any, but to whoever was promised others.
        var isPromised = _users.Values.Any(static user => user.Terms.TakesKeepalives);
        if (isAsked) Ask(now);
        if (isPromised || !isAsked) context.Flows.SendKeepalive(Flow, Registrar, isPromised);
        Schedule(now);
        return false;
    }

    /// <summary>Takes the answer to its question.</summary>
    public KeepaliveOutcome HandleAnswer(Instant now, StoredSipMessage answer)
    {
        (Transaction, _answerDue) = (null, null);
        var verdict = _asker?.HandleQuestionAnswered(answer) ?? KeepaliveVerdict.Alive;
        var seen = answer.SeenAt;
        if (!seen.IsNone && seen != Seen)
        {
            (Seen, _missing) = (seen, 0);
            return new() { Moved = Users };
        }

        switch (verdict)
        {
            case KeepaliveVerdict.Challenged:
                Send(now, _asker!.RepeatQuestion());
                return new();
            case KeepaliveVerdict.Missing:
                return new() { Forgotten = Miss(now, _asker!) };
            case KeepaliveVerdict.Busy:
                return new() { Busy = Users, Wait = RetryAfter.TryRead(answer.View, out var retry) ? retry.Delay : null };
            default:
                _missing = 0;
                return new();
        }
    }

    // One binding may have been removed by whoever may do so; two in a row are all of them.
    private IReadOnlyList<Account> Miss(Instant now, Account asker)
    {
        _users[asker.Id] = _users[asker.Id] with { Since = now };
        if (++_missing > 1)
        {
            _missing = 0;
            return Users;
        }

        if (_users.Count > 1) Ask(now);
        return [asker];
    }

    private void Ask(Instant now)
    {
        var oldest = _users.Values.OrderBy(static user => user.Account.IsListed ? 0 : 1).ThenBy(static user => user.Since).First();
        (_asker, _askedAt) = (oldest.Account, now);
        Send(now, _asker.CreateQuestion(now));
    }

    private void Send(Instant now, SipRequest question)
    {
        Transaction = context.Transactions.Request(now, Flow, Registrar, question);
        _answerDue = now + RegistrationPace.KeepalivePatience;
    }

    private void Schedule(Instant now) => _next = now + RegistrationPace.Keepalive(Interval, context.Random);

    private sealed record User(Account Account, KeepaliveTerms Terms, Instant Since);
}

/// <summary>What a registrar has said of the keepalives that it takes.</summary>
/// <param name="FlowTimer">A flow that was silent for so long is taken for dead (RFC 5626 §5.4); null where it does not say.</param>
/// <param name="Keep">The interval that the next hop wishes (RFC 6223 §4.1); zero where it has none, null where it takes no keepalives.</param>
/// <param name="IsOutbound">Whether it has made the registration a flow (RFC 5626 §6), which is kept open by STUN over UDP.</param>
internal readonly record struct KeepaliveTerms(TimeSpan? FlowTimer, TimeSpan? Keep, bool IsOutbound)
{
    public bool TakesKeepalives => Keep is not null || IsOutbound;

    /// <summary>The shortest of the bounds.</summary>
    public TimeSpan Limit(TimeSpan bound)
    {
        if (FlowTimer < bound) bound = FlowTimer.Value;
        return Keep is { Ticks: > 0 } keep && keep < bound ? keep : bound;
    }
}

/// <summary>What an answer to a keepalive means for the accounts of a way.</summary>
internal readonly record struct KeepaliveOutcome()
{
    /// <summary>Accounts that the registrar sees elsewhere than before.</summary>
    public IReadOnlyList<Account> Moved { get; init; } = [];

    /// <summary>Accounts that the registrar has forgotten.</summary>
    public IReadOnlyList<Account> Forgotten { get; init; } = [];

    /// <summary>Accounts whose registrar takes nothing for now.</summary>
    public IReadOnlyList<Account> Busy { get; init; } = [];

    /// <summary>How long it wants to be left alone; null where it does not say.</summary>
    public TimeSpan? Wait { get; init; }
}
