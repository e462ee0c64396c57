using System.Diagnostics;
using SipNat.Endpoint.Diagnosis;
using SipNat.Endpoint.Siprec;
using SipNat.Traversal.Stun;
using SipNat.Traversal.Turn;
using SipNat.Wire;

namespace SipNat.Endpoint.Media;

/// <summary>
/// Owns the media ports of one thread, spare ones included, and the media of its sessions. It has no IO: it asks for
/// ports by <see cref="TryTakePortRequest"/>, is handed datagrams, and gives back what is to be sent, written and told.
/// </summary>
public sealed partial class MediaPlane
{
    private const int MaxSessions = 20_000;
    private const int MaxPortsPerSession = 64;

    /// <summary>Between two visits of a socket that is looked at in turn.</summary>
    public static readonly TimeSpan VisitInterval = TimeSpan.FromMilliseconds(200);

    private MediaPlaneOptions _options;
    private readonly Random _random;
    private readonly Dictionary<FlowId, MediaPort> _portsByFlow = [];
    private readonly SortedDictionary<string, SparePorts> _spares = new(StringComparer.Ordinal);
    private readonly Dictionary<SessionId, MediaSession> _sessions = [];
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

    /// <summary>Mappings that a NAT let end between two keepalives; each made those of its socket more frequent.</summary>
    public long MappingsEnded { get; private set; }

    /// <summary>Sessions that are open.</summary>
    public int Sessions => _sessions.Count;

    /// <summary>Whether a session is open.</summary>
    public bool Has(SessionId session) => _sessions.ContainsKey(session);

    public bool TryTakePortRequest(out MediaPortRequest request) => _output.PortRequests.TryDequeue(out request!);

    /// <summary>Takes what is wanted of connections; asked before the outbox is drained, it finds every connection made.</summary>
    public bool TryTakeConnectionRequest(out MediaConnectionRequest request) => _output.Connections.TryDequeue(out request!);

    public bool TryTakeEvent(out MediaEvent happened) => _output.Events.TryDequeue(out happened!);

    /// <summary>Takes audio for a file; whoever takes it owns its buffer.</summary>
    public bool TryTakeWrite(out RecordingWrite write) => _output.Writes.TryDequeue(out write);

    /// <summary>Takes a block of a call that is captured; whoever takes it releases it.</summary>
    public bool TryTakeCapture(out CapturedAudio block) => _output.Captures.TryTake(out block);

    /// <summary>Keeps spare ports on an internal address from here on.</summary>
    public void Prepare(TransportAddress local)
    {
        var spares = SparesOf(local);
        spares.IsKept = true;
        Fill(spares);
    }

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

