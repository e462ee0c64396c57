using SipNat.Endpoint.Accounts;
using SipNat.Endpoint.Siprec;
using SipNat.Sip.Messages;
using SipNat.Sip.Transactions;
using SipNat.Wire;

namespace SipNat.Endpoint;

/// <summary>The accounts of the process: they are registered, and their providers' requests answered.</summary>
public sealed partial class SignallingCore
{
    /// <summary>How each account stands, by name.</summary>
    public IReadOnlyList<AccountSnapshot> Accounts => _context.Accounts.Snapshots;

    /// <summary>Accounts that are registered.</summary>
    public int AccountsRegistered => _context.Accounts.Registered;

    /// <summary>Begins to keep an account registered.</summary>
    /// <exception cref="ArgumentException">There is one of that name.</exception>
    public void AddAccount(Instant now, AccountOptions options) => Run(now, () => _context.Accounts.Add(now, options));

    /// <summary>Removes the bindings of all accounts; each tells when it is done, some seconds later at most.</summary>
    public void UnregisterAll(Instant now) => Run(now, () => _context.Accounts.WithAll(now, account => account.Unregister(now)));

    /// <summary>Takes a question for the DNS; <see cref="HandleLocated"/> is its answer.</summary>
    public bool TryTakeLocate(out LocateRequest request) => _context.Locates.TryDequeue(out request!);

    /// <summary>Takes how an account stands after a change.</summary>
    public bool TryTakeAccount(out AccountSnapshot snapshot) => _context.AccountChanges.TryDequeue(out snapshot!);

    /// <summary>What the DNS made of a <see cref="LocateRequest"/>: where to try, in this order; none where it knows nothing.</summary>
    /// <param name="asker">Who asked: an account, or a call.</param>
    /// <param name="lifetime">How long that holds; null where nothing had to be asked.</param>
    public void HandleLocated(Instant now, string asker, IReadOnlyList<SipTarget> targets, TimeSpan? lifetime = null)
    {
        if (!WithCall(now, new(asker), static _ => true, call => call.HandleLocated(now, targets)))
        {
            Run(now, () => _context.Accounts.With(now, asker, a => a.HandleLocated(now, targets, lifetime)));
        }
    }

    // A provider asks whether we are there, and tells of messages that wait: both want 200.
    private bool TryAnswerServer(Instant now, TransactionEvent.Request request)
    {
        SipResponse? answer = request.Message.Method switch
        {
            SipMethod.Options => new(200) { Headers = RecorderHeaders.Capabilities },
            SipMethod.Notify => new(200),
            SipMethod.Invite when !_context.IsAllowed(request.From) => new(404),
            _ => null,
        };
        if (answer is null) return false;

        // Whoever writes the provider's address as his own has it answered no more often than a stranger.
        _context.Transactions.Dismiss(request.Transaction, _context.Transactions.MayAnswer(now, request.From) ? answer : null);
        return true;
    }
}
