using System.Diagnostics;
using SipNat.Endpoint.Siprec;
using SipNat.Traversal.Stun;
using SipNat.Traversal.Turn;
using SipNat.Wire;

namespace SipNat.Endpoint.Calls;

/// <summary>
/// Owns the media ports of one thread, spare ones included, and the media of its sessions. It has no IO: it asks for
/// ports by <see cref="TryTakePortRequest"/>, is handed datagrams, and gives back what is to be sent, written and told.
/// </summary>
public sealed class MediaPlane
{
    private const int MaxSessions = 20_000;
    private const int MaxPortsPerSession = 64;

    private readonly MediaPlaneOptions _options;
    private readonly Random _random;
    private readonly Dictionary<FlowId, MediaPort> _portsByFlow = [];
    private readonly SortedDictionary<string, SparePorts> _spares = new(StringComparer.Ordinal);
    private readonly Dictionary<RecordingId, MediaSession> _sessions = [];
    private readonly List<MediaSession> _waiting = [];
    private readonly DeadlineQueue<MediaPort> _portDeadlines = new();
    private readonly DeadlineQueue<MediaSession> _sessionDeadlines = new();
    private readonly MediaOutput _output = new();
    private readonly MadeUpFlows _madeUp = new();
    private StunBindingOptions _stun;
    private IReadOnlyList<TurnServerOptions> _turn = [];

    public MediaPlane(MediaPlaneOptions options, Random random)
    {
        (_options, _random) = (options, random);
        _stun = new() { KeepaliveBound = options.Keepalive };
    }

    public Outbox Outbox => _output.Outbox;

    public Instant? Deadline => Instant.Earlier(_portDeadlines.Next, _sessionDeadlines.Next);

    /// <summary>Datagrams that belonged to no session: late, stray or hostile.</summary>
    public long Unowned { get; private set; }

    /// <summary>Sessions that are open.</summary>
    public int Sessions => _sessions.Count;

    public bool TryTakePortRequest(out MediaPortRequest request) => _output.PortRequests.TryDequeue(out request!);

    /// <summary>Takes what is wanted of connections; asked before the outbox is drained, it finds every connection made.</summary>
    public bool TryTakeConnectionRequest(out MediaConnectionRequest request) => _output.Connections.TryDequeue(out request!);

    public bool TryTakeEvent(out MediaEvent happened) => _output.Events.TryDequeue(out happened!);

    /// <summary>Takes audio for a file; whoever takes it owns its buffer.</summary>
    public bool TryTakeWrite(out RecordingWrite write) => _output.Writes.TryDequeue(out write);

    /// <summary>Keeps spare ports on an internal address from here on.</summary>
    public void Prepare(TransportAddress local) => Fill(SparesOf(local));

    /// <summary>The resolved STUN servers; ports that are bound from here on ask them, spare ones are bound anew.</summary>
    public void SetStunServers(Instant now, IReadOnlyList<TransportAddress> servers)
    {
        if (_stun.Servers.SequenceEqual(servers)) return;

        _stun = _stun with { Servers = [.. servers] };
        foreach (var spares in _spares.Values)
        {
            while (spares.Ports.TryDequeue(out var port)) Close(port);
            Fill(spares);
        }
    }

    /// <summary>The resolved TURN servers, with credentials that are good now; sessions ask them from here on.</summary>
    public void SetTurnServers(IReadOnlyList<TurnServerOptions> servers) => _turn = [.. servers];

    public void HandleCommand(Instant now, MediaCommand command)
    {
        switch (command)
        {
            case MediaCommand.Open open:
                Open(now, open);
                break;
            case MediaCommand.AddPorts(var id, var ports):
                if (_sessions.TryGetValue(id, out var known)) AddPorts(now, known, ports);
                break;
            case MediaCommand.Gather(var id, var port, var needs):
                if (!_sessions.TryGetValue(id, out var gathering)) break;
                if (port < gathering.Ports.Count) Gather(now, gathering.Ports[port], needs);
                else if (port < MaxPortsPerSession) gathering.Needs[port] = needs;
                break;
            case MediaCommand.Configure(var id, var settings):
                if (!_sessions.TryGetValue(id, out var configured)) break;
                configured.Configure(now, settings);
                Settle(now, configured);
                break;
            case MediaCommand.Close(var id, var peerIsGone):
                if (_sessions.Remove(id, out var closing)) Close(now, closing, peerIsGone);
                break;
            default:
                throw new UnreachableException();
        }
    }

