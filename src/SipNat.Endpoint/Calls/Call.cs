using SipNat.Endpoint.Media;
using SipNat.Endpoint.Sessions;
using SipNat.Endpoint.Siprec;
using SipNat.Sip.Dialogs;
using SipNat.Sip.Messages;
using SipNat.Sip.Sdp;
using SipNat.Sip.Transactions;
using SipNat.Wire;

namespace SipNat.Endpoint.Calls;

/// <summary>
/// One call, ours or another's (RFC 3261 §12 to §15): its dialogs, its offers and answers, and what its media plane is to
/// do. Audio is sent and heard by the media plane.
/// </summary>
internal sealed partial class Call
{
    // After this the media plane is not waited for: its thread is gone, and the call must not stay for ever.
    private static readonly TimeSpan MediaLimit = TimeSpan.FromSeconds(10);

    private readonly SignallingContext _context;
    private readonly CallIdentity _identity;
    private readonly CallTerms _terms;
    private readonly SessionJournal _journal = new();
    private readonly SessionTimer _timer = new();
    private readonly RateLimit _budget = new();
    private readonly Instant _startedAt;
    private SessionStreams _streams;
    private OfferAnswer _offerAnswer;
    private CallDialog? _dialog;
    private PendingOffer? _offer;
    private AwaitedAck? _awaitedAck;
    private SdpDirection _wanted = SdpDirection.SendRecv;
    private SdpDirection _told = SdpDirection.SendRecv;
    private bool _isProved;
    private bool _correctionDue;
    private bool _changed = true;
    private bool _mediaIsOpen;
    private bool _isToldComplete;
    private bool _isRelayWanted;
    private bool _endedByPeer;
    private Instant? _keepaliveAt;
    private Instant? _retryAt;
    private Instant? _mediaUntil;
    private Instant? _answeredAt;
    private Instant? _endedAt;
    private string _endReason = "";
    private string _remote = "";
    private string _remoteName = "";
    private CallFailure? _failure;
    private int _status;
    private string _reason = "";

    private Call(Instant now, SignallingContext context, CallDirection direction, CallIdentity identity, CallTerms terms)
    {
        (_context, Direction, _identity, _terms, _startedAt) = (context, direction, identity, terms, now);
        Id = SessionId.Draw(context.Random);
        _streams = new(context.Random);
        _offerAnswer = CreateOfferAnswer();
    }

    public SessionId Id { get; }

    public CallDirection Direction { get; }

    public CallState State { get; private set; } = CallState.Preparing;

    /// <summary>The account that it belongs to; null for none.</summary>
    public string? Account => _identity.Account;

    /// <summary>Nothing more happens: it may be forgotten.</summary>
    public bool IsOver => State is CallState.Over;

    /// <summary>The dialogs whose requests are this call's, early ones too.</summary>
    public IEnumerable<DialogKey> Dialogs => AllDialogs.Select(d => d.Dialog.Key);

    /// <summary>The dialog that media and requests of ours belong to; null before there is one.</summary>
    public Dialog? ActiveDialog => _dialog?.Dialog;

    /// <summary>Every transaction whose outcome this call wants to hear of.</summary>
    public IEnumerable<TransactionId> Transactions
    {
        get
        {
            if (_invite is { } invite) yield return invite;
            foreach (var givenUp in _givenUp) yield return givenUp;
            foreach (var dialog in AllDialogs)
            {
                foreach (var pending in dialog.Requests.Pending) yield return pending;
                if (dialog.AcceptedInvite is { } accepted) yield return accepted.Transaction;
            }

            if (_offer is { Transaction: { } offered }) yield return offered;
            if (_awaitedAck is { Transaction: { } acknowledged }) yield return acknowledged;
        }
    }

    private bool IsHeldByPeer => _streams.All.FirstOrDefault() is { Current.Direction: var direction }
        && ((_told.Sends && !direction.Sends) || (_told.Receives && !direction.Receives));

    private bool IsEnding => State is CallState.Ending or CallState.Over;

    private bool IsUp => State is CallState.Answered or CallState.Established;

    private IEnumerable<CallDialog> AllDialogs => _dialog is { } active && !_forks.Contains(active) ? _forks.Prepend(active) : _forks;

