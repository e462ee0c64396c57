using SipNat.Endpoint.Diagnosis;
using SipNat.Endpoint.Sessions;
using SipNat.Sip.Digest;
using SipNat.Sip.Messages;
using SipNat.Sip.Sdp;
using SipNat.Sip.Transactions;
using SipNat.Wire;

namespace SipNat.Endpoint.Calls;

/// <summary>Requests of ours inside the dialog, and what comes of them.</summary>
internal sealed partial class Call
{
    private const int MostRepetitions = 4;
    private static readonly TimeSpan CorrectionRetry = TimeSpan.FromSeconds(10);
    private int _dialogChallenges;

    public void HandleResponse(Instant now, TransactionEvent.Response response)
    {
        var message = response.Message;
        if (response.Transaction == _invite)
        {
            HandleInviteResponse(now, response);
            return;
        }

        if (_givenUp.Contains(response.Transaction))
        {
            HandleGivenUp(now, response);
            return;
        }

        foreach (var dialog in AllDialogs.ToList())
        {
            if (dialog.Requests.Find(response.Transaction) is { } pending)
            {
                if (message.StatusCode >= 200) HandleFinal(now, dialog, pending, response);
                return;
            }

            if (dialog.AcceptedInvite is not { } accepted || accepted.Transaction != response.Transaction) continue;

            AcknowledgeAgain(now, dialog, accepted);
            return;
        }
    }

    // RFC 3261 §13.2.2.4. By the fourth repetition, after 7.5 s, so many ACKs are lost that it is no chance.
    private void AcknowledgeAgain(Instant now, CallDialog dialog, AcceptedInvite accepted)
    {
        dialog.SendAck(now, accepted);
        if (dialog.Repetitions != MostRepetitions) return;

        _journal.Find(now, FindingCode.AckLost, $"The other side has sent its 200 OK {MostRepetitions + 1} times: our ACK does not reach it. It goes to {dialog.Requests.Source}, for {dialog.Dialog.RemoteTarget}{(dialog.Dialog.RouteSet is [] ? "" : $" by {string.Join(", ", dialog.Dialog.RouteSet)}")}. It will hang up after 32 s.");
    }

    /// <summary>No answer came, or none can come.</summary>
    /// <param name="status">The status that RFC 3261 §8.1.3.1 puts in its place: 408, or 503 for a transport that failed.</param>
    public void HandleNoResponse(Instant now, TransactionId transaction, int status)
    {
        if (transaction == _invite)
        {
            HandleNoInviteResponse(now, status);
            return;
        }

        foreach (var dialog in AllDialogs.ToList())
        {
            if (dialog.Requests.Complete(now, transaction, foundNobody: true) is { } pending) HandleOutcome(now, dialog, pending, status, null);
        }

        if (_offer is not { } offer || offer.Transaction != transaction) return;

        _offer = null;
        if (_answeredAt is null) Close(now, "The connection of the INVITE was closed before its answer.", byPeer: true);
    }

    /// <summary>
    /// Tells the other side what has changed since it was told last, once the last exchange is over: hold, the address of
    /// the port or of our Contact that became known or is another one.
    /// </summary>
    public void TellPeer(Instant now)
    {
        if (State is not CallState.Established || IsNegotiating || _retryAt is not null) return;

        var isStale = _streams.HasStaleAddress(_context.Advisor, Peer, LastKnownAddress);
        if (isStale || _correctionDue || _told != _wanted || _toldRecord != RecordText)
        {
            OfferAgain(now, isStale);
        }
        else if (CurrentContact != _dialog!.Dialog.LocalContact)
        {
            _journal.Find(now, FindingCode.MappingChanged, $"The public address of SIP is another one than the other side was told; it is told {CurrentContact}.");
            if (!TryRefresh(now, RequestPurpose.Correct)) RetryCorrection(now + CorrectionRetry);
        }
    }

    /// <summary>Holds the other side, or resumes (RFC 3264 §8.4).</summary>
    public void SetHeld(Instant now, bool isHeld)
    {
        _wanted = isHeld ? SdpDirection.SendOnly : SdpDirection.SendRecv;
        _journal.Note(now, isHeld ? "hold" : "resume", isHeld ? "We hold the other side." : "We go on.");
        TellPeer(now);
    }

    private bool IsNegotiating => _offer is not null || _awaitedAck is not null || _dialog is not { } dialog
        || dialog.Requests.HasOffer || dialog.Requests.IsPending(RequestPurpose.Correct) || dialog.Requests.IsPending(RequestPurpose.Change);

