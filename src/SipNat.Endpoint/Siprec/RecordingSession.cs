using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using SipNat.Endpoint.Diagnosis;
using SipNat.Endpoint.Media;
using SipNat.Endpoint.Sessions;
using SipNat.Sip.Dialogs;
using SipNat.Sip.Messages;
using SipNat.Sip.Sdp;
using SipNat.Sip.Transactions;
using SipNat.Wire;

namespace SipNat.Endpoint.Siprec;

/// <summary>
/// One recording session (RFC 7866): the dialog with the recording client, its metadata and its media. Signalling is
/// served here; audio is received by a media plane that is told what was agreed on.
/// </summary>
internal sealed partial class RecordingSession
{
    // After this the media plane is not waited for: its thread is gone, and the session must not stay for ever.
    private static readonly TimeSpan MediaLimit = TimeSpan.FromSeconds(10);

    private readonly SignallingContext _context;
    private readonly OfferAnswer _offerAnswer;
    private readonly SessionJournal _journal = new();
    private readonly SessionMetadata _metadata;
    private readonly SessionStreams _streams;
    private readonly SessionTimer _timer = new();
    private readonly RateLimit _budget = new();
    private readonly DialogRequests _requests;
    private readonly Instant _startedAt;
    private bool _changed = true;
    private SessionState _state = SessionState.Opening;
    private PendingOffer? _offer;
    private AwaitedAck? _awaitedAck;
    private AcceptedInvite? _acceptedInvite;
    private bool _peerTakesUpdate;
    private bool _correctionDue;
    private Instant _heardAt;
    private readonly bool _wantsSecured;
    private Instant? _keepaliveAt;
    private Instant? _retryAt;
    private Instant? _mediaUntil;
    private Instant? _endedAt;
    private string? _endReason;
    private bool _mediaIsOpen = true;
    private bool _isToldComplete;

    private RecordingSession(Instant now, SignallingContext context, TransactionEvent.Request invite, RecordingSession? replaced)
    {
        (_context, Replaced, _startedAt, _heardAt, _mediaUntil) = (context, replaced, now, now, now + MediaLimit);
        Id = SessionId.Draw(context.Random);
        Peer = invite.From;
        (_metadata, _streams) = (new(_journal), new(context.Random));
        _offerAnswer = new((ulong)context.Random.NextInt64(1, long.MaxValue), SrtpNegotiation.With(SdpCapabilities.Recorder, context.Options.Srtp));
        _wantsSecured = ContactText.WantsSecured(invite.Message);
        Dialog = Dialog.AsServer(invite.Message, Id.Value, ContactFor(context, invite.Flow, invite.From, _wantsSecured) ?? throw new UnreachableException());
        _requests = new(context, Dialog) { Flow = invite.Flow, Source = invite.From, Transport = TransportOf(context, invite.Flow) };
        NotePeer(invite.Message);
    }

    public SessionId Id { get; }

    public Dialog Dialog { get; }

    /// <summary>The flow of the peer's last request.</summary>
    public FlowId Flow => _requests.Flow;

    /// <summary>The session that this one takes the place of (RFC 3891); null where there is none, or it is forgotten.</summary>
    public RecordingSession? Replaced { get; set; }

    /// <summary>Where the peer's last request came from.</summary>
    public TransportAddress Source => _requests.Source;

    /// <summary>Where the INVITE that began the session came from.</summary>
    public TransportAddress Peer { get; }

    /// <summary>The peer has acknowledged an answer: it is where its INVITE said that it is.</summary>
    public bool WasAcknowledged { get; private set; }

    /// <summary>For <see cref="RecordingSessions"/>: whether it has taken note of that.</summary>
    public bool IsCountedAcknowledged { get; set; }

    /// <summary>Nothing more happens: it may be forgotten.</summary>
    public bool IsOver => _state is SessionState.Over;

    /// <summary>Every transaction whose outcome this session wants to hear of.</summary>
    public IEnumerable<TransactionId> Transactions
    {
        get
        {
            foreach (var pending in _requests.Pending) yield return pending;
            if (_offer is { Transaction: { } offered }) yield return offered;
            if (_awaitedAck is { Transaction: { } acknowledged }) yield return acknowledged;
            if (_acceptedInvite is { Transaction: { } accepted }) yield return accepted;
        }
    }

