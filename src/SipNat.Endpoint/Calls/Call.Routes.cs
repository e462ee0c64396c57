using SipNat.Sip.Transactions;
using SipNat.Wire;

namespace SipNat.Endpoint.Calls;

/// <summary>The ways of a call of an account that has several flows (RFC 5626): where one of them fails before anybody is there, the call goes on by another.</summary>
internal sealed partial class Call
{
    private readonly List<AccountRoute> _tried = [];
    private readonly List<TransactionId> _givenUp = [];
    private IReadOnlyList<string> _routes = [];

    // Not after an answer: that way works, or a dialog hangs on it.
    private AccountRoute? NextRoute => _identity.Account is not { } account || IsEnding || _isCancelled || _forks.Count > 0 ? null
        : _context.Accounts.RoutesOf(account).FirstOrDefault(route => !_tried.Exists(tried => tried.Flow == route.Flow && tried.Registrar == route.Registrar));

    private void Take(Instant now, AccountRoute route)
    {
        _tried.Add(route);
        _routes = route.Routes;
        Prepare(now, route.Flow, route.Registrar);
    }

    private void GoOn(Instant now, AccountRoute route, string why)
    {
        _journal.Note(now, "other-flow", $"{why}; the call goes on by {route.Registrar}.");
        // The same request once more (RFC 3263 §4.3): whoever gets both knows it by its CSeq.
        _sequence--;
        State = CallState.Preparing;
        Take(now, route);
    }

    // A transaction ends by itself after 32 s; by then nobody waits at the other end of the line. It is cancelled, as its answers
    // may be all that was lost.
    private void GiveUpRoute(Instant now)
    {
        if (_invite is not { } invite || NextRoute is not { } route) return;

        _context.Transactions.Cancel(now, invite);
        _givenUp.Add(invite);
        _invite = null;
        GoOn(now, route, $"{_destination} does not answer");
    }

    // An INVITE that was given up, and was accepted all the same.
    private void HandleGivenUp(Instant now, TransactionEvent.Response response)
    {
        var message = response.Message;
        if (message.StatusCode is < 200 or >= 300 || FindFork(message, create: true) is not { } fork) return;

        if (fork.AcceptedInvite is { } accepted)
        {
            fork.SendAck(now, accepted);
            return;
        }

        var dialog = Confirm(fork, message, response);
        dialog.Requests.Source = response.From;
        dialog.SendAck(now, new(response.Transaction, message.CSeqNumber, AuthorizationOf(_sentInvite!), default));
        SendBye(now, dialog);
    }
}