    public void HandleRequest(Instant now, TransactionEvent.Request request)
    {
        if (request.Message.Method is not SipMethod.Bye && !_budget.TryTake(now))
        {
            _context.Counters.Overloaded++;
            _context.Transactions.Dismiss(request.Transaction, new(503) { Headers = [RecorderHeaders.RetryAfter(1)] });
            return;
        }

        var key = DialogKey.ForRequest(request.Message);
        if (AllDialogs.FirstOrDefault(d => d.Dialog.Key == key) is not { } dialog)
        {
            _context.Transactions.Respond(now, request.Transaction, new(481));
            return;
        }

        var order = dialog.Dialog.CheckRequest(request.Message);
        if (order is not DialogOrder.InOrder)
        {
            Respond(now, request.Transaction, new(500) { Headers = [RecorderHeaders.RetryAfter(1)] });
            return;
        }

        NoteSource(now, dialog, request);
        if (dialog == _dialog) TakeImpliedAck(now);
        if (CallHeaders.Refuse(request.Message) is { } refusal) Respond(now, request.Transaction, refusal);
        else Serve(now, dialog, request);
    }

    public void HandleAck(Instant now, TransactionEvent.Ack ack)
    {
        if (_awaitedAck is not { } awaited || ack.Message.CSeqNumber != awaited.CSeq) return;

        TakeAck(now, awaited, ack.Message);
    }

    public void HandleMedia(Instant now, MediaEvent happened)
    {
        // A long silence takes its time to be written.
        if (State is CallState.Ending && _mediaIsOpen) _mediaUntil = now + MediaLimit;
        _changed = true;
        switch (happened)
        {
            case MediaEvent.Opened(_, var ports):
                _streams.SetPorts(ports);
                if (!IsEnding) _mediaUntil = null;
                break;
            case MediaEvent.Refused(_, var reason):
                HandleMediaRefused(now, reason);
                break;
            case MediaEvent.AddressesChanged(_, var port, var addresses):
                if (_streams.SetPort(port, addresses)) GiveUpConnection(now, _dialog?.Requests.Flow);
                TellPeer(now);
                break;
            case MediaEvent.Reported(_, var streams):
                _streams.Report(streams);
                HastenWatch();
                break;
            case MediaEvent.Noted(_, var entry):
                _journal.Note(entry);
                break;
            case MediaEvent.Found(_, var finding):
                _journal.Find(finding);
                break;
            case MediaEvent.Closed(_, var streams):
                _streams.Report(streams);
                if (_mediaIsOpen) MakeOver();
                break;
        }

        if (IsEnding) return;
        TryInvite(now);
        TryAnswer(now);
        TryAnswerLate(now);
    }

    /// <summary>Queues a snapshot where anything has changed since the last one.</summary>
    public void PublishChanges()
    {
        _changed |= _journal.TakeChanged();
        var isComplete = IsEnding && !_mediaIsOpen;
        if (!_changed && isComplete == _isToldComplete) return;
        if (_isToldComplete) return;

        (_changed, _isToldComplete) = (false, isComplete);
        _context.CallChanges.Enqueue(Snapshot(isComplete));
        PublishRecording(isComplete);
    }

    public CallSnapshot Snapshot(bool isComplete = false)
    {
        var stream = _streams.All.FirstOrDefault();
        var media = stream?.Current;
        return new(Id, Direction, Account, _remote, State, _startedAt)
        {
            RemoteName = _remoteName,
            CallId = CallIdText,
            Status = _status,
            Reason = _reason,
            Failure = _failure,
            EndReason = _endReason,
            WasEndedByPeer = _endedByPeer,
            AnsweredAt = _answeredAt,
            EndedAt = _endedAt,
            IsComplete = isComplete,
            IsHeld = !_wanted.Receives,
            IsHeldByPeer = IsHeldByPeer,
            MaySend = media?.Direction.Sends ?? false,
            MayReceive = media is { IsHeld: false, Direction.Receives: true },
            Codec = media?.PeerMap.FirstOrDefault(m => !m.Format.IsSupplement)?.Format.Name,
            SignallingPeer = _dialog?.Requests.Source ?? _destination,
            Local = stream?.Local ?? default,
            Advertised = stream?.Rtp ?? default,
            Described = media?.RemoteRtp ?? default,
            UsesIce = stream?.Ice is not null,
            IsEncrypted = stream?.Crypto.Keys is not null,
            Stream = stream?.Report,
            Recovered = [.. _recovered],
            TransferOf = _request?.TransferOf,
            Findings = _journal.Findings,
            Timeline = _journal.Timeline,
        };
    }

