using SipNat.Endpoint.Diagnosis;
using SipNat.Endpoint.Media;
using SipNat.Endpoint.Sessions;
using SipNat.Endpoint.Siprec;
using SipNat.Sip.Messages;
using SipNat.Sip.Transactions;
using SipNat.Wire;

namespace SipNat.Endpoint.Calls;

/// <summary>How a call ends: by either side, in every state.</summary>
internal sealed partial class Call
{
    // After our CANCEL the INVITE is waited for so long (RFC 3261 §9.1); then its transaction is left to itself.
    private static readonly TimeSpan CancelPatience = TimeSpan.FromSeconds(32);

    /// <summary>Ends the call from our side, whatever its state.</summary>
    public void HangUp(Instant now, string reason)
    {
        if (IsEnding) return;
        if (Direction is CallDirection.Incoming && _answeredAt is null)
        {
            RefuseOffer(now, new(480));
            Close(now, reason);
            return;
        }

        if (_invite is { } invite && _answeredAt is null)
        {
            _isCancelled = true;
            _context.Transactions.Cancel(now, invite);
            _patience = now + CancelPatience;
        }
        else if (_lateOffer is { } late)
        {
            // The 2xx is still owed its ACK.
            _lateOffer = null;
            late.Dialog.SendAck(now, late.Invite with { Answer = Sip.Sdp.SdpWriter.Write(_offerAnswer.Answer(late.Review, [])) });
            SendBye(now, late.Dialog);
        }
        else if (_awaitedAck is null && _answeredAt is not null && _dialog is { } dialog)
        {
            // A callee sends no BYE before the ACK has come, or will not come any more (RFC 3261 §15).
            SendBye(now, dialog);
        }

        RefuseOffer(now, new(487));
        Close(now, reason);
    }

    /// <summary>The peer gave up its INVITE.</summary>
    public void HandleCancel(Instant now, TransactionId invite)
    {
        if (_offer is not { } offer || offer.Transaction != invite) return;

        _offer = null;
        Respond(now, invite, new(487));
        if (_answeredAt is null) Close(now, "The caller gave up.", byPeer: true);
        else TellPeer(now);
    }

    /// <summary>Our 200 was never acknowledged (RFC 3261 §13.3.1.4).</summary>
    public void HandleNoAck(Instant now)
    {
        _awaitedAck = null;
        _journal.Find(now, FindingCode.NoAck, $"The 200 OK to {Peer} was sent for 32 s and never acknowledged: the other side does not receive it, or its ACK does not reach {_dialog!.Dialog.LocalContact}.");
        _failure ??= new CallFailure.Lost("our 200 OK was never acknowledged");
        SendBye(now, _dialog);
        if (IsEnding) SettleEnding();
        else Close(now, "The 200 OK was never acknowledged.");
    }

    private void HandleBye(Instant now, CallDialog dialog, TransactionEvent.Request request)
    {
        Respond(now, request.Transaction, new(200));
        if (dialog != _dialog)
        {
            _forks.Remove(dialog);
            return;
        }

        if (_awaitedAck is { } awaited)
        {
            // The peer has the 200, or gave up waiting for it: it is not sent again.
            _context.Transactions.Acknowledged(now, awaited.Transaction);
            _awaitedAck = null;
        }

        NameHangUp(now);
        Close(now, request.Message.Header(SipHeader.Reason) is { } reason ? SessionJournal.Clip($"The other side hung up ({reason}).") : "The other side hung up.", byPeer: true);
        SettleEnding();
    }

    private void HandleMediaRefused(Instant now, string reason)
    {
        _journal.Find(now, FindingCode.MediaRefused, $"No ports for media: {reason}.");
        _mediaIsOpen = false;
        if (_answeredAt is not null || IsEnding)
        {
            SettleEnding();
            return;
        }

        RefuseOffer(now, new(503) { Headers = [RecorderHeaders.RetryAfter(30), RecorderHeaders.Warning(399, _context.Options.ServerName, "No media ports left")] });
        Fail(now, new CallFailure.NoMediaPorts(reason));
    }

    // A call that never came about.
    private void Fail(Instant now, CallFailure failure)
    {
        _failure = failure;
        Close(now, failure.Explain());
    }

    // However the call ends, what waits for an answer gets one (RFC 3261 §15.1.2).
    private void RefuseOffer(Instant now, SipResponse refusal)
    {
        if (_offer is not { } offer) return;

        _offer = null;
        Respond(now, offer.Transaction, refusal);
    }

    private void SendBye(Instant now, CallDialog dialog)
    {
        var bye = dialog.Dialog.CreateRequest(SipMethod.Bye);
        Send(now, dialog, RequestPurpose.End, bye with { Headers = [.. bye.Headers, new(SipHeader.Reason, ReasonOfBye)] });
    }

    // RFC 3326: so that the other side's records say why.
    private string ReasonOfBye => _failure switch
    {
        CallFailure.Lost => "SIP;cause=408;text=\"Lost\"",
        CallFailure.NoCommonAudio => "SIP;cause=488;text=\"Not Acceptable Here\"",
        _ when _isCancelled || _answeredAt is null => "SIP;cause=487;text=\"Request Terminated\"",
        _ => "Q.850;cause=16;text=\"Normal call clearing\"",
    };

    private void Close(Instant now, string reason, bool byPeer = false)
    {
        if (IsEnding) return;

        (State, _endedAt, _endReason, _endedByPeer, _changed) = (CallState.Ending, now, reason, byPeer, true);
        (_keepaliveAt, _retryAt, _ringUntil, _repeatAt, _watchAt) = (null, null, null, null, null);
        RefuseOffer(now, new(487));
        _journal.Note(now, "ended", reason);
        NotifyTransferEnd(now);
        if (_mediaIsOpen)
        {
            _mediaUntil = now + MediaLimit;
            _context.Commands.Enqueue(new MediaCommand.Close(Id, PeerIsGone: false));
        }

        _context.Tell(new SignallingNotice.SessionChanged(Id, $"call with {_remote} ended: {reason}"));
        SettleEnding();
    }

    // The media are complete; what is left of signalling, an answer to our BYE or an ACK, is still waited for.
    private void MakeOver()
    {
        (_mediaIsOpen, _mediaUntil, _changed) = (false, null, true);
        SettleEnding();
    }

    private void SettleEnding()
    {
        if (State is not CallState.Ending || _mediaIsOpen || _awaitedAck is not null || _invite is not null && _patience is not null) return;
        if (AllDialogs.All(d => d.Requests.IsIdle)) State = CallState.Over;
    }

    private void GiveUpMedia(Instant now)
    {
        _mediaUntil = null;
        if (!_mediaIsOpen) return;
        if (IsEnding)
        {
            _journal.Note(now, "media-not-closed", "The media plane did not report the end of the call.");
            MakeOver();
        }
        else
        {
            _context.Commands.Enqueue(new MediaCommand.Close(Id, PeerIsGone: false));
            HandleMediaRefused(now, "the media plane does not answer");
        }
    }
}