    /// <summary>
    /// Sends a packet of audio by the way that the stream has at this moment. False where it may not be sent: there is no
    /// such stream, ICE looks for a path, or the peer has not proved that it is where its description says.
    /// </summary>
    /// <param name="port">Its place among the ports of the session.</param>
    /// <param name="payloadType">As negotiated, 0–127.</param>
    /// <param name="samples">How long the payload lasts, in units of the format's clock.</param>
    public bool TrySendAudio(Instant now, RecordingId id, int port, int payloadType, ReadOnlySpan<byte> payload, int samples)
    {
        if (!_sessions.TryGetValue(id, out var session) || !session.TrySendAudio(port, payloadType, payload, samples)) return false;

        Settle(now, session);
        return true;
    }

    public void HandlePortBound(Instant now, MediaPortFlows flows)
    {
        var port = new MediaPort(now, flows, _stun.ReachableFrom(flows.LocalRtp), _random);
        _portsByFlow.Add(flows.Rtp, port);
        _portsByFlow.Add(flows.Rtcp, port);
        var spares = SparesOf(flows.LocalRtp);
        spares.Requested--;
        spares.Ports.Enqueue(port);
        RunPort(now, port);
        ServeWaiting(now);
    }

    public void HandlePortRefused(Instant now, TransportAddress local, string reason)
    {
        var spares = SparesOf(local);
        spares.Requested--;
        spares.Refusal = reason;
        ServeWaiting(now);
    }

    /// <param name="now">The time of this input.</param>
    /// <param name="arrival">When the kernel received the datagram; for jitter and the timeline only.</param>
    public void HandleDatagram(Instant now, Instant arrival, FlowId flow, TransportAddress from, ReadOnlySpan<byte> datagram)
    {
        if (!_portsByFlow.TryGetValue(flow, out var port))
        {
            Unowned++;
            return;
        }

        if (port.Paths is { } paths)
        {
            var input = paths.TryUnwrap(now, flow, from, datagram, out var relayFlow, out var packet);
            if (input is TurnInput.Taken)
            {
                RunPort(now, port);
                return;
            }

            if (input is TurnInput.Packet)
            {
                HandleUnwrapped(now, arrival, port, relayFlow, packet.Peer, packet.Payload);
                return;
            }
        }

        HandleUnwrapped(now, arrival, port, flow, from, datagram);
    }

    private void HandleUnwrapped(Instant now, Instant arrival, MediaPort port, FlowId flow, TransportAddress from, ReadOnlySpan<byte> datagram)
    {
        if (StunMessage.LooksLikeStun(datagram))
        {
            if (!port.TryHandle(now, flow, from, datagram)) Unowned++;
            RunPort(now, port);
            return;
        }

        if (port.Owner is not { } session)
        {
            Unowned++;
            return;
        }

        session.HandleDatagram(now, arrival, port.Index, flow, from, datagram);
        Settle(now, session);
    }

    /// <summary>What became of a connection that was asked for.</summary>
    public void HandleFlow(Instant now, FlowId flow, FlowChange change)
    {
        if (change.Kind is FlowChangeKind.SendFailed)
        {
            HandleSendFailed(flow);
            return;
        }

        if (!_portsByFlow.TryGetValue(flow, out var port) || port.Paths is not { } paths) return;

        if (change.Kind is FlowChangeKind.Closed or FlowChangeKind.Refused) _portsByFlow.Remove(flow);
        paths.HandleFlow(now, flow, change);
        RunPort(now, port);
    }

