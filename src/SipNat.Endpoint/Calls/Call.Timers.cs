using SipNat.Endpoint.Sessions;
using SipNat.Sip.Messages;
using SipNat.Traversal.Stun;
using SipNat.Wire;

namespace SipNat.Endpoint.Calls;

/// <summary>What a call does without being asked: patience, refresh, keepalive.</summary>
internal sealed partial class Call
{
    private TimeSpan? _keep;

    /// <summary>When <see cref="HandleTimeout"/> wants to run next.</summary>
    public Instant? Deadline
    {
        get
        {
            if (IsOver) return null;

            var deadline = Instant.Earlier(_mediaUntil, _patience);
            foreach (var dialog in AllDialogs) deadline = Instant.Earlier(deadline, dialog.Requests.Deadline);
            if (State is CallState.Ending) return deadline;

            deadline = Instant.Earlier(deadline, _connectUntil);
            deadline = Instant.Earlier(deadline, Instant.Earlier(Instant.Earlier(_keepaliveAt, _retryAt), Instant.Earlier(Instant.Earlier(_ringUntil, _watchAt), _repeatAt)));
            if (AwaitsMapping) deadline = Instant.Earlier(deadline, MappingDeadline);
            return State is CallState.Established ? Instant.Earlier(deadline, _timer.Deadline) : deadline;
        }
    }

    private bool AwaitsMapping => CanAnswer || IsReadyToAnswerLate || IsReadyToInvite;

    public void HandleTimeout(Instant now)
    {
        if (_mediaUntil <= now) GiveUpMedia(now);
        foreach (var dialog in AllDialogs.ToList()) dialog.Requests.CancelOverdue(now);
        if (_patience <= now) LosePatience(now);
        if (IsEnding) return;

        if (_connectUntil <= now) GoOnByUdp(now);
        TryInvite(now);
        TryAnswer(now);
        TryAnswerLate(now);
        if (_repeatAt <= now) RepeatReliable(now);
        if (_ringUntil <= now) GiveUpRinging(now);
        if (_keepaliveAt <= now) SendKeepalive(now);
        if (_watchAt <= now) Watch(now);
        if (_retryAt <= now)
        {
            _retryAt = null;
            TellPeer(now);
        }

        if (State is CallState.Established && _timer.Deadline <= now) HandleTimerDue(now);
    }

    /// <summary>Sends what keeps the flow of the other side open at once, where it is kept open at all.</summary>
    public void KeepOpen(Instant now)
    {
        if (_keepaliveAt is not null) SendKeepalive(now);
    }

    private void LosePatience(Instant now)
    {
        _patience = null;
        if (State is CallState.Ending) SettleEnding();
        else if (State is CallState.Calling) GiveUpRoute(now);
        else if (_places.Count == 0) Fail(now, new CallFailure.NotLocated(_target!.Host));
        else TryNextPlace(now, new CallFailure.Unreachable($"{_places[_place].Address} does not answer"));
    }

    private void HandleTimerDue(Instant now)
    {
        if (_timer.HasExpired(now))
        {
            _failure = new CallFailure.Lost("the session was not refreshed in time (RFC 4028)");
            HangUp(now, _failure.Explain());
            return;
        }

        if (_timer.TakeRefreshDue(now) && !_dialog!.Requests.IsPending(RequestPurpose.Refresh)) TryRefresh(now, RequestPurpose.Refresh);
    }

    // The way to a provider is kept open by its accounts. Two line ends keep our own mapping open (RFC 5626 §4.4.1); that of
    // a peer behind a NAT is refreshed only by what the peer sends, so it is given something to answer.
    private void SendKeepalive(Instant now)
    {
        ScheduleKeepalive(now);
        if (_dialog is not { } dialog) return;

        if (dialog.Requests.GoBackThroughNat)
        {
            if (!dialog.Requests.IsPending(RequestPurpose.KeepOpen)) TrySendOptions(now, RequestPurpose.KeepOpen);
        }
        else
        {
            _context.Flows.SendKeepalive(Flow, Peer, takesStun: _keep is not null);
        }
    }

    private void ScheduleKeepalive(Instant now)
    {
        var bound = _context.Flows.KeepaliveOf(Flow);
        if (_keep is { Ticks: > 0 } keep && keep < bound) bound = keep;
        _keepaliveAt = _keep is null && (IsLocalPeer || _identity.Account is not null) ? null : now + KeepaliveInterval.Draw(bound, _context.Random);
    }

    // The next hop has said that it takes keepalives for this dialog (RFC 6223 §4.1).
    private void NoteKeep(StoredSipMessage answer)
    {
        if (answer.View.TryGetTopVia(out var via) && via.TryGetKeep(out var keep)) _keep = keep;
    }
}
