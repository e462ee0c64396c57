using SipNat.Endpoint.Calls;
using SipNat.Sip.Messages;
using SipNat.Sip.Transactions;
using SipNat.Wire;

namespace SipNat.Endpoint;

/// <summary>The calls of the process: those of its accounts, and those without one.</summary>
public sealed partial class SignallingCore
{
    private readonly CallList _calls = new();

    /// <summary>Calls that are not over.</summary>
    public int Calls => _calls.Count;

    /// <summary>
    /// What is taken of calls that come from the allowed networks and belong to no account; null has their INVITEs
    /// taken for recording sessions, or refused.
    /// </summary>
    public CallTerms? DirectCalls { get; set; }

    /// <summary>What is taken of the calls of accounts, by the account's name.</summary>
    public Func<string, CallTerms> AccountCalls { get; set; } = static _ => new();

    /// <summary>Takes a call after a change; the last snapshot of a call is complete.</summary>
    public bool TryTakeCall(out CallSnapshot snapshot) => _context.CallChanges.TryDequeue(out snapshot!);

    /// <summary>Places a call. Null where there are too many already, or no account of that name.</summary>
    public SessionId? PlaceCall(Instant now, CallRequest request)
    {
        Call? call = null;
        Run(now, () => call = Place(now, request));
        return call?.Id;
    }

    /// <summary>Accepts an incoming call; false where there is none to be decided on.</summary>
    public bool AcceptCall(Instant now, SessionId id) => WithCall(now, id, call => call.IsOffered, call => call.Accept(now));

    /// <summary>Refuses an incoming call; false where there is none to be decided on.</summary>
    /// <param name="status">480 where nobody is there, 486 where somebody is busy, 603 where nobody wants it; 400–699.</param>
    public bool RejectCall(Instant now, SessionId id, int status) => WithCall(now, id, call => call.IsOffered, call => call.Reject(now, status));

    /// <summary>Ends a call in whatever state; false where there is none.</summary>
    public bool HangUpCall(Instant now, SessionId id, string reason) => WithCall(now, id, static _ => true, call => call.HangUp(now, reason));

    /// <summary>Holds the other side, or resumes; false where there is no such call.</summary>
    public bool HoldCall(Instant now, SessionId id, bool isHeld) => WithCall(now, id, static _ => true, call => call.SetHeld(now, isHeld));

    /// <summary>Has the other side call somebody else; false where it cannot be asked now.</summary>
    /// <param name="replaced">A call of ours with that one, whose place is taken; null for a blind transfer.</param>
    public bool TransferCall(Instant now, SessionId id, SipUri target, SessionId? replaced)
    {
        Call? other = null;
        if (replaced is { } known && !_calls.TryGet(known, out other)) return false;

        var isAsked = false;
        return WithCall(now, id, static _ => true, call => isAsked = call.Transfer(now, target, other)) && isAsked;
    }

    /// <summary>Sends a digit by INFO; false where there is no such call.</summary>
    public bool SendCallDigit(Instant now, SessionId id, char digit)
    {
        var isSent = false;
        return WithCall(now, id, static _ => true, call => isSent = call.TrySendDigit(now, digit)) && isSent;
    }

    /// <summary>Ends every call.</summary>
    public void HangUpAll(Instant now, string reason) => Run(now, () =>
    {
        foreach (var call in _calls.All)
        {
            call.HangUp(now, reason);
            Settle(call);
        }
    });

    private bool WithCall(Instant now, SessionId id, Predicate<Call> condition, Action<Call> input)
    {
        var isDone = false;
        Run(now, () =>
        {
            if (!_calls.TryGet(id, out var call) || !condition(call)) return;

            input(call);
            Settle(call);
            isDone = true;
        });
        return isDone;
    }

    private Call? Place(Instant now, CallRequest request)
    {
        if (_calls.Count >= _context.Options.MaxCalls) return null;
        if ((request.Account is { } account ? _context.Accounts.Find(account)?.Identity : CallIdentity.Anonymous) is not { } identity) return null;

        var call = Call.Place(now, _context, identity, request);
        _calls.Add(call);
        Settle(call);
        return call;
    }

    private bool TryHandleCallRequest(Instant now, TransactionEvent.Request request)
    {
        if (_calls.Find(request.Message) is { } call)
        {
            call.HandleRequest(now, request);
            Settle(call);
            return true;
        }

        if (request.Message.Method is not SipMethod.Invite || request.Message.ToTag.Length > 0) return false;
        if (_context.Accounts.FindCalled(request.Flow, request.From, request.Message) is { Account: { } account } called)
        {
            return TryBeginCall(now, request, called, AccountCalls(account));
        }

        return DirectCalls is { } terms && _context.IsAllowed(request.From) && TryBeginCall(now, request, CallIdentity.Anonymous, terms);
    }

    private bool TryBeginCall(Instant now, TransactionEvent.Request request, CallIdentity identity, CallTerms terms)
    {
        if (!_context.Transactions.MayAnswer(now, request.From))
        {
            _context.Transactions.Dismiss(request.Transaction, null);
        }
        else if (_draining)
        {
            TurnAway(now, request, Draining);
        }
        else if (_calls.Count >= _context.Options.MaxCalls || WhyFull(now) is not null)
        {
            _context.Counters.Overloaded++;
            Dismiss(request, new(486));
        }
        else if (Call.TryBegin(now, _context, identity, terms, request, _calls.FindReplaced(request.Message), out var call, out var refusal))
        {
            _calls.Add(call);
            Settle(call);
        }
        else
        {
            _context.Tell(new SignallingNotice.Unrecordable(request.From, request.Message.CallId, $"{refusal.Status} {refusal.Reason}"));
            Dismiss(request, refusal);
        }

        return true;
    }

    // Whoever transfers, and whoever is replaced, is another call than the one that the input was for.
    private void Settle(Call call)
    {
        call.PublishChanges();
        _calls.Update(call);
    }

    private void HandleCallRelations(Instant now)
    {
        while (_context.CallReplacements.TryDequeue(out var replaced))
        {
            replaced.HangUp(now, "Another call took its place (RFC 3891).");
            Settle(replaced);
        }

        while (_context.Transfers.TryDequeue(out var transfer))
        {
            if (Place(now, transfer) is null) _context.Transferred.Enqueue((transfer.TransferOf!.Value, 503, "Service Unavailable"));
        }

        while (_context.Transferred.TryDequeue(out var outcome))
        {
            if (!_calls.TryGet(outcome.Parent, out var parent)) continue;

            parent.HandleTransferred(now, outcome.Status, outcome.Reason);
            Settle(parent);
        }
    }
}
