using SipNat.Endpoint.Addressing;
using SipNat.Traversal.Stun;
using SipNat.Wire;

namespace SipNat.Endpoint;

/// <summary>
/// The SIP flows of the process: which address each has, and, for UDP, how STUN servers see that very socket. SIP's
/// first bytes fall into TURN's channel numbers, so a datagram here is STUN only by its magic cookie and length.
/// </summary>
internal sealed class SignallingFlows(SignallingContext context)
{
    private readonly Dictionary<FlowId, SignallingFlow> _flows = [];
    private readonly DeadlineQueue<FlowId> _deadlines = new();
    private readonly StunBindingResponder _responder = new();
    private bool _mappingChanged;
    private StunBindingOptions _stun = new() { KeepaliveBound = context.Options.Keepalive };

    public Instant? Deadline => _deadlines.Next;

    public bool TryGet(FlowId id, out SignallingFlow flow) => _flows.TryGetValue(id, out flow!);

    /// <summary>A UDP flow on the same local address, else of the same family; null where none is open.</summary>
    public FlowId? FindUdp(TransportAddress local, TransportAddress destination)
    {
        FlowId? found = null;
        foreach (var (id, flow) in _flows)
        {
            if (flow.Transport is not TransportProtocol.Udp || flow.Local.Family != destination.Family) continue;
            if (flow.Local.IsLoopback && !destination.IsLoopback) continue;
            if (flow.Local.HasSameAddress(local)) return id;

            found ??= id;
        }

        return found;
    }

    /// <summary>An open connection with a peer's address and port; null where there is none.</summary>
    /// <param name="tlsName">What its certificate has to have named, where it has TLS.</param>
    public FlowId? FindConnection(TransportProtocol transport, TransportAddress remote, string? tlsName)
    {
        foreach (var (id, flow) in _flows)
        {
            if (flow.Opened.IsAbout(transport, remote, tlsName)) return id;
        }

        return null;
    }

    public void HandleFlow(Instant now, FlowId id, FlowChange change)
    {
        if (change.Kind is FlowChangeKind.Opened)
        {
            var flow = new SignallingFlow(change) { PublicAddress = change.Transport.IsReliable ? LastKnown(change.Local) : default };
            _flows[id] = flow;
            if (change.Transport is TransportProtocol.Udp) Ask(now, id, flow);
        }
        else if (change.Kind is FlowChangeKind.Closed)
        {
            _flows.Remove(id);
            _deadlines.Remove(id);
        }
    }

    /// <summary>Ends a connection that nobody is at the other end of: from this moment it is as if it had been closed.</summary>
    public void GiveUp(Instant now, FlowId id)
    {
        if (!TryGet(id, out var flow)) return;

        var closed = flow.Opened with { Kind = FlowChangeKind.Closed };
        HandleFlow(now, id, closed);
        context.Transactions.HandleFlow(now, id, closed);
        context.FlowRequests.Enqueue(new(FlowRequestKind.Close, id, flow.Transport, flow.Remote));
    }

    public void SetStunServers(Instant now, IReadOnlyList<TransportAddress> servers)
    {
        if (_stun.Servers.SequenceEqual(servers)) return;

        _stun = _stun with { Servers = [.. servers] };
        foreach (var (id, flow) in _flows.OrderBy(f => f.Key.Value))
        {
            if (flow.Transport is TransportProtocol.Udp) Ask(now, id, flow);
        }
    }

    public bool HasStunServers => _stun.Servers.Count > 0;

    /// <summary>Asks how every UDP flow is seen at once.</summary>
    public void Refresh(Instant now)
    {
        foreach (var (id, flow) in _flows.OrderBy(f => f.Key.Value))
        {
            if (flow.Stun is not { } client) continue;

            client.Refresh(now);
            Settle(now, id, client);
        }
    }

    /// <summary>Mappings that a NAT let end between two keepalives.</summary>
    public long MappingsEnded { get; private set; }

    /// <summary>
    /// The longest time between two packets that keep the mapping of a flow alive. Of connections no lifetime is measured:
    /// NATs keep them for hours (RFC 5382 REQ-5).
    /// </summary>
    public TimeSpan KeepaliveOf(FlowId id) => TryGet(id, out var flow) && flow.Stun is { } client ? client.KeepaliveBound : context.Options.Keepalive;

    /// <summary>The same for every UDP flow from here on, as lifetimes were measured.</summary>
    public void LimitKeepalive(Instant now, TimeSpan bound)
    {
        if (_stun.KeepaliveBound == bound) return;

        _stun = _stun with { KeepaliveBound = bound };
        foreach (var (id, flow) in _flows.OrderBy(f => f.Key.Value))
        {
            if (flow.Stun is not { } client) continue;

            client.LimitKeepalive(now, bound);
            Settle(now, id, client);
        }
    }

    /// <summary>Binding requests that were answered.</summary>
    public long BindingsAnswered => _responder.Answered;

    /// <summary>
    /// Answers a Binding request of somebody who may ask: a peer that keeps its way to us open (RFC 5626 §8), and learns
    /// how it is seen. False for everything else.
    /// </summary>
    public bool TryAnswerBinding(Instant now, FlowId id, TransportAddress from, ReadOnlySpan<byte> datagram)
    {
        if (!StunMessage.TryRead(datagram, out var request, out _) || !StunBindingResponder.IsRequest(request)) return false;
        if (!_flows.TryGetValue(id, out var flow) || flow.Transport is not TransportProtocol.Udp) return false;

        Span<byte> response = stackalloc byte[StunBindingResponder.MaxResponseLength];
        if (_responder.TryAnswer(now, from, request, response, out var length)) context.Outbox.Add(id, from, response[..length]);
        return true;
    }

