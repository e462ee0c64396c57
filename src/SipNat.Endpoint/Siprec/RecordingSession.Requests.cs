using SipNat.Endpoint.Diagnosis;
using SipNat.Endpoint.Sessions;
using SipNat.Sip.Messages;
using SipNat.Sip.Sdp;
using SipNat.Sip.Transactions;
using SipNat.Wire;

namespace SipNat.Endpoint.Siprec;

/// <summary>Requests of ours in the dialog, and what comes of them.</summary>
internal sealed partial class RecordingSession
{
    private const int NotFound = 481;
    private const int RequestTimeout = 408;
    private const int IntervalTooSmall = 422;
    private const int RequestPending = 491;
    private const int ServiceUnavailable = 503;
    private static readonly TimeSpan CorrectionRetry = TimeSpan.FromSeconds(10);

    public void HandleResponse(Instant now, TransactionEvent.Response response)
    {
        var message = response.Message;
        if (message.StatusCode < 200) return;

        if (_requests.Find(response.Transaction) is not { } pending)
        {
            if (_acceptedInvite is { } accepted && accepted.Transaction == response.Transaction) Acknowledge(now, response.Flow, accepted);
            return;
        }

        if (message.StatusCode is not (NotFound or RequestTimeout)) _heardAt = now;
        Dialog.HandleResponse(message);
        if (pending.Request.Method is SipMethod.Invite && message.StatusCode < 300)
        {
            _acceptedInvite = new(response.Transaction, pending.Destination, pending.Request.CSeq);
            Acknowledge(now, response.Flow, _acceptedInvite);
        }

        // 408 and 503 also come from proxies that found nobody.
        if (_requests.Complete(now, response.Transaction, foundNobody: message.StatusCode is RequestTimeout or ServiceUnavailable) is not null)
        {
            HandleOutcome(now, pending, message.StatusCode, message);
        }
    }

    /// <summary>No answer came, or none can come.</summary>
    /// <param name="status">The status that RFC 3261 §8.1.3.1 puts in its place: 408, or 503 for a transport that failed.</param>
    public void HandleNoResponse(Instant now, TransactionId transaction, int status)
    {
        if (_requests.Complete(now, transaction, foundNobody: true) is { } pending) HandleOutcome(now, pending, status, null);
        if (_offer is not { } offer || offer.Transaction != transaction) return;

        _offer = null;
        if (_state is SessionState.Opening) Close(now, "The connection of the INVITE was closed before its answer.");
    }

    /// <summary>A flow was opened or refused that a request of ours may wait for.</summary>
    public void HandleFlow(Instant now, FlowId flow, FlowChange change)
    {
        if (!_requests.IsConnecting) return;

        foreach (var unsent in _requests.HandleFlow(now, flow, change)) HandleOutcome(now, unsent, ServiceUnavailable, null);
    }

    private void Acknowledge(Instant now, FlowId flow, AcceptedInvite invite) =>
        _context.Transactions.SendAck(now, flow, invite.Destination, Dialog.CreateAck(invite.CSeq));

    private void HandleOutcome(Instant now, PendingRequest pending, int status, StoredSipMessage? answer)
    {
        if (IsEnding)
        {
            SettleClosing();
            return;
        }

        if (pending.Purpose is RequestPurpose.KeepOpen) return;

        var isUnanswered = answer is null or { StatusCode: RequestTimeout } && !pending.IsCancelled;
        if (status is NotFound || (isUnanswered && pending.Purpose is not (RequestPurpose.Correct or RequestPurpose.Snapshot)))
        {
            Lose(now, pending, status, answer);
            return;
        }

        if (answer is { StatusCode: < 300 }) HandleAccepted(now, pending, answer);
        else HandleRefused(now, pending, status, answer);
        TellPeer(now);
    }

    // The dialog is gone, or nobody is there (RFC 3261 §12.2.1.2; RFC 4028 §10).
    private void Lose(Instant now, PendingRequest pending, int status, StoredSipMessage? answer)
    {
        _journal.Find(now, FindingCode.SessionLost, $"The peer was asked with {pending.Request.Method.Name} at {pending.Destination} and {(answer is null ? "did not answer" : $"answered {status}")}.");
        EndNow(now, answer is null ? "The peer no longer answers." : $"The peer no longer knows the session ({status}).", peerIsGone: true);
    }

    private void HandleAccepted(Instant now, PendingRequest pending, StoredSipMessage answer)
    {
        NotePeer(answer);
        if (pending.Request.Method.RefreshesTarget) _timer.TakeAnswer(now, answer.Header(SipHeader.SessionExpires));
        if (!pending.HasOffer || _offerAnswer.LocalDescription is not { } offer || MultipartReader.Read(answer).Sdp is not { } sdp) return;
        if (!SdpReader.TryRead(sdp.Span, out var described, out _)) return;

        _streams.Apply(_offerAnswer.ReviewAnswer(offer, described!, WantedDirection(_isToldPaused)), _context.Options.UsesIce);
        Configure(now);
    }