    /// <summary>The system refused to send a datagram: a local firewall, or no route.</summary>
    private void HandleSendFailed(FlowId flow)
    {
        if (_portsByFlow.TryGetValue(flow, out var port) && flow == port.Flows.Rtp) port.Owner?.HandleSendFailed(port.Index);
    }

    /// <summary>
    /// The time of day and the time since the start have parted, as after a suspend: pinholes and mappings may be gone, so
    /// that each is opened and asked for anew.
    /// </summary>
    public void HandleWallTime(Instant now, DateTimeOffset wall)
    {
        foreach (var (flow, port) in _portsByFlow.OrderBy(p => p.Key.Value).ToList())
        {
            if (flow != port.Flows.Rtp) continue;

            port.Refresh(now);
            RunPort(now, port);
        }

        foreach (var session in _sessions.Values.OrderBy(s => s.Id.Value, StringComparer.Ordinal).ToList())
        {
            session.KeepOpen(now);
            Settle(now, session);
        }
    }

    public void HandleTimeout(Instant now)
    {
        while (_portDeadlines.TryTakeDue(now, out var port)) RunPort(now, port);
        while (_sessionDeadlines.TryTakeDue(now, out var session))
        {
            session.HandleTimeout(now);
            Settle(now, session);
        }
    }

    private void Open(Instant now, MediaCommand.Open open)
    {
        if (_sessions.Count >= MaxSessions || open.Ports > MaxPortsPerSession || _sessions.ContainsKey(open.Session))
        {
            _output.Events.Enqueue(new MediaEvent.Refused(open.Session, $"more than {MaxSessions} sessions or {MaxPortsPerSession} media"));
            return;
        }

        var session = new MediaSession(open.Session, open.Local, _options, _output, _random);
        _sessions.Add(open.Session, session);
        AddPorts(now, session, open.Ports);
    }

    private void AddPorts(Instant now, MediaSession session, int ports)
    {
        session.Wanted = Math.Min(session.Wanted + ports, MaxPortsPerSession);
        if (!_waiting.Contains(session)) _waiting.Add(session);
        SparesOf(session.Local).Refusal = null;
        ServeWaiting(now);
    }

    // In the order in which they asked. Whoever still waits when everything asked of the shell was answered, and
    // something of it was refused, gets nothing.
    private void ServeWaiting(Instant now)
    {
        for (var i = 0; i < _waiting.Count;)
        {
            var session = _waiting[i];
            var spares = SparesOf(session.Local);
            if (spares.Ports.Count >= session.Missing) Serve(now, session, spares);
            else if (spares is { Requested: 0, Refusal: { } reason }) Refuse(session, reason);
            else
            {
                i++;
                continue;
            }

            _waiting.RemoveAt(i);
        }

        foreach (var spares in _spares.Values) Fill(spares);
    }

    private void Gather(Instant now, MediaPort port, PathNeeds needs)
    {
        var wantsRelay = !needs.IsLocalPeer && (needs.IceComponents > 0 || _options.IsRelayOnly || port.IsHardToReach);
        var local = port.Flows.LocalRtp;
        IReadOnlyList<TurnServerOptions> servers = wantsRelay
            ? [.. _turn.Where(s => s.Server.Family == local.Family && s.Server.IsLoopback == local.IsLoopback)]
            : [];
        var relays = servers.Count == 0 ? null : new RelayFlows(port.Flows, servers, _madeUp, _output.Connections, _random);
        port.Gather(now, needs, _options, relays, _random);
        RunPort(now, port);
        TellAddresses(port);
    }

    private void Serve(Instant now, MediaSession session, SparePorts spares)
    {
        while (session.Missing > 0)
        {
            var port = spares.Ports.Dequeue();
            session.Add(port);
            if (session.Needs.Remove(port.Index, out var needs)) Gather(now, port, needs);
        }

        _output.Events.Enqueue(new MediaEvent.Opened(session.Id, [.. session.Ports.Select(p => p.Addresses)]));
        Schedule(session);
    }

    private void Refuse(MediaSession session, string reason)
    {
        _output.Events.Enqueue(new MediaEvent.Refused(session.Id, reason));
        session.Wanted = session.Ports.Count;
        if (session.Ports.Count == 0) _sessions.Remove(session.Id);
    }