    private bool IsEnding => _state is SessionState.Closing or SessionState.Over;

    /// <summary>
    /// Begins a session with an INVITE from somebody who may record. False, with the answer, where nothing in it can be
    /// recorded.
    /// </summary>
    public static bool TryBegin(
        Instant now,
        SignallingContext context,
        TransactionEvent.Request invite,
        RecordingSession? replaced,
        [NotNullWhen(true)] out RecordingSession? session,
        [NotNullWhen(false)] out SipResponse? refusal)
    {
        session = null;
        refusal = RequestCheck.Refuse(invite.Message);
        if (refusal is not null) return false;

        var begun = new RecordingSession(now, context, invite, replaced);
        begun._journal.Note(now, "invited", $"INVITE from {invite.From}, Call-ID {begun.Dialog.Key.CallId}.");
        refusal = begun.TakeOffer(now, invite, MultipartReader.Read(invite.Message), isFirst: true);
        if (refusal is not null) return false;

        session = begun;
        var local = context.MediaAddressFor(invite.Flow);
        context.Commands.Enqueue(new MediaCommand.Open(begun.Id, local, begun._streams.PortsWanted));
        begun.Gather();
        context.Tell(new SignallingNotice.SessionChanged(begun.Id, $"began with an INVITE from {invite.From}"));
        return true;
    }

    public void HandleRequest(Instant now, TransactionEvent.Request request)
    {
        if (request.Message.Method is not SipMethod.Bye && !_budget.TryTake(now))
        {
            _context.Counters.Overloaded++;
            _context.Transactions.Dismiss(request.Transaction, new(503) { Headers = [RecorderHeaders.RetryAfter(1)] });
            return;
        }

        var order = Dialog.CheckRequest(request.Message);
        var isTaglessBye = order is DialogOrder.OtherDialog && request.Message.Method is SipMethod.Bye;
        if (order is not DialogOrder.InOrder && !isTaglessBye)
        {
            Respond(now, request.Transaction, new(order is DialogOrder.OtherDialog ? 481 : 500) { Headers = [RecorderHeaders.RetryAfter(1)] });
            return;
        }

        NoteSource(now, request);
        if (!isTaglessBye) TakeImpliedAck(now);
        if (RequestCheck.Refuse(request.Message) is { } refusal)
        {
            Respond(now, request.Transaction, refusal);
            return;
        }

        switch (request.Message.Method)
        {
            case SipMethod.Bye:
                HandleBye(now, request);
                break;
            case SipMethod.Invite or SipMethod.Update:
                HandleOffer(now, request);
                break;
            case SipMethod.Options:
                Respond(now, request.Transaction, new(200) { Headers = RecorderHeaders.Capabilities });
                break;
            case SipMethod.Prack:
                // No provisional answer of ours is reliable, so that none can be acknowledged (RFC 3262 §3).
                Respond(now, request.Transaction, new(481));
                break;
            default:
                Respond(now, request.Transaction, new(405) { Headers = [RecorderHeaders.Allow] });
                break;
        }
    }

    public void HandleAck(Instant now, TransactionEvent.Ack ack)
    {
        if (_awaitedAck is not { } awaited || ack.Message.CSeqNumber != awaited.CSeq) return;

        _heardAt = now;
        TakeAck(now, awaited, ack.Message);
    }

    public void HandleCancel(Instant now, TransactionId invite)
    {
        if (_offer is not { } offer || offer.Transaction != invite) return;

        _offer = null;
        Respond(now, invite, new(487));
        if (_state is SessionState.Opening) Close(now, "The peer cancelled the INVITE.");
        else TellPeer(now);
    }

