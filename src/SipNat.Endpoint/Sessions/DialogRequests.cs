using SipNat.Endpoint.Addressing;
using SipNat.Endpoint.Siprec;
using SipNat.Sip.Dialogs;
using SipNat.Sip.Messages;
using SipNat.Sip.Transactions;
using SipNat.Wire;

namespace SipNat.Endpoint.Sessions;

/// <summary>Why a request of ours was sent in a dialog.</summary>
internal enum RequestPurpose
{
    /// <summary>BYE: the session is over, whatever the answer.</summary>
    End,

    /// <summary>OPTIONS: is the peer still there?</summary>
    Ask,

    /// <summary>UPDATE or re-INVITE that keeps the session timer running (RFC 4028).</summary>
    Refresh,

    /// <summary>UPDATE or re-INVITE that tells the peer another address.</summary>
    Correct,

    /// <summary>UPDATE or re-INVITE that asks for the whole metadata (RFC 7866 §8.2).</summary>
    Snapshot,

    /// <summary>UPDATE or re-INVITE that changes what was agreed on: hold, resume, another codec.</summary>
    Change,

    /// <summary>PRACK: a provisional answer has come (RFC 3262).</summary>
    Prack,

    /// <summary>REFER: the peer is to call somebody else (RFC 3515).</summary>
    Transfer,

    /// <summary>NOTIFY: what becomes of the call that the peer asked for by REFER.</summary>
    Notify,

    /// <summary>INFO with a digit.</summary>
    Digit,

    /// <summary>OPTIONS whose answer keeps the mapping of the peer's NAT; what the answer says decides nothing.</summary>
    KeepOpen,
}

/// <summary>
/// Our own requests in one dialog and the way they take: to the route set or remote target, or back over the flow on
/// which the peer's last request came, where the target is private or cannot be reached from here. A request that found
/// nobody at the target is tried once more over that flow.
/// </summary>
internal sealed class DialogRequests(SignallingContext context, Dialog dialog)
{
    /// <summary>
    /// How long an INVITE of ours may bring provisional responses and nothing else. Nobody rings in a recording, and until
    /// its final answer every offer of the peer gets 491. Longer than timer B, which ends one without any response.
    /// </summary>
    public static readonly TimeSpan InviteLimit = TimeSpan.FromSeconds(40);

    private readonly Dictionary<TransactionId, PendingRequest> _pending = [];
    private readonly List<PendingRequest> _connecting = [];

    /// <summary>The flow that brought the peer's last request.</summary>
    public FlowId Flow { get; set; }

    /// <summary>The transport of that flow, also after it was closed.</summary>
    public TransportProtocol Transport { get; set; }

    /// <summary>Where that request came from.</summary>
    public TransportAddress Source { get; set; }

    /// <summary>Transactions that wait for an answer.</summary>
    public IEnumerable<TransactionId> Pending => _pending.Keys;

    /// <summary>When <see cref="CancelOverdue"/> wants to run next; null where no INVITE waits.</summary>
    public Instant? Deadline
    {
        get
        {
            Instant? deadline = null;
            foreach (var pending in _pending.Values) deadline = Instant.Earlier(deadline, pending.CancelDue);
            return deadline;
        }
    }

    /// <summary>Whether no request waits for its answer, nor for a connection.</summary>
    public bool IsIdle => _pending.Count == 0 && _connecting.Count == 0;

    /// <summary>Whether a request waits for a connection.</summary>
    public bool IsConnecting => _connecting.Count > 0;

    /// <summary>Whether an offer of ours waits for its answer, so that one of the peer meets glare (RFC 3261 §14.1).</summary>
    public bool HasOffer => Unanswered.Any(p => p.HasOffer);

    /// <summary>
    /// The answer to an offer of the peer that crosses another one (RFC 3261 §14.2, RFC 3311 §5.2); null where none is open.
    /// </summary>
    /// <param name="theirs">Their last offer waits for our answer.</param>
    /// <param name="ours">One of ours waits for theirs.</param>
    public static SipResponse? RefuseGlare(bool theirs, bool ours) =>
        theirs ? new(500) { Headers = [RecorderHeaders.RetryAfter(1)] } : ours ? new(491) : null;

