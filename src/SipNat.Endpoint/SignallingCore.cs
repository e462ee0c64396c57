using System.Diagnostics;
using SipNat.Endpoint.Addressing;
using SipNat.Endpoint.Calls;
using SipNat.Endpoint.Media;
using SipNat.Endpoint.Siprec;
using SipNat.Sip.Messages;
using SipNat.Sip.Transactions;
using SipNat.Traversal.Stun;
using SipNat.Wire;

namespace SipNat.Endpoint;

/// <summary>
/// Everything that speaks SIP in one process: its flows, transactions, dialogs and recording sessions. Media is reached
/// by <see cref="MediaCommand"/> and heard of by <see cref="HandleMedia"/>; the state of each session is told by
/// <see cref="RecordingSnapshot"/>.
/// </summary>
public sealed partial class SignallingCore : IProtocolCore
{
    private readonly SignallingContext _context;
    private readonly RecordingSessions _sessions = new();

    public SignallingCore(SignallingOptions options, AddressingOptions addressing, Random random) =>
        _context = new(options, addressing, random);

    public Outbox Outbox => _context.Outbox;

    public Instant? Deadline =>
        Instant.Earlier(
            Instant.Earlier(Instant.Earlier(_sessions.Deadline, _calls.Deadline), _context.Accounts.Deadline),
            Instant.Earlier(_context.Transactions.Deadline, _context.Flows.Deadline));

    /// <summary>Sessions that are not over.</summary>
    public int Sessions => _sessions.Count;

    public SignallingCounters Counters => _context.Counters;

    /// <summary>Binding requests of peers that were answered.</summary>
    public long BindingsAnswered => _context.Flows.BindingsAnswered;

    /// <summary>Mappings of SIP flows that a NAT let end between two keepalives; each made those of its flow more frequent.</summary>
    public long MappingsEnded => _context.Flows.MappingsEnded;

    /// <summary>Transactions that are not over, of both directions.</summary>
    public int Transactions => _context.Transactions.Count;

    public TransactionCounters TransactionCounters => _context.Transactions.Counters;

    /// <summary>Messages outside a session, malformed ones too, that were not even answered, for their number.</summary>
    public long RefusalsDropped => _context.Transactions.Counters.Withheld;

    public bool TryTakeRequest(out FlowRequest request) => _context.FlowRequests.TryDequeue(out request);

    public bool TryTakeCommand(out MediaCommand command) => _context.Commands.TryDequeue(out command!);

    /// <summary>Takes the state of a session after a change; the last one of a session is complete.</summary>
    public bool TryTakeSnapshot(out RecordingSnapshot snapshot) => _context.Snapshots.TryDequeue(out snapshot!);

    /// <summary>Takes what the log should say.</summary>
    public bool TryTakeNotice(out SignallingNotice notice) => _context.Notices.TryDequeue(out notice!);

    public void HandleFlow(Instant now, FlowId flow, FlowChange change) => Run(now, () =>
    {
        _context.Flows.HandleFlow(now, flow, change);
        _context.Transactions.HandleFlow(now, flow, change);
        foreach (var session in _sessions.All)
        {
            session.HandleFlow(now, flow, change);
            Settle(session);
        }

        if (change.Kind is not FlowChangeKind.SendFailed) _context.Accounts.HandleFlow(now, flow, change);
        foreach (var call in _calls.All)
        {
            call.HandleFlow(now, flow, change);
            Settle(call);
        }
    });

    public void HandleDatagram(Instant now, FlowId flow, TransportAddress from, ReadOnlySpan<byte> datagram)
    {
        var isAnswered = StunMessage.LooksLikeStun(datagram) && MayAsk(from) && _context.Flows.TryAnswerBinding(now, flow, from, datagram);
        if (!isAnswered && !_context.Flows.TryHandleStun(now, flow, from, datagram))
        {
            _context.Transactions.HandleMessage(now, flow, from, datagram);
        }

        Run(now, static () => { });
    }

    /// <summary>What the media planes have to say.</summary>
    public void HandleMedia(Instant now, MediaEvent happened) => Run(now, () =>
    {
        if (happened is MediaEvent.Refused(_, var reason))
        {
            HandleOutOfPorts(now, reason);
        }

        if (_calls.TryGet(happened.Session, out var call))
        {
            call.HandleMedia(now, happened);
            Settle(call);
            return;
        }

        if (!_sessions.TryGet(happened.Session, out var session)) return;

        session.HandleMedia(now, happened);
        Settle(session);
    });