    // Any answer means that the peer is there. A correction that it does not take costs no audio that still comes.
    private void HandleRefused(Instant now, PendingRequest pending, int status, StoredSipMessage? answer)
    {
        var (method, purpose) = (pending.Request.Method, pending.Purpose);
        _journal.Note(now, "request-refused", $"Our {method.Name} {(answer is null ? "had no answer" : $"was answered with {status}")}.");
        switch (status)
        {
            case RequestPending:
                // RFC 3261 §14.1: who did not make the Call-ID waits up to 2 s, in steps of 10 ms.
                var until = now + TimeSpan.FromMilliseconds(10 * _context.Random.Next(1, 200));
                if (purpose is RequestPurpose.Correct) RetryCorrection(until);
                else if (purpose is RequestPurpose.Snapshot) (_retryAt, _snapshotIsWanted) = (until, true);
                else _timer.Postpone(until);
                break;
            case IntervalTooSmall when _timer.TryRaise(answer?.Headers(MinSe).FirstOrDefault()):
                TryRefresh(now, purpose);
                break;
            case 405 or 501 when method is SipMethod.Update:
                _peerTakesUpdate = false;
                if (purpose is RequestPurpose.Correct) _correctionDue = true;
                else if (purpose is RequestPurpose.Snapshot) _snapshotIsWanted = true;
                else TryRefresh(now, purpose);
                break;
        }
    }

    /// <summary>
    /// Tells the peer what has changed since it was told last, once the last exchange is over: the address of a port or of
    /// our Contact that became known or is another one, a pause, and that a whole document of metadata is wanted.
    /// </summary>
    public void TellPeer(Instant now)
    {
        if (_state is not SessionState.Confirmed || IsNegotiating || _retryAt is not null) return;

        var isStale = _streams.HasStaleAddress(_context.Advisor, Source, LastKnownAddress);
        if (isStale || _correctionDue || _isToldPaused != _isPaused)
        {
            OfferAgain(now, isStale);
        }
        else if (CurrentContact != Dialog.LocalContact)
        {
            _journal.Find(now, FindingCode.MappingChanged, $"The public address of SIP is another one than the answer said; the peer is told {CurrentContact}.");
            if (!TryRefresh(now, RequestPurpose.Correct)) RetryCorrection(now + CorrectionRetry);
        }
        else if (_snapshotIsWanted)
        {
            RequestSnapshot(now);
        }
    }

    private void OfferAgain(Instant now, bool isStale)
    {
        var local = _streams.Advertise(_context.Advisor, Source, LastKnownAddress);
        if (isStale)
        {
            _journal.Find(now, FindingCode.MappingChanged, $"The public address of a media port is another one than the answer said; the peer is told {string.Join(", ", local.Select(m => m.Rtp))}.");
            TellAddresses(now);
        }

        (_correctionDue, _isToldPaused) = (false, _isPaused);
        if (!TrySendOffer(now, RequestPurpose.Correct, _offerAnswer.Offer(local, WantedDirection(_isPaused)))) RetryCorrection(now + CorrectionRetry);
    }

    private bool IsNegotiating => _offer is not null || _awaitedAck is not null || _requests.HasOffer || _requests.IsPending(RequestPurpose.Correct);

    private void RetryCorrection(Instant at) => (_retryAt, _correctionDue) = (at, true);

    // An UPDATE refreshes without an offer; a re-INVITE repeats the last description (RFC 4028 §7.4). What is under way
    // already does as well.
    private bool TryRefresh(Instant now, RequestPurpose purpose)
    {
        if (IsNegotiating) return true;
        if (!_peerTakesUpdate && _offerAnswer.LocalDescription is { } description) return TrySendOffer(now, purpose, description);

        Dialog.LocalContact = CurrentContact;
        var update = Dialog.CreateRequest(SipMethod.Update);
        return _requests.TrySend(now, purpose, update with { Headers = [.. update.Headers, .. RequestHeaders()] }, out _);
    }

    private bool TrySendOffer(Instant now, RequestPurpose purpose, SdpSession sdp)
    {
        Dialog.LocalContact = CurrentContact;
        var request = Dialog.CreateRequest(_peerTakesUpdate ? SipMethod.Update : SipMethod.Invite);
        return _requests.TrySend(now, purpose, request with
        {
            Headers = [.. request.Headers, .. RequestHeaders()],
            ContentType = SdpType,
            Body = SdpWriter.Write(sdp),
        }, out _);
    }

    private bool TrySendOptions(Instant now, RequestPurpose purpose)
    {
        var options = Dialog.CreateRequest(SipMethod.Options);
        return _requests.TrySend(now, purpose, options with { Headers = [.. options.Headers, .. RecorderHeaders.Capabilities] }, out _);
    }

    // A connection that is closed leaves the last one.
    private string CurrentContact => ContactFor(_context, Flow, Source, _wantsSecured) ?? Dialog.LocalContact;

    private IEnumerable<SipHeaderField> RequestHeaders()
    {
        foreach (var header in RecorderHeaders.Capabilities) yield return header;
        if (_timer.RequestValue is { } value) yield return new(SipHeader.SessionExpires, value);
        if (_timer.MinimumValue is { } minimum) yield return new(MinSe, minimum);
    }
}
