using System.Diagnostics.CodeAnalysis;
using SipNat.Sip.Messages;
using SipNat.Wire;

namespace SipNat.Sip.Transactions;

/// <summary>
/// All transactions over all SIP flows (RFC 3261 §17, §18, RFC 6026, RFC 3581). It takes whole messages and the time,
/// and queues datagrams and events; after every input its user drains <see cref="TryTake"/> and <see cref="Outbox"/>.
/// What no user needs to see it does alone: retransmissions in both directions, 100 after
/// <see cref="TransactionOptions.TryingAfter"/>, the answer to CANCEL, ACKs of error responses, and the refusal of what
/// is malformed (400, 413, 416, 505), merged (482) or too much (503).
/// </summary>
public sealed class TransactionLayer
{
    private readonly SipHeaderIndex _index = new();
    private readonly SipFlows _flows = new();
    private readonly TransactionTable _table = new();
    private readonly TransactionOutput _output;
    private readonly TransactionOptions _options;
    private readonly StatelessAnswers _answers;
    private readonly ServerTransactions _server;
    private readonly ClientTransactions _client;

    /// <param name="random">For tags and branches.</param>
    public TransactionLayer(TransactionOptions options, Random random)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(random);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(options.Timers.T1, TimeSpan.Zero, nameof(options));
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Timers.T2, options.Timers.T1, nameof(options));
        _options = options;
        _output = new(options.Product);
        _answers = new(_output, options, (uint)random.NextInt64(uint.MaxValue));
        _server = new(_table, _output, _answers, options, random);
        _client = new(_table, _output, _flows, options.Timers, random);
    }

    public Outbox Outbox => _output.Outbox;

    /// <summary>When <see cref="HandleTimeout"/> wants to run next; null when nothing is pending.</summary>
    public Instant? Deadline => _table.Next;

    public TransactionCounters Counters => _output.Counters;

    /// <summary>Transactions alive, client and server.</summary>
    public int Count => _table.Count;

    public void HandleFlow(Instant now, FlowId flow, FlowChange change)
    {
        switch (change.Kind)
        {
            case FlowChangeKind.Opened:
                _flows.Open(flow, change.Transport, change.Local);
                break;
            case FlowChangeKind.Closed or FlowChangeKind.Refused:
                _flows.Close(flow);
                _table.HandleFlowClosed(flow, _output);
                break;
            case FlowChangeKind.SendFailed:
                _table.HandleSendFailed(flow, change.Remote, _output);
                break;
        }
    }

    /// <summary>One datagram, or one framed message of a stream flow.</summary>
    public void HandleMessage(Instant now, FlowId flow, TransportAddress from, ReadOnlySpan<byte> message)
    {
        if (!_flows.TryGet(flow, out var transport, out _))
        {
            _output.Counters.UnknownFlow++;
        }
        else if (!SipMessage.TryRead(message, _index, out var view, out var defect))
        {
            if (defect is SipDefect.Empty) _output.Counters.Keepalives++;
            else if (TakeMalformed(now, from)) TellMalformed(flow, from, defect);
        }
        else if (view.IsRequest)
        {
            HandleRequest(now, flow, transport, from, view);
        }
        else
        {
            _client.HandleResponse(now, flow, from, view);
        }
    }

    /// <summary>Does everything that is due; afterwards <see cref="Deadline"/> is null or later than <paramref name="now"/>.</summary>
    public void HandleTimeout(Instant now) => _table.HandleTimeout(now, _output);

    public bool TryTake([NotNullWhen(true)] out TransactionEvent? e) => _output.Events.TryDequeue(out e);

    /// <summary>Answers a request, provisionally or finally. After a final answer, or an ended transaction, it does nothing.</summary>
    public void Respond(Instant now, TransactionId transaction, SipResponse response)
    {
        ArgumentNullException.ThrowIfNull(response);
        _server.Respond(now, transaction, response);
    }

    /// <summary>
    /// Answers a request without keeping state for it (RFC 3261 §8.2.7): the answer is sent once, or not at all, and a
    /// retransmission is a request of its own. A flood then fills no table. Only of an INVITE that gets 503 is it known, for
    /// the last two thousand, that its retransmissions get the same.
    /// </summary>
    public void Dismiss(TransactionId transaction, SipResponse? answer) => _server.Dismiss(transaction, answer);

    /// <summary>
    /// Whether a source has not had its answers of this second (<see cref="TransactionOptions.KnownNetworks"/>); to be asked
    /// once for each request that may come to <see cref="Dismiss"/>. What the layer refuses alone counts in the same budget.
    /// </summary>
    public bool MayAnswer(Instant now, TransportAddress source) => _answers.MayAnswer(now, source);

    /// <summary>Replaces <see cref="TransactionOptions.KnownNetworks"/> from here on.</summary>
    public void SetKnownNetworks(IReadOnlyList<NetworkPrefix> known) => _answers.SetKnownNetworks(known);

    /// <summary>The ACK of a 2xx has come (<see cref="TransactionEvent.Ack"/>): it is not sent again.</summary>
    /// <param name="invite">The transaction that was answered with the 2xx.</param>
    public void Acknowledged(Instant now, TransactionId invite) => _server.Acknowledged(invite);

    /// <summary>
    /// Sends a request with a Via of its own, and again until it is answered. On a flow that is not open it fails at
    /// once, by event.
    /// </summary>
    /// <param name="destination">Where the next hop is; on a connection informative only.</param>
    public TransactionId Request(Instant now, FlowId flow, TransportAddress destination, SipRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (request.Method is SipMethod.Ack or SipMethod.Cancel or SipMethod.Unknown) throw new ArgumentException("Not a request of its own.", nameof(request));

        return _client.Request(now, flow, destination, request);
    }

    /// <summary>Bytes that a request has on a flow, with the Via that it gets there; 0 where the flow is not open.</summary>
    public int SizeOf(FlowId flow, SipRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        return _client.SizeOf(flow, request);
    }

    /// <summary>Sends the ACK of a 2xx, once: for each repetition of the 2xx its user calls again (RFC 3261 §13.2.2.4).</summary>
    public void SendAck(Instant now, FlowId flow, TransportAddress destination, SipRequest ack)
    {
        ArgumentNullException.ThrowIfNull(ack);
        _client.SendAck(flow, destination, ack);
    }

    /// <summary>
    /// Gives up an INVITE of ours. The CANCEL goes out at once after a provisional response, with the first one before
    /// it, and never after a final one (RFC 3261 §9.1).
    /// </summary>
    /// <returns>The CANCEL's own transaction where it went out at once; its events need no attention.</returns>
    public TransactionId? Cancel(Instant now, TransactionId invite) => _client.Cancel(now, invite);

    /// <summary>
    /// Gives up a request of ours that is no INVITE: it is not sent again, and what is answered to it is nobody's. Nothing
    /// happens where it is over.
    /// </summary>
    public void Abandon(TransactionId transaction) => _client.Abandon(transaction);

    /// <summary>Sets the sent-by address of our requests on a flow, as seen from outside; none for its local address.</summary>
    public void SetAdvertised(FlowId flow, TransportAddress advertised) => _flows.SetAdvertised(flow, advertised);

    public bool TryGetFlow(FlowId flow, out TransportProtocol transport, out TransportAddress local) =>
        _flows.TryGet(flow, out transport, out local);

    private void HandleRequest(Instant now, FlowId flow, TransportProtocol transport, TransportAddress from, SipMessage request)
    {
        // The reader has seen that there is one.
        request.TryGetTopVia(out var via);
        var route = ResponseRoute.For(via, transport, from, _options.ForceRport);
        var defect = request.Defect is SipDefect.None && !HasLength(transport, request) ? SipDefect.MissingContentLength : request.Defect;
        if (defect is SipDefect.None)
        {
            _server.HandleRequest(now, new(flow, from, transport.IsReliable, route), request, via);
            return;
        }

        if (!TakeMalformed(now, from)) return;

        TellMalformed(flow, from, defect);
        if (request.Method is not SipMethod.Ack) _answers.Refuse(flow, request, route, defect);
    }

    // Only these two carry a byte stream; a WebSocket frame has its own length (RFC 7118 §4.2).
    private static bool HasLength(TransportProtocol transport, SipMessage request) =>
        transport is not (TransportProtocol.Tcp or TransportProtocol.Tls) || request.TryGet(SipHeader.ContentLength, out _);

    private bool TakeMalformed(Instant now, TransportAddress from)
    {
        _output.Counters.Malformed++;
        return _answers.MayAnswer(now, from);
    }

    private void TellMalformed(FlowId flow, TransportAddress from, SipDefect defect) =>
        _output.Tell(new TransactionEvent.Malformed(flow, from, defect));
}