    public void HandleTimeout(Instant now) => Run(now, () =>
    {
        _context.Transactions.HandleTimeout(now);
        _context.Flows.HandleTimeout(now);
        _context.Accounts.HandleTimeout(now);
        while (_sessions.TryTakeDue(now, out var session))
        {
            session.HandleTimeout(now);
            Settle(session);
        }

        while (_calls.TryTakeDue(now, out var call))
        {
            call.HandleTimeout(now);
            Settle(call);
        }
    });

    /// <summary>
    /// Stops recording a session until <see cref="TryResume"/>: what arrives is not written, and its peer is told to send
    /// nothing; in a call that is recorded it is told of the pause. True where it is paused already; false where nothing
    /// of that name is recorded.
    /// </summary>
    public bool TryPause(Instant now, SessionId id) => TrySetPaused(now, id, paused: true);

    /// <summary>Goes on with recording a session. True where it is not paused; false where no such session runs.</summary>
    public bool TryResume(Instant now, SessionId id) => TrySetPaused(now, id, paused: false);

    /// <summary>Ends every session with BYE.</summary>
    public void EndAll(Instant now, string reason) => Run(now, () =>
    {
        foreach (var session in _sessions.All)
        {
            session.End(now, reason);
            Settle(session);
        }
    });

    // For how it is seen: nobody else can have us send anything to anybody by STUN.
    private bool MayAsk(TransportAddress from) => _context.IsAllowed(from) || _sessions.OfPeer(from).All > 0;

    private bool TrySetPaused(Instant now, SessionId id, bool paused)
    {
        var isDone = false;
        Run(now, () =>
        {
            if (_sessions.TryGet(id, out var session))
            {
                isDone = session.TrySetPaused(now, paused);
                Settle(session);
            }
            else if (_calls.TryGet(id, out var call))
            {
                isDone = call.TrySetPaused(now, paused);
                Settle(call);
            }
        });
        return isDone;
    }

    // What a child wants sent and told is passed on after every input.
    private void Run(Instant now, Action input)
    {
        input();
        if (_context.Flows.TakeMappingChanged())
        {
            _context.Flows.GiveUpStale(now);
            TellPeers(now);
        }

        while (_context.Transactions.TryTake(out var happened)) Dispatch(now, happened);
        HandleRelations(now);
        HandleCallRelations(now);
        _context.CollectOutput();
    }

    private void HandleRelations(Instant now)
    {
        while (_context.Relations.TryDequeue(out var relation))
        {
            if (!_sessions.TryGet(relation.Session, out var session)) continue;

            session.RelateTo(now, relation.Other);
            Settle(session);
        }
    }

    private void Dispatch(Instant now, TransactionEvent happened)
    {
        switch (happened)
        {
            case TransactionEvent.Request request:
                HandleRequest(now, request);
                break;
            case TransactionEvent.Ack ack:
                if (_calls.Find(ack.Message) is { } call)
                {
                    call.HandleAck(now, ack);
                    Settle(call);
                    break;
                }

                if (_sessions.Find(ack.Message) is { } acknowledged && IsServed(ack.Flow, ack.From, acknowledged))
                {
                    acknowledged.HandleAck(now, ack);
                    Settle(acknowledged);
                }

                break;
            case TransactionEvent.Cancelled(var invite):
                WithOwner(invite, s => s.HandleCancel(now, invite), c => c.HandleCancel(now, invite));
                break;
            case TransactionEvent.NoAck(var invite):
                WithOwner(invite, s => s.HandleNoAck(now), c => c.HandleNoAck(now));
                break;
            case TransactionEvent.Response response:
                if (_context.Accounts.TryHandleResponse(now, response)) break;
                WithOwner(response.Transaction, s => s.HandleResponse(now, response), c => c.HandleResponse(now, response));
                break;
            case TransactionEvent.TimedOut(var transaction):
                if (_context.Accounts.TryHandleNoResponse(now, transaction)) break;
                WithOwner(transaction, s => s.HandleNoResponse(now, transaction, 408), c => c.HandleNoResponse(now, transaction, 408));
                break;
            case TransactionEvent.TransportFailed(var transaction):
                if (_context.Accounts.TryHandleNoResponse(now, transaction)) break;
                WithOwner(transaction, s => s.HandleNoResponse(now, transaction, 503), c => c.HandleNoResponse(now, transaction, 503));
                break;
            case TransactionEvent.Malformed(_, var from, var defect):
                _context.Tell(new SignallingNotice.Malformed(from, defect));
                break;
            default:
                throw new UnreachableException();
        }
    }

