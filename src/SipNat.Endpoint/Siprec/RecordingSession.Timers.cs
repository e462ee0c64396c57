using SipNat.Endpoint.Diagnosis;
using SipNat.Sip.Messages;
using SipNat.Sip.Sdp;
using SipNat.Sip.Transactions;
using SipNat.Wire;

namespace SipNat.Endpoint.Siprec;

/// <summary>What a recording session does without being asked: keepalive, refresh, and asking a silent peer.</summary>
internal sealed partial class RecordingSession
{
    private const int RequestTimeout = 408;
    private const int RequestPending = 491;
    private const int ServiceUnavailable = 503;

    /// <summary>When <see cref="HandleTimeout"/> wants to run next.</summary>
    public Instant? Deadline
    {
        get
        {
            if (_state is SessionState.Over) return null;
            if (_state is SessionState.Closing) return _closingUntil;

            var deadline = Instant.Earlier(_keepaliveAt, _retryAt);
            if (_offer is not null && _streams is { ArePortsKnown: true, HasPorts: true }) deadline = Instant.Earlier(deadline, MappingDeadline);
            if (_state is not SessionState.Confirmed) return deadline;

            return Instant.Earlier(Instant.Earlier(deadline, _timer.Deadline), SilenceDeadline);
        }
    }

    // Only a stream that should be sending can be missed; a peer that is being asked is not asked again.
    private Instant? SilenceDeadline =>
        _requests.IsPending(RequestPurpose.Ask) || !_streams.All.Any(s => s.ShouldSend) ? null : _heardAt + _context.Options.SilenceTimeout;

    public void HandleTimeout(Instant now)
    {
        if (_state is SessionState.Closing)
        {
            if (_closingUntil <= now) GiveUpClosing(now);
            return;
        }

        TryAnswer(now);
        if (_keepaliveAt <= now) SendKeepalive(now);
        if (_retryAt <= now)
        {
            _retryAt = null;
            CorrectAddresses(now);
        }

        if (_state is not SessionState.Confirmed) return;
        if (_timer.Deadline <= now) HandleTimerDue(now);
        if (!IsEnding && SilenceDeadline <= now) Ask(now);
    }

    public void HandleResponse(Instant now, TransactionEvent.Response response)
    {
        var message = response.Message;
        if (_requests.Find(response.Transaction) is not { } pending || message.StatusCode < 200) return;

        _heardAt = now;
        var isInvite = pending.Request.Method is SipMethod.Invite;
        if (isInvite && message.StatusCode < 300)
        {
            _context.Transactions.SendAck(now, response.Flow, pending.Destination, Dialog.CreateAck(pending.Request.CSeq));
        }

        // 408 and 503 also come from proxies that found nobody.
        if (_requests.Complete(now, response.Transaction, foundNobody: message.StatusCode is RequestTimeout or ServiceUnavailable) is not null)
        {
            Dialog.HandleResponse(message);
            HandleOutcome(now, pending, message.StatusCode, message);
        }
    }

    /// <summary>No answer came, or none can come.</summary>
    /// <param name="status">The status that RFC 3261 §8.1.3.1 puts in its place: 408, or 503 for a transport that failed.</param>
    public void HandleNoResponse(Instant now, TransactionId transaction, int status)
    {
        if (_requests.Complete(now, transaction, foundNobody: true) is { } pending) HandleOutcome(now, pending, status, null);
    }

    /// <summary>A flow was opened or refused that a request of ours may wait for.</summary>
    public void HandleFlow(Instant now, FlowId flow, FlowChange change)
    {
        if (!_requests.IsConnecting) return;

        foreach (var unsent in _requests.HandleFlow(now, flow, change)) HandleOutcome(now, unsent, ServiceUnavailable, null);
    }

    private void HandleOutcome(Instant now, PendingRequest pending, int status, StoredSipMessage? answer)
    {
        if (pending.Purpose is RequestPurpose.End)
        {
            _journal.Note(now, "bye-answered", $"Our BYE was answered with {status}.");
            SettleClosing();
            return;
        }

        if (IsEnding)
        {
            SettleClosing();
            return;
        }

        // The dialog is gone, or nobody is there (RFC 3261 §12.2.1.2; RFC 4028 §10).
        if (answer is null || status is RequestTimeout or 481)
        {
            _journal.Find(now, FindingCode.SessionLost, $"The peer was asked with {pending.Request.Method.Name} at {pending.Destination} and {(answer is null ? "did not answer" : $"answered {status}")}.");
            EndNow(now, answer is null ? "The peer no longer answers." : $"The peer no longer knows the session ({status}).");
            return;
        }

        HandleAnswerOf(now, pending, status, answer);
    }

