using SipNat.Endpoint.Sessions;
using SipNat.Sip.Digest;
using SipNat.Sip.Messages;
using SipNat.Sip.Sdp;
using SipNat.Sip.Transactions;
using SipNat.Wire;

namespace SipNat.Endpoint.Calls;

/// <summary>A call of ours that is refused, asked who we are, or sent elsewhere (RFC 3261 §8.1.3).</summary>
internal sealed partial class Call
{
    private void HandleRefusal(Instant now, TransactionEvent.Response response)
    {
        var (message, status) = (response.Message, response.Message.StatusCode);
        _invite = null;
        _forks.RemoveAll(f => f.AcceptedInvite is null);
        _dialog = null;
        if (_isCancelled || IsEnding)
        {
            SettleEnding();
            return;
        }

        _journal.Note(now, "refused", $"{status} {ReasonOf(message)}");
        switch (status)
        {
            case 401 or 407:
                HandleChallenge(now, response);
                break;
            case 422 when _timer.TryPropose(message.Headers(SipHeader.MinSE).FirstOrDefault()):
                SendInvite(now);
                break;
            case 488 or 415 or 606 when _terms.Srtp is not SrtpMode.Required && !_offersPlain && _sentOffer is { } offer && offer.Media.Any(m => m.HasCrypto):
                OfferPlain(now);
                break;
            case >= 300 and < 400:
                HandleRedirect(now, message);
                break;
            case 408 or 430 or 503 when NextRoute is { } route:
                GoOn(now, route, $"{_destination} answered {status} {ReasonOf(message)}");
                break;
            case 408 or 503 when _identity.Account is null && _place + 1 < _places.Count:
                State = CallState.Preparing;
                TryNextPlace(now, new CallFailure.Rejected(status, ReasonOf(message)));
                break;
            default:
                Fail(now, new CallFailure.Rejected(status, ReasonOf(message)));
                break;
        }
    }

    // Only of the account's own server, over its own way: the realm is the challenger's word and proves nothing, and who gets an
    // answer can use it elsewhere.
    private void HandleChallenge(Instant now, TransactionEvent.Response response)
    {
        var (message, status) = (response.Message, response.Message.StatusCode);
        if (_digest is null || response.Flow != _flow || !response.From.HasSameAddress(_destination) || ++_challenges > MaxChallenges)
        {
            Fail(now, new CallFailure.NotAuthorized(status, _digest is null ? "the call belongs to no account" : "the challenge is not that of the account's server"));
            return;
        }

        var defect = _digest.HandleChallenge(_sentInvite!, message.View);
        if (defect is DigestDefect.None) SendInvite(now);
        else Fail(now, new CallFailure.NotAuthorized(status, defect.Explain()));
    }

    private void OfferPlain(Instant now)
    {
        _offersPlain = true;
        _journal.Note(now, "offered-plain", "SRTP was refused; the call is offered without.");
        _offerAnswer = CreateOfferAnswer();
        _streams.ForgetKeys();
        SendInvite(now);
    }

    private void HandleRedirect(Instant now, StoredSipMessage message)
    {
        if (message.Uri(SipHeader.Contact) is not { Scheme: not SipUriScheme.Other } uri)
        {
            Fail(now, new CallFailure.Rejected(message.StatusCode, ReasonOf(message)));
            return;
        }

        // Who asked for security does not get less of it (RFC 5630 §4).
        var isLess = ContactText.IsSecured(_target) && !ContactText.IsSecured(uri);
        if (isLess || ++_redirects > MaxRedirects || !_context.MayCall(_identity, uri))
        {
            Fail(now, new CallFailure.RedirectRefused(uri.Text));
            return;
        }

        _target = uri;
        _journal.Note(now, "redirected", $"Sent on to {uri}.");
        if (_identity.Account is not null)
        {
            if (ContactText.IsSecured(uri) && !IsFlowEncrypted(_flow!.Value)) Fail(now, new CallFailure.Unsecured(uri.Text));
            else SendInvite(now);
            return;
        }

        (State, _flow, _patience) = (CallState.Preparing, null, now + LocatePatience);
        _context.Locates.Enqueue(new(Id.Value, uri, null));
    }

    private void HandleNoInviteResponse(Instant now, int status)
    {
        _invite = null;
        if (IsEnding)
        {
            SettleEnding();
            return;
        }

        (_status, _reason) = (status, SipStatus.Phrase(status));
        if (NextRoute is { } route)
        {
            GoOn(now, route, $"{_destination} does not answer");
            return;
        }

        var failure = new CallFailure.NoResponse(_destination);
        if (_identity.Account is null && _place + 1 < _places.Count)
        {
            State = CallState.Preparing;
            TryNextPlace(now, failure);
        }
        else
        {
            Fail(now, failure);
        }
    }
}