    private IEnumerable<PendingRequest> Unanswered => _pending.Values.Concat(_connecting);

    public bool IsPending(RequestPurpose purpose) => Unanswered.Any(p => p.Purpose == purpose);

    /// <summary>
    /// Whether requests go back over a UDP flow because the peer's Contact leads nowhere from here: it is behind a NAT.
    /// </summary>
    public bool GoBackThroughNat =>
        context.Flows.TryGet(Flow, out var flow) && !flow.Transport.IsReliable && Route().Kind is RequestRouteKind.PeerFlow;

    /// <summary>False where no way leads to the peer.</summary>
    public bool TrySend(Instant now, RequestPurpose purpose, SipRequest request, out string why)
    {
        var flowIsOpen = MayUse(Flow);
        var route = Route();
        why = MustBeSecured ? $"{route.Explain()} (sips: by TLS alone)" : route.Explain();
        return route.Kind switch
        {
            RequestRouteKind.PeerFlow => Send(now, purpose, request, Flow, Source, isLastTry: true),
            RequestRouteKind.Target when FlowTo(route.Destination) is { } way =>
                Send(now, purpose, request, way, route.Destination, isLastTry: !flowIsOpen || route.Destination == Source),
            RequestRouteKind.Target when flowIsOpen => Send(now, purpose, request, Flow, Source, isLastTry: true),
            RequestRouteKind.Target when WantedConnection is { } transport => Connect(now, purpose, request, transport, route.Destination),
            _ => false,
        };
    }

    /// <summary>Sends the ACK of a 2xx by the way that any request takes (RFC 3261 §13.2.2.4).</summary>
    public void SendAck(Instant now, SipRequest ack)
    {
        var route = Route();
        if (route.Kind is RequestRouteKind.Target && FlowTo(route.Destination) is { } way) context.Transactions.SendAck(now, way, route.Destination, ack);
        else if (MayUse(Flow)) context.Transactions.SendAck(now, Flow, Source, ack);
    }

    /// <summary>
    /// Gives up the INVITEs that have waited too long by CANCEL (RFC 3261 §9.1); their 487, or the end of their transaction,
    /// is still to come. Whether there was one.
    /// </summary>
    public bool CancelOverdue(Instant now)
    {
        var overdue = _pending.Where(p => p.Value.CancelDue <= now).ToList();
        foreach (var (transaction, pending) in overdue)
        {
            _pending[transaction] = pending with { IsCancelled = true };
            context.Transactions.Cancel(now, transaction);
        }

        return overdue.Count > 0;
    }

    /// <summary>What a final answer, or its absence, was for; null where the request is tried once more or is not known.</summary>
    public PendingRequest? Complete(Instant now, TransactionId transaction, bool foundNobody)
    {
        if (!_pending.Remove(transaction, out var pending)) return null;
        if (!foundNobody || pending.IsLastTry || pending.IsCancelled || !MayUse(Flow)) return pending;

        Send(now, pending.Purpose, pending.Request, Flow, Source, isLastTry: true);
        return null;
    }

    /// <summary>A connection was made or refused; gives back the requests that will never be sent for want of it.</summary>
    public IReadOnlyList<PendingRequest> HandleFlow(Instant now, FlowId flow, FlowChange change)
    {
        if (change.Kind is not (FlowChangeKind.Opened or FlowChangeKind.Refused) || !change.Transport.IsReliable) return [];

        var waiting = _connecting.FindAll(p => change.IsAbout(p.Connection.Transport, p.Connection.Remote, p.Connection.TlsName));
        _connecting.RemoveAll(waiting.Contains);
        // The peer may have become one that is reached by TLS alone in the meantime.
        if (change.Kind is FlowChangeKind.Refused || (MustBeSecured && !change.Transport.IsEncrypted)) return waiting;

        if (waiting.Count > 0) Flow = flow;
        foreach (var request in waiting) Send(now, request.Purpose, request.Request, flow, request.Destination, isLastTry: true);
        return [];
    }

    /// <summary>The request of a transaction that is not over.</summary>
    public PendingRequest? Find(TransactionId transaction) => _pending.GetValueOrDefault(transaction);