    /// <summary>Takes a datagram that is STUN; false leaves it to SIP.</summary>
    public bool TryHandleStun(Instant now, FlowId id, TransportAddress from, ReadOnlySpan<byte> datagram)
    {
        if (!StunMessage.LooksLikeStun(datagram)) return false;
        if (!_flows.TryGetValue(id, out var flow) || flow.Stun is not { } client) return true;

        client.TryHandle(now, from, datagram);
        Settle(now, id, client);
        return true;
    }

    /// <summary>Sends what keeps the way to a peer open and needs no answer (RFC 5626 §3.5).</summary>
    /// <param name="takesStun">Whether the peer has said that it takes STUN over UDP; two line ends otherwise.</param>
    public void SendKeepalive(FlowId id, TransportAddress peer, bool takesStun)
    {
        if (!_flows.TryGetValue(id, out var flow)) return;
        if (!takesStun || flow.Transport is not TransportProtocol.Udp)
        {
            context.Outbox.Add(id, peer, "\r\n\r\n"u8);
            return;
        }

        Span<byte> buffer = stackalloc byte[StunMessage.HeaderLength];
        var request = new StunWriter(buffer, StunClass.Request, StunMethod.Binding, StunTransactionId.Create(context.Random));
        context.Outbox.Add(id, peer, request.Written);
    }

    public void HandleTimeout(Instant now)
    {
        while (_deadlines.TryTakeDue(now, out var id))
        {
            if (_flows.TryGetValue(id, out var flow) && flow.Stun is { } client) Settle(now, id, client);
        }
    }

    /// <summary>The address that a peer can send its requests to, for a Contact; false for a flow that is closed.</summary>
    public bool TryAdvertise(FlowId id, TransportAddress peer, out AdvertisedAddress advertised)
    {
        advertised = default;
        if (!_flows.TryGetValue(id, out var flow)) return false;

        var local = context.ListeningAddress(flow);
        advertised = context.Advisor.Advise(new()
        {
            Use = AddressUse.Signalling,
            Transport = flow.Transport,
            Peer = peer,
            Local = local,
            Mapping = flow.Stun is { } client ? SocketMapping.Of(client) : null,
            LastKnown = flow.Stun?.LastMapped ?? LastKnown(local),
        });
        return true;
    }

    /// <summary>
    /// Ends the connections of ours that were made from another public address than this host has now: they lead nowhere, and
    /// the system finds that out minutes later.
    /// </summary>
    public void GiveUpStale(Instant now)
    {
        foreach (var (id, flow) in _flows.ToList())
        {
            if (flow.PublicAddress.IsNone || flow.IsAccepted || context.Advisor.LocalNetworks.IsInside(flow.Remote)) continue;
            if (LastKnown(flow.Local) is { IsNone: false } known && !known.HasSameAddress(flow.PublicAddress)) GiveUp(now, id);
        }
    }

    /// <summary>Whether what is known of a flow's mapping has changed; asking clears it.</summary>
    public bool TakeMappingChanged()
    {
        var changed = _mappingChanged;
        _mappingChanged = false;
        return changed;
    }

    /// <summary>The public address of this host as any socket of that local address last learned it; port 0.</summary>
    public TransportAddress LastKnown(TransportAddress local)
    {
        foreach (var flow in _flows.Values)
        {
            if (flow.Stun?.LastMapped is { } mapped && flow.Local.HasSameAddress(local)) return mapped.WithPort(0);
        }

        return default;
    }

    private void Ask(Instant now, FlowId id, SignallingFlow flow)
    {
        flow.Stun = new(id, flow.Local, _stun.ReachableFrom(flow.Local), context.Random);
        flow.Stun.Start(now);
        Settle(now, id, flow.Stun);
    }

    private void Settle(Instant now, FlowId id, StunBindingClient client)
    {
        client.HandleTimeout(now, context.Outbox);
        while (client.TryTake(out var happened))
        {
            if (happened is StunBindingEvent.MappingEnded) MappingsEnded++;
            _mappingChanged |= happened is StunBindingEvent.MappingLearned or StunBindingEvent.MappingChanged
                or StunBindingEvent.MappingDependsOnDestination;
            context.Tell(new SignallingNotice.Mapping(happened));
        }

        _deadlines.Set(id, client.Deadline);
    }
}

/// <summary>One open SIP flow.</summary>
/// <param name="opened">What was told when it opened.</param>
internal sealed class SignallingFlow(FlowChange opened)
{
    public FlowChange Opened { get; } = opened;

    public TransportProtocol Transport => Opened.Transport;

    public TransportAddress Local => Opened.Local;

    /// <summary>The peer of a connection; none for UDP.</summary>
    public TransportAddress Remote => Opened.Remote;

    /// <summary>Whether the peer made the connection.</summary>
    public bool IsAccepted => Opened.IsAccepted;

    public StunBindingClient? Stun { get; set; }

    /// <summary>Of a connection, as what this host was known outside when it was made; none where that was not known.</summary>
    public TransportAddress PublicAddress { get; init; }
}
