using System.Diagnostics.CodeAnalysis;
using SipNat.Endpoint.Calls;
using SipNat.Endpoint.Diagnosis;
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
    private static readonly TimeSpan ClosingLimit = TimeSpan.FromSeconds(10);

    private readonly SignallingContext _context;
    private readonly OfferAnswer _offerAnswer;
    private readonly SessionJournal _journal = new();
    private readonly SessionMetadata _metadata;
    private readonly RecordingStreams _streams = new();
    private readonly SessionTimer _timer = new();
    private readonly DialogRequests _requests;
    private readonly RecordingSession? _replaced;
    private readonly Instant _startedAt;
    private bool _changed = true;
    private SessionState _state = SessionState.Opening;
    private PendingOffer? _offer;
    private AwaitedAck? _awaitedAck;
    private bool _peerTakesUpdate;
    private Instant _heardAt;
    private Instant? _keepaliveAt;
    private Instant? _retryAt;
    private Instant? _closingUntil;
    private Instant? _endedAt;
    private string? _endReason;
    private bool _mediaIsOpen = true;
    private bool _isToldComplete;

    private RecordingSession(Instant now, SignallingContext context, TransactionEvent.Request invite, RecordingSession? replaced)
    {
        (_context, _replaced, _startedAt, _heardAt) = (context, replaced, now, now);
        Id = RecordingId.Draw(context.Random);
        _metadata = new(_journal);
        _offerAnswer = new((ulong)context.Random.NextInt64(1, long.MaxValue), SdpCapabilities.G711);
        Dialog = Dialog.AsServer(invite.Message, Id.Value, ContactFor(context, invite.Flow, invite.From));
        _requests = new(context, Dialog) { Flow = invite.Flow, Source = invite.From, Transport = TransportOf(context, invite.Flow) };
        NotePeer(invite.Message);
    }

    public RecordingId Id { get; }

    public Dialog Dialog { get; }

    /// <summary>The flow of the peer's last request.</summary>
    public FlowId Flow => _requests.Flow;

    /// <summary>Where the peer's last request came from.</summary>
    public TransportAddress Source => _requests.Source;

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
        refusal = begun.TakeOffer(now, invite, isFirst: true);
        if (refusal is not null) return false;

        session = begun;
        begun._journal.Note(now, "invited", $"INVITE from {invite.From}, Call-ID {begun.Dialog.Key.CallId}.");
        var local = context.MediaAddressFor(invite.Flow);
        context.Commands.Enqueue(new MediaCommand.Open(begun.Id, local, begun._streams.PortsWanted));
        context.Tell(new SignallingNotice.SessionChanged(begun.Id, $"began with an INVITE from {invite.From}"));
        return true;
    }

    /// <summary>Tells the shell the state of the session where it has changed.</summary>
    public void PublishChanges()
    {
        // What comes after the end of the recording, such as the answer to our BYE, is no longer part of it.
        if (!(_journal.TakeChanged() | _changed) || _isToldComplete) return;

        _changed = false;
        var snapshot = Snapshot();
        _isToldComplete = snapshot.State is RecordingState.Complete;
        _context.Snapshots.Enqueue(snapshot);
    }

    public void HandleRequest(Instant now, TransactionEvent.Request request)
    {
        NoteSource(now, request);
        var order = Dialog.CheckRequest(request.Message);
        var isTaglessBye = order is DialogOrder.OtherDialog && request.Message.Method is SipMethod.Bye;
        if (order is not DialogOrder.InOrder && !isTaglessBye)
        {
            Respond(now, request.Transaction, new(order is DialogOrder.OtherDialog ? 481 : 500) { Headers = [RecorderHeaders.RetryAfter(1)] });
            return;
        }

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
            default:
                Respond(now, request.Transaction, new(405) { Headers = [RecorderHeaders.Allow] });
                break;
        }
    }

    public void HandleAck(Instant now, TransactionEvent.Ack ack)
    {
        if (_awaitedAck is not { } awaited || ack.Message.CSeqNumber != awaited.CSeq) return;

        _heardAt = now;
        _awaitedAck = null;
        _context.Transactions.Acknowledged(now, awaited.Transaction);
        if (awaited.Offer is { } offer && !TakeAnswer(now, offer, ack.Message))
        {
            End(now, "The ACK brought no answer to our offer that could be recorded.");
            return;
        }

        if (IsEnding)
        {
            SendBye(now);
            SettleClosing();
            return;
        }

        if (_state is SessionState.Answered) Confirm(now);
        Configure(now);
    }

    public void HandleCancel(Instant now, TransactionId invite)
    {
        if (_offer is not { } offer || offer.Transaction != invite) return;

        _offer = null;
        Respond(now, invite, new(487));
        if (_state is SessionState.Opening) Close(now, "The peer cancelled the INVITE.");
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

        EndNow(now, "The 200 OK was never acknowledged.");
    }

    /// <summary>Ends the session from our side.</summary>
    public void End(Instant now, string reason)
    {
        if (IsEnding) return;

        if (_offer is { } offer)
        {
            _offer = null;
            Respond(now, offer.Transaction, new(_state is SessionState.Opening ? 503 : 500) { Headers = [RecorderHeaders.RetryAfter(5)] });
        }

        // A callee sends no BYE before the ACK has come, or will not come any more (RFC 3261 §15).
        if (_awaitedAck is null) EndNow(now, reason);
        else Close(now, reason);
    }

    public void HandleMedia(Instant now, MediaEvent happened)
    {
        switch (happened)
        {
            case MediaEvent.Opened(_, var ports):
                _streams.SetPorts(ports);
                break;
            case MediaEvent.Refused(_, var reason):
                HandleMediaRefused(now, reason);
                break;
            case MediaEvent.AddressesChanged(_, var port, var addresses):
                _streams.SetPort(port, addresses);
                CorrectAddresses(now);
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
            case MediaEvent.Closed(_, var streams):
                TakeReports(streams);
                MakeOver();
                break;
        }

        TryAnswer(now);
    }

    private void HandleBye(Instant now, TransactionEvent.Request request)
    {
        TakeMetadata(now, request.Message, ReadBody(request.Message));
        Respond(now, request.Transaction, new(200));
        if (_offer is { } offer)
        {
            _offer = null;
            Respond(now, offer.Transaction, new(487));
        }

        if (_awaitedAck is { } awaited)
        {
            // The peer has the 200, or gave up waiting for it: it is not sent again.
            _context.Transactions.Acknowledged(now, awaited.Transaction);
            _awaitedAck = null;
        }

        Close(now, request.Message.Header(SipHeader.Reason) is { } reason ? $"BYE from the peer ({reason})." : "BYE from the peer.");
    }

    private void HandleMediaRefused(Instant now, string reason)
    {
        _journal.Find(now, FindingCode.MediaRefused, $"No ports for media: {reason}.");
        if (_offer is { } offer)
        {
            _offer = null;
            var status = _state is SessionState.Opening ? 503 : 488;
            Respond(now, offer.Transaction, new(status)
            {
                Headers = [RecorderHeaders.RetryAfter(30), RecorderHeaders.Warning(399, _context.Options.ServerName, "No media ports left")],
            });
        }

        _streams.DropUnserved();
        if (_state is SessionState.Opening) MakeOver(now, $"No ports for media: {reason}.");
    }

    private void TakeReports(IReadOnlyList<MediaStreamReport> reports)
    {
        _streams.Report(reports);
        foreach (var report in reports)
        {
            if (report.LastHeardAt > _heardAt) _heardAt = report.LastHeardAt.Value;
        }

        _changed = true;
    }

    private void Confirm(Instant now)
    {
        _state = SessionState.Confirmed;
        _journal.Note(now, "confirmed", "ACK received.");
        ScheduleKeepalive(now);
        _replaced?.End(now, $"Replaced by {Id} (RFC 3891).");
    }

    private void EndNow(Instant now, string reason)
    {
        SendBye(now);
        Close(now, reason);
    }

    private void SendBye(Instant now)
    {
        if (_state is SessionState.Opening) return;
        if (!_requests.TrySend(now, RequestPurpose.End, Dialog.CreateRequest(SipMethod.Bye), out var why))
        {
            _journal.Note(now, "bye-not-sent", $"BYE could not be sent: {why}.");
        }
    }

    private void Close(Instant now, string reason)
    {
        if (IsEnding) return;

        (_state, _endedAt, _endReason) = (SessionState.Closing, now, reason);
        _closingUntil = now + ClosingLimit;
        _keepaliveAt = null;
        _retryAt = null;
        _journal.Note(now, "ended", reason);
        _context.Commands.Enqueue(new MediaCommand.Close(Id));
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
        _mediaIsOpen = false;
        _changed = true;
        _context.Counters.Ended++;
        _state = SessionState.Closing;
        SettleClosing();
    }

    private void SettleClosing()
    {
        if (_state is SessionState.Closing && !_mediaIsOpen && _awaitedAck is null && _requests.IsIdle) _state = SessionState.Over;
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
    }

    private void Respond(Instant now, TransactionId transaction, SipResponse response) =>
        _context.Transactions.Respond(now, transaction, response with { ToTag = Dialog.Key.LocalTag });

    private RecordingSnapshot Snapshot() => new(
        Id,
        _state is SessionState.Over || (_state is SessionState.Closing && !_mediaIsOpen) ? RecordingState.Complete : RecordingState.Recording,
        _startedAt,
        _endedAt,
        _endReason,
        Dialog.Key.CallId,
        Source,
        _metadata.CommunicationSessions,
        _metadata.Participants,
        [.. _streams.All.Select(s => new StreamSnapshot(
            s.Index,
            s.Label,
            _metadata.SendersOf(s.Index, s.Label),
            s.Current?.Direction.Text ?? SdpDirection.Inactive.Text,
            s.StartedAt,
            s.Local,
            s.Rtp.Address,
            s.Rtp.Reason is null ? "not answered yet" : s.Rtp.Explain(),
            s.Report))],
        _journal.Findings,
        _journal.Metadata,
        _journal.Timeline);

    private static string ContactFor(SignallingContext context, FlowId flow, TransportAddress peer)
    {
        var advertised = context.Flows.Advertise(flow, peer);
        var transport = TransportOf(context, flow) is TransportProtocol.Tcp ? ";transport=tcp" : "";
        return $"<sip:recorder@{advertised.Address}{transport}>;+sip.srs";
    }

    private static TransportProtocol TransportOf(SignallingContext context, FlowId flow) =>
        context.Flows.TryGet(flow, out var known) ? known.Transport : TransportProtocol.Udp;

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
}