    private void WithOwner(TransactionId transaction, Action<RecordingSession> input, Action<Call> callInput)
    {
        if (_sessions.TryGetOwner(transaction, out var session))
        {
            input(session);
            Settle(session);
        }
        else if (_calls.TryGetOwner(transaction, out var call))
        {
            callInput(call);
            Settle(call);
        }
    }

    private void HandleRequest(Instant now, TransactionEvent.Request request)
    {
        var message = request.Message;
        var session = _sessions.Find(message);
        if (session is not null && IsServed(request.Flow, request.From, session))
        {
            session.HandleRequest(now, request);
            Settle(session);
            return;
        }

        if (session is null && TryHandleCallRequest(now, request)) return;
        if (session is null && _context.Accounts.IsServer(request.Flow, request.From) && TryAnswerServer(now, request)) return;
        if (!_context.IsAllowed(request.From))
        {
            Refuse(now, request);
            return;
        }

        if (!_context.Transactions.MayAnswer(now, request.From))
        {
            _context.Transactions.Dismiss(request.Transaction, null);
            return;
        }

        if (session is not null || message.ToTag.Length > 0)
        {
            Dismiss(request, new(481));
            return;
        }

        switch (message.Method)
        {
            case SipMethod.Invite:
                HandleInvite(now, request);
                break;
            case SipMethod.Options:
                Dismiss(request, RequestCheck.Refuse(message) ?? AnswerOptions(now));
                break;
            case SipMethod.Bye or SipMethod.Update or SipMethod.Prack or SipMethod.Info:
                Dismiss(request, new(481));
                break;
            default:
                Dismiss(request, new(message.Method is SipMethod.Unknown ? 501 : 405) { Headers = [RecorderHeaders.Allow] });
                break;
        }
    }

    // A cluster that fails over goes on from another address; the flow of the dialog is served wherever it comes from.
    private bool IsServed(FlowId flow, TransportAddress from, RecordingSession session) =>
        _context.IsAllowed(from) || (session.Flow == flow && session.Source == from);

    private void HandleInvite(Instant now, TransactionEvent.Request request)
    {
        if ((WhyFull(now) ?? WhyFullFor(request.From)) is { } why)
        {
            TurnAway(now, request, why);
            return;
        }

        if (!_sessions.TryFindReplaced(request.Message, out var replaced))
        {
            Dismiss(request, new(481));
            return;
        }

        if (RecordingSession.TryBegin(now, _context, request, replaced, out var session, out var refusal))
        {
            _context.Counters.Begun++;
            _sessions.Add(session);
            Settle(session);
            return;
        }

        _context.Counters.Unrecordable++;
        _context.Tell(new SignallingNotice.Unrecordable(request.From, request.Message.CallId, $"{refusal.Status} {refusal.Reason}"));
        Dismiss(request, refusal);
    }

    private void Refuse(Instant now, TransactionEvent.Request request)
    {
        _context.Counters.Refused++;
        if (!_context.Transactions.MayAnswer(now, request.From))
        {
            _context.Transactions.Dismiss(request.Transaction, null);
            return;
        }

        _context.Tell(new SignallingNotice.NotAllowed(request.From, request.Message.Method));
        Dismiss(request, new(403));
    }

    // What begins no session is owed no state: whoever did not hear the answer asks again.
    private void Dismiss(TransactionEvent.Request request, SipResponse response) =>
        _context.Transactions.Dismiss(request.Transaction, response);

    // A session that is confirmed ends the one that it takes the place of, and does not keep it when that is over.
    private void Settle(RecordingSession session)
    {
        session.PublishChanges();
        _sessions.Update(session);
        if (session.Replaced is not { } replaced) return;

        Settle(replaced);
        if (replaced.IsOver) session.Replaced = null;
    }
}