    private void Close(Instant now, MediaSession session, bool peerIsGone)
    {
        _waiting.Remove(session);
        session.Close(now, peerIsGone);
        foreach (var port in session.Ports)
        {
            port.Paths?.Forward(now);
            port.Paths?.ReleaseRelays(now);
            if (port.Paths is { } paths) Outbox.TakeAllFrom(paths.Outbox);
            Close(port);
        }

        Schedule(session);
    }

    private void Close(MediaPort port)
    {
        _portDeadlines.Remove(port);
        _portsByFlow.Remove(port.Flows.Rtp);
        _portsByFlow.Remove(port.Flows.Rtcp);
        foreach (var connection in port.Relays?.Connections ?? [])
        {
            if (_portsByFlow.Remove(connection)) _output.Connections.Enqueue(new MediaConnectionRequest.Disconnect(connection));
        }

        _output.PortRequests.Enqueue(new MediaPortRequest.Close(port.Flows));
    }

    private void RunPort(Instant now, MediaPort port)
    {
        // A changed mapping may begin ICE anew, and a new path makes streams send: all of it is due at once.
        port.HandleTimeout(now, Outbox);
        if (port.TakeChanged(now)) TellAddresses(port);
        if (port.Paths is { } paths) RunPaths(now, port, paths);
        _portDeadlines.Set(port, port.Deadline);
    }

    private void RunPaths(Instant now, MediaPort port, PathFinder paths)
    {
        while (port.Relays?.TryTakeNew(out var connection) is true) _portsByFlow.Add(connection, port);
        // News that come before the answer wait for the stream that they are of.
        if (port.Owner is { } session && session.HasStream(port.Index))
        {
            var isTold = false;
            for (; paths.TryTake(out var happened); isTold = true) session.HandlePath(now, port.Index, happened);
            if (isTold) Schedule(session);
        }

        paths.Forward(now);
        Outbox.TakeAllFrom(paths.Outbox);
        if (port.TakeChanged(now)) TellAddresses(port);
    }

    private void TellAddresses(MediaPort port)
    {
        if (port.Owner is { } session) _output.Events.Enqueue(new MediaEvent.AddressesChanged(session.Id, port.Index, port.Addresses));
    }

    // What streams sent by relays leaves with them.
    private void Settle(Instant now, MediaSession session)
    {
        foreach (var port in session.Ports)
        {
            if (port.Paths is not { } paths) continue;

            RunPaths(now, port, paths);
            _portDeadlines.Set(port, port.Deadline);
        }

        Schedule(session);
    }

    private void Schedule(MediaSession session) => _sessionDeadlines.Set(session, session.Deadline);

    // As many as are kept ready and as those need who wait. After a refusal the answers that are out are awaited, and
    // nothing is asked for before a session asks: each refusal would lead to the next request, without an end.
    private void Fill(SparePorts spares)
    {
        if (spares.Refusal is not null) return;

        var needed = 0;
        foreach (var session in _waiting)
        {
            if (session.Local.HasSameAddress(spares.Local)) needed += session.Missing;
        }

        var wanted = Math.Max(_options.SparePorts, needed) - spares.Ports.Count - spares.Requested;
        for (; wanted > 0; wanted--)
        {
            spares.Requested++;
            _output.PortRequests.Enqueue(new MediaPortRequest.Bind(spares.Local));
        }
    }

    private SparePorts SparesOf(TransportAddress local)
    {
        var key = local.AddressText;
        if (!_spares.TryGetValue(key, out var spares)) _spares.Add(key, spares = new(local.WithPort(0)));
        return spares;
    }

    private sealed class SparePorts(TransportAddress local)
    {
        public TransportAddress Local { get; } = local;

        public Queue<MediaPort> Ports { get; } = new();

        /// <summary>Asked of the shell and not yet answered.</summary>
        public int Requested { get; set; }

        /// <summary>Why the shell refused, since a session last asked for ports; null where it did not.</summary>
        public string? Refusal { get; set; }
    }
}