    private string CallIdText => _dialog?.Dialog.Key.CallId ?? _callId;

    private OfferAnswer CreateOfferAnswer() => new(
        (ulong)_context.Random.NextInt64(1, long.MaxValue),
        SrtpNegotiation.With(new(OfferedFormats) { MaxMedia = 1 }, _terms.Srtp));

    private void Serve(Instant now, CallDialog dialog, TransactionEvent.Request request)
    {
        switch (request.Message.Method)
        {
            case SipMethod.Bye:
                HandleBye(now, dialog, request);
                break;
            case SipMethod.Invite or SipMethod.Update:
                HandleOffer(now, dialog, request);
                break;
            case SipMethod.Prack:
                HandlePrack(now, request);
                break;
            case SipMethod.Info:
                HandleInfo(now, request);
                break;
            case SipMethod.Refer:
                HandleRefer(now, dialog, request);
                break;
            case SipMethod.Notify:
                HandleNotify(now, request);
                break;
            case SipMethod.Options:
                Respond(now, request.Transaction, new(200) { Headers = CallHeaders.Capabilities });
                break;
            default:
                Respond(now, request.Transaction, new(request.Message.Method is SipMethod.Unknown ? 501 : 405) { Headers = [CallHeaders.Allow] });
                break;
        }
    }

    // Whoever goes on in the dialog has our 200: its ACK was lost, or is late.
    private void TakeImpliedAck(Instant now)
    {
        if (_awaitedAck is { Offer: null } awaited) TakeAck(now, awaited, null);
    }

    private void TakeAck(Instant now, AwaitedAck awaited, StoredSipMessage? ack)
    {
        (_awaitedAck, _isProved) = (null, true);
        _context.Transactions.Acknowledged(now, awaited.Transaction);
        if (awaited.Offer is { } offer && ack is not null && !TakeAnswer(now, offer, ack))
        {
            if (State is CallState.Answered)
            {
                _failure = new CallFailure.NoCommonAudio("the ACK brought no answer to our offer that could be taken");
                HangUp(now, "The ACK brought no answer to our offer.");
                return;
            }

            _journal.Note(now, "offer-unanswered", "The ACK brought no answer to our offer; the call stays as it was.");
        }

        if (IsEnding)
        {
            SendBye(now, _dialog!);
            SettleEnding();
            return;
        }

        if (State is CallState.Answered) Establish(now);
        Configure(now);
        TellPeer(now);
    }

    private void Establish(Instant now)
    {
        State = CallState.Established;
        _changed = true;
        _journal.Note(now, "established", "Both sides know that the call is up.");
        if (_request?.TransferOf is { } parent) _context.Transferred.Enqueue((parent, 200, "OK"));
        ScheduleKeepalive(now);
        _watchAt = now + WatchInterval;
        if (_replaced is { } replaced) _context.CallReplacements.Enqueue(replaced);
    }

    private void NoteSource(Instant now, CallDialog dialog, TransactionEvent.Request request)
    {
        dialog.Note(request.Message);
        if (request.Flow == dialog.Requests.Flow && request.From == dialog.Requests.Source) return;

        // Requests of an account's calls come from its provider, which may have several hosts: ours go on to the registrar.
        if (_identity.Account is not null) return;

        _journal.Note(now, "signalling-moved", $"Requests of the dialog came from {dialog.Requests.Source}, and from {request.From} since its {request.Message.Method.Name}.");
        (dialog.Requests.Flow, dialog.Requests.Source, dialog.Requests.Transport) = (request.Flow, request.From, TransportOf(request.Flow));
    }

    private TransportProtocol TransportOf(FlowId flow) =>
        _context.Flows.TryGet(flow, out var known) ? known.Transport : TransportProtocol.Udp;

    private void Respond(Instant now, TransactionId transaction, SipResponse response) =>
        _context.Transactions.Respond(now, transaction, response with { ToTag = _localTag });

    /// <summary>An INVITE or UPDATE of the peer that has no final answer.</summary>
    /// <param name="Review">What its offer comes to; null where the offer will be ours.</param>
    private sealed record PendingOffer(TransactionId Transaction, StoredSipMessage Request, OfferReview? Review);

    /// <summary>Our 200 to an INVITE, with the offer that it carried where it did.</summary>
    private sealed record AwaitedAck(TransactionId Transaction, uint CSeq, SdpSession? Offer);
}
