using SipNat.Endpoint.Diagnosis;
using SipNat.Endpoint.Sessions;
using SipNat.Traversal.Stun;
using SipNat.Wire;

namespace SipNat.Endpoint.Siprec;

/// <summary>What a recording session does without being asked: keepalive, refresh, and asking a silent peer.</summary>
internal sealed partial class RecordingSession
{
    /// <summary>When <see cref="HandleTimeout"/> wants to run next.</summary>
    public Instant? Deadline
    {
        get
        {
            if (_state is SessionState.Over) return null;

            var deadline = Instant.Earlier(_mediaUntil, _requests.Deadline);
            if (_state is SessionState.Closing) return deadline;

            deadline = Instant.Earlier(deadline, Instant.Earlier(_keepaliveAt, _retryAt));
            if (CanAnswer) deadline = Instant.Earlier(deadline, MappingDeadline);
            if (_state is not SessionState.Confirmed) return deadline;

            return Instant.Earlier(Instant.Earlier(deadline, _timer.Deadline), SilenceDeadline);
        }
    }

    // Only a stream that should be sending can be missed; a peer that is being asked is not asked again.
    private Instant? SilenceDeadline =>
        _isPaused || _requests.IsPending(RequestPurpose.Ask) || !_streams.All.Any(s => s.ShouldSend) ? null : _heardAt + _context.Options.SilenceTimeout;

    public void HandleTimeout(Instant now)
    {
        if (_mediaUntil <= now) GiveUpMedia(now);
        if (_requests.CancelOverdue(now))
        {
            _journal.Note(now, "request-cancelled", $"Our INVITE had no final answer in {DialogRequests.InviteLimit.TotalSeconds:F0} s and is cancelled.");
        }

        if (IsEnding) return;

        TryAnswer(now);
        if (_keepaliveAt <= now) SendKeepalive(now);
        if (_retryAt <= now)
        {
            _retryAt = null;
            TellPeer(now);
        }

        if (_state is not SessionState.Confirmed) return;
        if (_timer.Deadline <= now) HandleTimerDue(now);
        if (!IsEnding && SilenceDeadline <= now) Ask(now);
    }

    private void HandleTimerDue(Instant now)
    {
        if (_timer.HasExpired(now))
        {
            _journal.Find(now, FindingCode.SessionLost, _timer.WeRefresh
                ? "No refresh of the session (RFC 4028) was answered in time."
                : "The peer undertook to refresh the session (RFC 4028) and did not.");
            EndNow(now, "The session was not refreshed.", peerIsGone: true);
            return;
        }

        if (_timer.TakeRefreshDue(now) && !_requests.IsPending(RequestPurpose.Refresh)) TryRefresh(now, RequestPurpose.Refresh);
    }

    private void Ask(Instant now)
    {
        _journal.Note(now, "silence", $"Nothing was heard for {_context.Options.SilenceTimeout.TotalSeconds:F0} s; the peer is asked.");
        _heardAt = now;
        var isSent = _timer.IsRunning && _peerTakesUpdate
            ? TryRefresh(now, RequestPurpose.Ask)
            : TrySendOptions(now, RequestPurpose.Ask);
        if (!isSent) EndNow(now, "Nothing was heard, and there is no way to ask the peer.");
    }

    // Two line ends keep our own mapping open (RFC 5626 §4.4.1). That of a peer behind a NAT is sure to be refreshed only by
    // what the peer sends (RFC 4787 REQ-6), so it is given something to answer.
    /// <summary>Sends what keeps the flow of the peer open at once, where it is kept open at all.</summary>
    public void KeepOpen(Instant now)
    {
        if (_keepaliveAt is not null) SendKeepalive(now);
    }

    private void SendKeepalive(Instant now)
    {
        ScheduleKeepalive(now);
        if (_requests.GoBackThroughNat)
        {
            if (!_requests.IsPending(RequestPurpose.KeepOpen)) TrySendOptions(now, RequestPurpose.KeepOpen);
        }
        else if (_context.Flows.TryGet(Flow, out _))
        {
            _context.Outbox.Add(Flow, Source, "\r\n\r\n"u8);
        }
    }

    private void ScheduleKeepalive(Instant now) =>
        _keepaliveAt = IsLocalPeer ? null : now + KeepaliveInterval.Draw(_context.Flows.KeepaliveOf(Flow), _context.Random);
}