    private void OfferAgain(Instant now, bool isStale)
    {
        var local = Advertise(Peer);
        if (isStale)
        {
            _journal.Find(now, FindingCode.MappingChanged, $"The public address of a media port is another one than the other side was told; it is told {string.Join(", ", local.Select(m => m.Rtp))}.");
            TellAddresses(now, Peer);
        }

        (_correctionDue, _told) = (false, _wanted);
        if (!TrySendOffer(now, isStale ? RequestPurpose.Correct : RequestPurpose.Change, _offerAnswer.Offer(local, _wanted))) RetryCorrection(now + CorrectionRetry);
    }

    private void RetryCorrection(Instant at) => (_retryAt, _correctionDue) = (at, true);

    private bool TryRefresh(Instant now, RequestPurpose purpose)
    {
        if (IsNegotiating) return true;
        if (!_dialog!.TakesUpdate && _offerAnswer.LocalDescription is { } description) return TrySendOffer(now, purpose, description);

        _dialog.Dialog.LocalContact = CurrentContact;
        var update = _dialog.Dialog.CreateRequest(SipMethod.Update);
        return Send(now, _dialog, purpose, update with { Headers = [.. update.Headers, .. RequestHeaders()] });
    }

    private bool TrySendOffer(Instant now, RequestPurpose purpose, SdpSession sdp)
    {
        _dialog!.Dialog.LocalContact = CurrentContact;
        var request = _dialog.Dialog.CreateRequest(_dialog.TakesUpdate ? SipMethod.Update : SipMethod.Invite);
        return Send(now, _dialog, purpose, request with
        {
            Headers = [.. request.Headers, .. RequestHeaders()],
            ContentType = SdpType,
            Body = SdpWriter.Write(sdp),
        });
    }

    private IEnumerable<SipHeaderField> RequestHeaders()
    {
        foreach (var header in CallHeaders.Capabilities) yield return header;
        if (_timer.RequestValue is { } value) yield return new(SipHeader.SessionExpires, value);
        if (_timer.MinimumValue is { } minimum) yield return new(SipHeader.MinSE, minimum);
    }

    private bool Send(Instant now, CallDialog dialog, RequestPurpose purpose, SipRequest request)
    {
        FollowAccount(dialog);
        if (_digest is { HasChallenge: true } digest && IsOwnServer(dialog.Requests.Flow, dialog.Requests.Source))
        {
            request = request with { Headers = [.. request.Headers, .. digest.Authorize(request.Method, request.Uri)] };
        }

        return dialog.Requests.TrySend(now, purpose, request, out var why) || NoteUnsent(now, request, why);
    }

    // A connection that broke was made anew by the registration: the call goes on over that one.
    private void FollowAccount(CallDialog dialog)
    {
        if (_identity.Account is not { } account || _context.Flows.TryGet(dialog.Requests.Flow, out _)) return;
        if (_context.Accounts.RoutesOf(account).FirstOrDefault() is not { } route) return;

        (dialog.Requests.Flow, dialog.Requests.Source, dialog.Requests.Transport) = (route.Flow, route.Registrar, TransportOf(route.Flow));
    }

    private bool NoteUnsent(Instant now, SipRequest request, string why)
    {
        _journal.Note(now, "request-not-sent", $"{request.Method.Name} could not be sent: {why}.");
        return false;
    }

    private void HandleFinal(Instant now, CallDialog dialog, PendingRequest pending, TransactionEvent.Response response)
    {
        var message = response.Message;
        dialog.Dialog.HandleResponse(message);
        if (pending.Request.Method is SipMethod.Invite && message.StatusCode < 300)
        {
            dialog.SendAck(now, new(response.Transaction, pending.Request.CSeq, AuthorizationOf(pending.Request), default));
        }

        if (dialog.Requests.Complete(now, response.Transaction, foundNobody: message.StatusCode is 408 or 503) is null) return;
        if (message.StatusCode is 401 or 407 && TryAuthorize(now, dialog, pending, response)) return;

        if (message.StatusCode < 300) _dialogChallenges = 0;
        HandleOutcome(now, dialog, pending, message.StatusCode, message);
    }

    // In a dialog that others began credentials are shown over the account's own way only: whoever answers our BYE with 407
    // from elsewhere gets nothing.
    private bool TryAuthorize(Instant now, CallDialog dialog, PendingRequest pending, TransactionEvent.Response response)
    {
        if (_digest is not { } digest || !IsOwnServer(response.Flow, response.From) || ++_dialogChallenges > MaxChallenges) return false;
        if (digest.HandleChallenge(pending.Request, response.Message.View) is not DigestDefect.None) return false;

        var again = dialog.Dialog.CreateRequest(pending.Request.Method);
        return Send(now, dialog, pending.Purpose, pending.Request with { CSeq = again.CSeq, Headers = [.. pending.Request.Headers.Except(AuthorizationOf(pending.Request))] });
    }