    /// <summary>
    /// The longest time between two packets that keep a mapping alive, as lifetimes were measured; for ports that are open
    /// and for those that will be. Streams that run take it up with their next packet.
    /// </summary>
    public void LimitKeepalive(Instant now, TimeSpan bound)
    {
        if (_stun.KeepaliveBound == bound) return;

        _stun = _stun with { KeepaliveBound = bound };
        foreach (var (flow, port) in _portsByFlow.OrderBy(p => p.Key.Value).ToList())
        {
            if (flow != port.Flows.Rtp) continue;

            port.LimitKeepalive(now, bound);
            RunPort(now, port);
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
            case MediaCommand.Play or MediaCommand.SendDigits or MediaCommand.CaptureAudio:
                if (!_sessions.TryGetValue(command.Session, out var heard)) break;
                heard.HandleAudio(now, command);
                Settle(now, heard);
                break;
            case MediaCommand.KeepOpen(var id):
                if (_sessions.TryGetValue(id, out var kept)) KeepOpen(now, kept);
                break;
            case MediaCommand.Close(var id, var peerIsGone):
                if (_sessions.TryGetValue(id, out var closing)) Close(now, closing, peerIsGone);
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
    public bool TrySendAudio(Instant now, SessionId id, int port, int payloadType, ReadOnlySpan<byte> payload, int samples)
    {
        if (!_sessions.TryGetValue(id, out var session) || !session.TrySendAudio(now, port, payloadType, payload, samples)) return false;

        Settle(now, session);
        return true;
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

    /// <summary>Takes what a socket had when it was visited, in order: what follows of packets is done once for all of them.</summary>
    /// <param name="now">The time of this input.</param>
    /// <param name="received">Empty where a visit has found nothing, or is the last one.</param>
    /// <param name="bytes">Those of all datagrams.</param>
    /// <param name="isVisited">
    /// Whether the socket will be looked at again in <see cref="VisitInterval"/> whatever comes, and so on until this is told
    /// to be over: what has to be done meanwhile is done then, and needs no deadline.
    /// </param>
    public void HandleBatch(Instant now, FlowId flow, ReadOnlySpan<ReceivedDatagram> received, ReadOnlySpan<byte> bytes, bool isVisited = false)
    {
        if ((received.Length != 1 || isVisited) && _portsByFlow.TryGetValue(flow, out var port) && port is { Paths: null, Owner: { } session })
        {
            // A check or an answer of a STUN server among media is handled by itself, where it stands.
            var isSooner = received.IsEmpty && session.HandleBatch(now, port.Index, flow, [], bytes, isVisited);
            for (var begin = 0; begin < received.Length;)
            {
                var end = begin;
                while (end < received.Length && !StunMessage.LooksLikeStun(BytesOf(received[end], bytes))) end++;
                if (end > begin) isSooner |= session.HandleBatch(now, port.Index, flow, received[begin..end], bytes, isVisited);
                if (end < received.Length) HandleDatagram(now, received[end].Arrival, flow, received[end].From, BytesOf(received[end], bytes));
                begin = end + 1;
            }

            if (isSooner) Schedule(session);
            return;
        }

        foreach (ref readonly var datagram in received) HandleDatagram(now, datagram.Arrival, flow, datagram.From, BytesOf(datagram, bytes));
    }

    /// <summary>
    /// Whether nobody waits for what comes to a socket: it carries a recording whose source is known, and the time at which
    /// it is looked at changes nothing but memory.
    /// </summary>
    public bool CanWait(FlowId flow) => _portsByFlow.TryGetValue(flow, out var port) && port.Owner is { } session && session.CanWait(port.Index);

    /// <summary>The sockets of a session; none where there is no such session.</summary>
    public IEnumerable<FlowId> FlowsOf(SessionId id) => _sessions.TryGetValue(id, out var session)
        ? session.Ports.SelectMany(port => port.Pairs).SelectMany(pair => new[] { pair.Flows.Rtp, pair.Flows.Rtcp })
        : [];

    private static ReadOnlySpan<byte> BytesOf(in ReceivedDatagram datagram, ReadOnlySpan<byte> bytes) => bytes.Slice(datagram.Offset, datagram.Length);

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
        if (_portsByFlow.TryGetValue(flow, out var port) && port.SendsMediaBy(flow)) port.Owner?.HandleSendFailed(port.Index);
    }

    /// <summary>The networks of this machine are others: sessions that begin from here on judge by them.</summary>
    public void SetNetworks(IReadOnlyList<NetworkPrefix> local, IReadOnlyList<NetworkPrefix> allowed) =>
        _options = _options with { LocalNetworks = local, AllowedNetworks = allowed };

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

    private void KeepOpen(Instant now, MediaSession session)
    {
        foreach (var port in session.Ports)
        {
            port.Refresh(now);
            RunPort(now, port);
        }

        session.KeepOpen(now);
        Settle(now, session);
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

    private void RunPort(Instant now, MediaPort port)
    {
        // A changed mapping may begin ICE anew, and a new path makes streams send: all of it is due at once.
        port.HandleTimeout(now, Outbox);
        FollowChanges(now, port);
        if (port.TakeEnded() is { } ended) HandleEnd(now, port, ended);
        if (port.Paths is { } paths) RunPaths(now, port, paths);
        _portDeadlines.Set(port, port.Deadline);
    }

    // With the mapping towards the server the pinhole towards the peer ended too.
    private void HandleEnd(Instant now, MediaPort port, StunBindingEvent.MappingEnded ended)
    {
        MappingsEnded++;
        if (port.Owner is not { } session) return;

        _output.Events.Enqueue(new MediaEvent.Found(session.Id, new(FindingCode.MappingEnded, $"Media port {ended.Local.Port}: {ended.Explain()}", now)));
        session.KeepOpen(now);
        Schedule(session);
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
        FollowChanges(now, port);
    }

    private void FollowChanges(Instant now, MediaPort port)
    {
        var isChanged = port.TakeChanged(now);
        if (port.Paths is { } paths)
        {
            if (paths.TakeSettled()) isChanged |= TryNarrow(port);
            if (paths.TakeWantsSockets()) Widen(now, port);
        }

        if (isChanged) TellAddresses(port);
    }

    // What awaits sockets is told once they are there.
    private void TellAddresses(MediaPort port)
    {
        if (port.Owner is { } session && port.AwaitedHosts.Count == 0) _output.Events.Enqueue(new MediaEvent.AddressesChanged(session.Id, port.Index, port.TellAddresses()));
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
}