    public void HandleMedia(Instant now, MediaEvent happened)
    {
        // A long silence takes its time to be written.
        if (_state is SessionState.Closing && _mediaIsOpen) _mediaUntil = now + MediaLimit;
        switch (happened)
        {
            case MediaEvent.Opened(_, var ports):
                _streams.SetPorts(ports);
                if (_state is SessionState.Opening) _mediaUntil = null;
                break;
            case MediaEvent.Refused(_, var reason):
                HandleMediaRefused(now, reason);
                break;
            case MediaEvent.AddressesChanged(_, var port, var addresses):
                _streams.SetPort(port, addresses);
                TellPeer(now);
                break;
            case MediaEvent.Reported(_, var streams):
                TakeReports(streams);
                break;
            case MediaEvent.Noted(_, var entry):
                _journal.Note(entry);
                break;
            case MediaEvent.Found(_, var finding):
                _journal.Find(finding);
                break;
            case MediaEvent.Silent(_, var silence):
                HandleSilence(silence);
                break;
            case MediaEvent.Closed(_, var streams):
                TakeReports(streams);
                if (_mediaIsOpen) MakeOver();
                break;
        }

        TryAnswer(now);
    }

    // Whoever goes on in the dialog has our 200: its ACK was lost, or is late.
    private void TakeImpliedAck(Instant now)
    {
        if (_awaitedAck is { Offer: null } awaited) TakeAck(now, awaited, null);
    }

    private void TakeAck(Instant now, AwaitedAck awaited, StoredSipMessage? ack)
    {
        _awaitedAck = null;
        _context.Transactions.Acknowledged(now, awaited.Transaction);
        if (awaited.Offer is { } offer && ack is not null && !TakeAnswer(now, offer, ack))
        {
            if (_state is SessionState.Answered)
            {
                End(now, "The ACK brought no answer to our offer that could be recorded.");
                return;
            }

            _journal.Note(now, "offer-unanswered", "The ACK brought no answer to our offer; the streams stay as they were.");
        }

        if (IsEnding)
        {
            SendBye(now);
            SettleClosing();
            return;
        }

        if (_state is SessionState.Answered) Confirm(now);
        Configure(now);
        TellPeer(now);
    }

    private void Confirm(Instant now)
    {
        _state = SessionState.Confirmed;
        WasAcknowledged = true;
        _journal.Note(now, "confirmed", "ACK received.");
        ScheduleKeepalive(now);
        Replaced?.End(now, $"Replaced by {Id} (RFC 3891).");
    }

    private void NoteSource(Instant now, TransactionEvent.Request request)
    {
        _heardAt = now;
        NotePeer(request.Message);
        if (request.From != Source)
        {
            _journal.Find(now, FindingCode.SignallingMoved, $"Requests of the dialog came from {Source}, and from {request.From} since its {request.Message.Method.Name}.");
        }

        (_requests.Flow, _requests.Source, _requests.Transport) = (request.Flow, request.From, TransportOf(_context, request.Flow));
    }

    private void NotePeer(StoredSipMessage message)
    {
        if (message.Header(SipHeader.Allow) is not null) _peerTakesUpdate = message.HasToken(SipHeader.Allow, "UPDATE");
        if (message.Header(SipHeader.Accept) is not null) _peerGivesSnapshots = SnapshotRequest.IsTakenBy(message);
    }

    private void Respond(Instant now, TransactionId transaction, SipResponse response) =>
        _context.Transactions.Respond(now, transaction, response with { ToTag = Dialog.Key.LocalTag });

    private enum SessionState
    {
        /// <summary>The INVITE has no final answer.</summary>
        Opening,

        /// <summary>200 sent, no ACK yet.</summary>
        Answered,

        Confirmed,

        /// <summary>Files are being completed, or our BYE has no answer.</summary>
        Closing,

        Over,
    }

    /// <summary>An INVITE or UPDATE that has no final answer.</summary>
    /// <param name="Review">What its offer comes to; null where the offer will be ours.</param>
    private sealed record PendingOffer(TransactionId Transaction, StoredSipMessage Request, OfferReview? Review);

    /// <summary>Our 200 to an INVITE, with the offer that it carried where it did.</summary>
    private sealed record AwaitedAck(TransactionId Transaction, uint CSeq, SdpSession? Offer);

    /// <summary>An INVITE of ours that was accepted: each repetition of its 2xx gets its ACK again (RFC 3261 §13.2.2.4).</summary>
    private sealed record AcceptedInvite(TransactionId Transaction, TransportAddress Destination, uint CSeq);
}