    // By the flow of its registration, or by the connection that we made to it for a large INVITE.
    private bool IsOwnServer(FlowId flow, TransportAddress from) =>
        _identity.Account is { } account && _context.Accounts.RoutesOf(account).Any(route => route.Registrar.HasSameAddress(from)
            && (route.Flow == flow || IsOurConnection(flow)));

    private bool IsOurConnection(FlowId id) => _context.Flows.TryGet(id, out var flow) && flow is { IsAccepted: false, Transport.IsReliable: true };

    private void HandleOutcome(Instant now, CallDialog dialog, PendingRequest pending, int status, StoredSipMessage? answer)
    {
        _changed = true;
        if (IsEnding)
        {
            SettleEnding();
            return;
        }

        if (dialog != _dialog || pending.Purpose is RequestPurpose.KeepOpen or RequestPurpose.Prack) return;
        if (pending.Purpose is RequestPurpose.Transfer)
        {
            HandleTransferAnswer(now, status);
            return;
        }

        var isUnanswered = answer is null or { StatusCode: 408 } && !pending.IsCancelled;
        if (status is 481 || (isUnanswered && pending.Purpose is RequestPurpose.Ask or RequestPurpose.Refresh))
        {
            // The dialog is gone, or nobody is there (RFC 3261 §12.2.1.2; RFC 4028 §10).
            var why = answer is null ? $"{pending.Request.Method.Name} to {pending.Destination} was not answered" : $"{pending.Request.Method.Name} was answered with {status}";
            _failure = new CallFailure.Lost(why);
            HangUp(now, $"The other side is gone: {why}.");
            return;
        }

        if (answer is { StatusCode: < 300 }) HandleAcceptedChange(now, pending, answer);
        else HandleRefusedChange(now, dialog, pending, status, answer);
        TellPeer(now);
    }

    private void HandleAcceptedChange(Instant now, PendingRequest pending, StoredSipMessage answer)
    {
        _dialog!.Note(answer);
        if (pending.Request.Method.RefreshesTarget) _timer.TakeAnswer(now, answer.Header(SipHeader.SessionExpires));
        if (!pending.HasOffer || _offerAnswer.LocalDescription is not { } offer || ReadSdp(answer) is not { } described) return;

        TakeAnswer(now, offer, described);
        Configure(now);
    }

    // Any answer means that the other side is there. What it does not take stays as it was.
    private void HandleRefusedChange(Instant now, CallDialog dialog, PendingRequest pending, int status, StoredSipMessage? answer)
    {
        var (method, purpose) = (pending.Request.Method, pending.Purpose);
        _journal.Note(now, "request-refused", $"Our {method.Name} {(answer is null ? "had no answer" : $"was answered with {status}")}.");
        switch (status)
        {
            case 491:
                // RFC 3261 §14.1: 2.1 to 4 s for who made the Call-ID, 0 to 2 s for the other, in steps of 10 ms.
                var steps = Direction is CallDirection.Outgoing ? _context.Random.Next(210, 400) : _context.Random.Next(1, 200);
                var until = now + TimeSpan.FromMilliseconds(10 * steps);
                if (purpose is RequestPurpose.Correct or RequestPurpose.Change) RetryCorrection(until);
                else _timer.Postpone(until);
                break;
            case 422 when _timer.TryRaise(answer?.Headers(SipHeader.MinSE).FirstOrDefault()):
                TryRefresh(now, purpose);
                break;
            case 405 or 501 when method is SipMethod.Update:
                dialog.NoUpdates();
                if (purpose is RequestPurpose.Correct or RequestPurpose.Change) _correctionDue = true;
                else TryRefresh(now, purpose);
                break;
            // The connection that it was sent by is gone: another one is made at once. One that cannot be made is tried again later.
            case var _ when answer is null && purpose is RequestPurpose.Correct or RequestPurpose.Change && pending.Flow != default && !_context.Flows.TryGet(pending.Flow, out var _):
                _correctionDue = true;
                break;
            default:
                if (purpose is RequestPurpose.Correct && answer is null) RetryCorrection(now + CorrectionRetry);
                // Whoever takes no other address from us is not asked to again, whatever is missing.
                _hasRefusedAddress |= purpose is RequestPurpose.Correct && answer is { StatusCode: 403 or 415 or 488 or >= 600 };
                break;
        }
    }

    private bool TrySendOptions(Instant now, RequestPurpose purpose)
    {
        var options = _dialog!.Dialog.CreateRequest(SipMethod.Options);
        return Send(now, _dialog, purpose, options with { Headers = [.. options.Headers, .. CallHeaders.Capabilities] });
    }
}
