using SipNat.Endpoint.Diagnosis;
using SipNat.Endpoint.Media;
using SipNat.Endpoint.Sessions;
using SipNat.Sip.Messages;
using SipNat.Sip.Transactions;
using SipNat.Wire;

namespace SipNat.Endpoint.Siprec;

/// <summary>How a recording session ends: by BYE of either side, without an ACK, or without ports.</summary>
internal sealed partial class RecordingSession
{
    /// <summary>Ends the session from our side.</summary>
    public void End(Instant now, string reason)
    {
        if (IsEnding) return;

        RefuseOffer(now, new(_state is SessionState.Opening ? 503 : 500) { Headers = [RecorderHeaders.RetryAfter(5)] });

        // A callee sends no BYE before the ACK has come, or will not come any more (RFC 3261 §15).
        if (_awaitedAck is null) EndNow(now, reason);
        else Close(now, reason);
    }

    /// <summary>Our 200 was never acknowledged (RFC 3261 §13.3.1.4).</summary>
    public void HandleNoAck(Instant now)
    {
        _awaitedAck = null;
        _journal.Find(now, FindingCode.NoAck, $"The 200 OK to {Source} was sent for 32 s and never acknowledged: the peer does not receive it, or its ACK does not reach {Dialog.LocalContact}.");
        if (IsEnding)
        {
            SendBye(now);
            SettleClosing();
            return;
        }

        EndNow(now, "The 200 OK was never acknowledged.", peerIsGone: true);
    }

    private void HandleBye(Instant now, TransactionEvent.Request request)
    {
        TakeMetadata(now, request.Message, MultipartReader.Read(request.Message));
        Respond(now, request.Transaction, new(200));
        if (_awaitedAck is { } awaited)
        {
            // The peer has the 200, or gave up waiting for it: it is not sent again.
            _context.Transactions.Acknowledged(now, awaited.Transaction);
            _awaitedAck = null;
        }

        Close(now, request.Message.Header(SipHeader.Reason) is { } reason ? SessionJournal.Clip($"BYE from the peer ({reason}).") : "BYE from the peer.");
        SettleClosing();
    }

    // Without ports for its first offer a session cannot begin; a later one is answered without the media that have none.
    private void HandleMediaRefused(Instant now, string reason)
    {
        _journal.Find(now, FindingCode.MediaRefused, $"No ports for media: {reason}.");
        _streams.DropUnserved();
        if (_state is SessionState.Opening)
        {
            RefuseOffer(now, NoPorts());
            MakeOver(now, $"No ports for media: {reason}.");
        }
        else if (_state is SessionState.Closing && _mediaIsOpen && !_streams.ArePortsKnown)
        {
            MakeOver();
        }
    }

    private SipResponse NoPorts() => new(503)
    {
        Headers = [RecorderHeaders.RetryAfter(30), RecorderHeaders.Warning(399, _context.Options.ServerName, "No media ports left")],
    };

    // However the session ends, what waits for an answer gets one (RFC 3261 §15.1.2).
    private void RefuseOffer(Instant now, SipResponse refusal)
    {
        if (_offer is not { } offer) return;

        _offer = null;
        Respond(now, offer.Transaction, refusal);
    }

    private void EndNow(Instant now, string reason, bool peerIsGone = false)
    {
        SendBye(now);
        Close(now, reason, peerIsGone);
    }

    private void SendBye(Instant now)
    {
        if (_state is SessionState.Opening) return;
        if (!_requests.TrySend(now, RequestPurpose.End, Dialog.CreateRequest(SipMethod.Bye), out var why))
        {
            _journal.Note(now, "bye-not-sent", $"BYE could not be sent: {why}.");
        }
    }

    private void Close(Instant now, string reason, bool peerIsGone = false)
    {
        if (IsEnding) return;

        (_state, _endedAt, _endReason) = (SessionState.Closing, now, reason);
        _mediaUntil = now + MediaLimit;
        _keepaliveAt = null;
        _retryAt = null;
        RefuseOffer(now, new(487));
        _journal.Note(now, "ended", reason);
        _context.Commands.Enqueue(new MediaCommand.Close(Id, peerIsGone));
        _context.Tell(new SignallingNotice.SessionChanged(Id, $"ended: {reason}"));
    }

    private void MakeOver(Instant now, string reason)
    {
        (_endedAt, _endReason) = (now, reason);
        _journal.Note(now, "ended", reason);
        MakeOver();
    }

    // The recording is complete; what is left of signalling, an answer to our BYE or an ACK, is still waited for.
    private void MakeOver()
    {
        // The media plane may report the end after it was given up.
        if (!_mediaIsOpen) return;

        (_mediaIsOpen, _mediaUntil) = (false, null);
        _changed = true;
        _context.Counters.Ended++;
        _state = SessionState.Closing;
        SettleClosing();
    }

    private void SettleClosing()
    {
        if (_state is SessionState.Closing && !_mediaIsOpen && _awaitedAck is null && _requests.IsIdle) _state = SessionState.Over;
    }

    private void GiveUpMedia(Instant now)
    {
        _mediaUntil = null;
        if (_state is SessionState.Opening)
        {
            _context.Commands.Enqueue(new MediaCommand.Close(Id, PeerIsGone: false));
            HandleMediaRefused(now, "the media plane does not answer");
        }
        else if (_mediaIsOpen)
        {
            _journal.Note(now, "media-not-closed", "The media plane did not report the end of the session.");
            MakeOver();
        }
    }
}