    private void HandleAnswerOf(Instant now, PendingRequest pending, int status, StoredSipMessage answer)
    {
        if (status is >= 200 and < 300)
        {
            if (pending.Purpose is RequestPurpose.Refresh && _timer.IsRunning) _timer.Restart(now);
            if (pending.Request.Body.Length > 0) TakeAnswerToOurs(now, answer);
            return;
        }

        // RFC 3261 §14.1: who did not make the Call-ID waits up to 2 s, in steps of 10 ms.
        if (status is RequestPending) _retryAt = now + TimeSpan.FromMilliseconds(10 * _context.Random.Next(0, 200));
    }

    private void TakeAnswerToOurs(Instant now, StoredSipMessage answer)
    {
        if (_offerAnswer.LocalDescription is not { } offer || ReadBody(answer).Sdp is not { } sdp) return;
        if (!SdpReader.TryRead(sdp.Span, out var described, out _)) return;

        _streams.Apply(now, _offerAnswer.ReviewAnswer(offer, described!));
        Configure(now);
    }

    private void HandleTimerDue(Instant now)
    {
        if (!_timer.WeRefresh)
        {
            _journal.Find(now, FindingCode.SessionLost, "The peer undertook to refresh the session (RFC 4028) and did not.");
            EndNow(now, "The session was not refreshed.");
            return;
        }

        _timer.Postpone(now);
        SendRefresh(now, RequestPurpose.Refresh);
    }

    private void Ask(Instant now)
    {
        _journal.Note(now, "silence", $"Nothing was heard for {_context.Options.SilenceTimeout.TotalSeconds:F0} s; the peer is asked.");
        _heardAt = now;
        if (_timer.IsRunning && _peerTakesUpdate)
        {
            SendRefresh(now, RequestPurpose.Ask);
            return;
        }

        var options = Dialog.CreateRequest(SipMethod.Options);
        if (!_requests.TrySend(now, RequestPurpose.Ask, options with { Headers = [.. options.Headers, .. RecorderHeaders.Capabilities] }, out var why))
        {
            EndNow(now, $"Nothing was heard, and there is no way to ask the peer: {why}.");
        }
    }

    // An UPDATE refreshes without an offer; a re-INVITE repeats the last description (RFC 4028 §7.4).
    private void SendRefresh(Instant now, RequestPurpose purpose)
    {
        if (_offer is not null || _awaitedAck is not null || _requests.HasOffer) return;

        if (!_peerTakesUpdate && _offerAnswer.LocalDescription is { } description)
        {
            TrySendOffer(now, purpose, description);
            return;
        }

        var update = Dialog.CreateRequest(SipMethod.Update);
        _requests.TrySend(now, purpose, update with { Headers = [.. update.Headers, .. RefreshHeaders()] }, out _);
    }

    // The roles are those of this request: we send it, so "uac" is us (RFC 4028 §7.4).
    private IEnumerable<SipHeaderField> RefreshHeaders()
    {
        foreach (var header in RecorderHeaders.Capabilities) yield return header;
        if (_timer.HeaderValue is { } value) yield return new(SipHeader.SessionExpires, SwapRoles(value));
    }

    private static string SwapRoles(string value) => value.EndsWith("uas", StringComparison.Ordinal)
        ? $"{value[..^3]}uac"
        : $"{value[..^3]}uas";

    // Two line ends keep the mapping of a peer behind a NAT, or of ours, open towards each other (RFC 5626 §4.4.1).
    private void SendKeepalive(Instant now)
    {
        ScheduleKeepalive(now);
        if (_context.Flows.TryGet(Flow, out _)) _context.Outbox.Add(Flow, Source, "\r\n\r\n"u8);
    }

    private void ScheduleKeepalive(Instant now) =>
        _keepaliveAt = IsLocalPeer ? null : now + (_context.Options.Keepalive * (0.8 + (0.2 * _context.Random.NextDouble())));

    private void GiveUpClosing(Instant now)
    {
        // Only an answer to a BYE or an ACK may still be missing: it is not waited for beyond its transaction's end.
        if (_mediaIsOpen)
        {
            _journal.Note(now, "media-not-closed", "The media plane did not report the end of the session.");
            MakeOver();
        }

        _closingUntil = null;
        if (_awaitedAck is null && _requests.IsIdle) _state = SessionState.Over;
    }
}