    private RequestRoute Route() =>
        RequestRoute.Choose(
            new()
            {
                Target = dialog.NextHop.TryGetAddress(out var address) ? address : default,
                PeerSource = Source,
                Transport = Transport,
                FlowIsOpen = MayUse(Flow),
            },
            context.Advisor.LocalNetworks);

    // A peer that is reached by a sips URI gets nothing in the clear, at whichever hop it stands (RFC 3261 §26.2.2).
    private bool MustBeSecured => ContactText.IsSecured(dialog.NextHop) || ContactText.IsSecured(dialog.RemoteTarget);

    private bool MayUse(FlowId id) => context.Flows.TryGet(id, out var flow) && (flow.Transport.IsEncrypted || !MustBeSecured);

    // The flow of the dialog where it fits; a connection leads only to its own peer.
    private FlowId? FlowTo(TransportAddress target)
    {
        if (MustBeSecured) return null;
        if (context.Flows.TryGet(Flow, out var flow))
        {
            if (flow.Transport.IsReliable) return null;
            if (flow.Local.Family == target.Family) return Flow;
        }

        return WantsUdp ? context.Flows.FindUdp(flow?.Local ?? default, target) : null;
    }

    private bool WantsUdp => dialog.NextHop.Transport is null ? !Transport.IsReliable
        : dialog.NextHop.Transport.Equals("udp", StringComparison.OrdinalIgnoreCase);

    // Null where none is to be made: to a client of WebSocket none can be.
    private TransportProtocol? WantedConnection => dialog.NextHop.Transport?.ToLowerInvariant() switch
    {
        "ws" or "wss" => null,
        _ when MustBeSecured => TransportProtocol.Tls,
        "tcp" => TransportProtocol.Tcp,
        "tls" => TransportProtocol.Tls,
        null when Transport is TransportProtocol.Tcp or TransportProtocol.Tls => Transport,
        _ => null,
    };

    // The connection of the dialog is gone: one to the target takes its place (RFC 3261 §18.1.1).
    private bool Connect(Instant now, RequestPurpose purpose, SipRequest request, TransportProtocol transport, TransportAddress target)
    {
        if (context.Flows.FindConnection(transport, target, TlsNameOf(transport)) is { } open) return Send(now, purpose, request, open, target, isLastTry: true);

        FlowRequest connection = new(FlowRequestKind.Connect, default, transport, target) { TlsName = TlsNameOf(transport) };
        _connecting.Add(new(purpose, request, default, target, now, IsLastTry: true) { Connection = connection });
        context.FlowRequests.Enqueue(connection);
        return true;
    }

    private string? TlsNameOf(TransportProtocol transport) => transport.IsEncrypted ? dialog.NextHop.Host : null;

    private bool Send(Instant now, RequestPurpose purpose, SipRequest request, FlowId flow, TransportAddress destination, bool isLastTry)
    {
        if (context.Flows.TryAdvertise(flow, destination, out var advertised)) context.Transactions.SetAdvertised(flow, advertised.Address);
        var transaction = context.Transactions.Request(now, flow, destination, request);
        _pending.Add(transaction, new(purpose, request, flow, destination, now, isLastTry));
        return true;
    }
}

/// <summary>A request of ours that waits for its final answer.</summary>
internal sealed record PendingRequest(
    RequestPurpose Purpose,
    SipRequest Request,
    FlowId Flow,
    TransportAddress Destination,
    Instant SentAt,
    bool IsLastTry)
{
    /// <summary>The connection that it waits for, before it is sent.</summary>
    public FlowRequest Connection { get; init; }

    /// <summary>It was given up; that it has no final answer says nothing of whether the peer is there.</summary>
    public bool IsCancelled { get; init; }

    /// <summary>When it is given up without a final answer; null for what is no INVITE, or was given up.</summary>
    public Instant? CancelDue => Request.Method is SipMethod.Invite && !IsCancelled ? SentAt + DialogRequests.InviteLimit : null;

    /// <summary>Whether it carries a session description, which a request for metadata alone does not.</summary>
    public bool HasOffer => Request.Method is SipMethod.Invite or SipMethod.Update && !Request.Body.IsEmpty && Request.ContentType != SnapshotRequest.MediaType;
}
