using SipNat.Traversal.Turn;
using SipNat.Wire;

namespace SipNat.Endpoint.Media;

/// <summary>The ports of a media plane: those that are kept ready, those of sessions, and who waits for one.</summary>
public sealed partial class MediaPlane
{
    public void HandlePortBound(Instant now, MediaPortFlows flows)
    {
        var port = new MediaPort(now, new(now, flows, _stun.ReachableFrom(flows.LocalRtp), _random));
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

    private void Open(Instant now, MediaCommand.Open open)
    {
        if (_sessions.Count >= MaxSessions || open.Ports > MaxPortsPerSession || _sessions.ContainsKey(open.Session))
        {
            _output.Events.Enqueue(new MediaEvent.Refused(open.Session, $"more than {MaxSessions} sessions or {MaxPortsPerSession} media"));
            return;
        }

        var session = new MediaSession(open.Session, open.Local, _options, _output, _random);
        _sessions.Add(open.Session, session);
        _output.Sessions++;
        AddPorts(now, session, open.Ports);
    }

    private void AddPorts(Instant now, MediaSession session, int ports)
    {
        session.Wanted = Math.Min(session.Wanted + ports, MaxPortsPerSession);
        if (!_waiting.Contains(session)) _waiting.Add(session);
        var spares = SparesOf(session.Local);
        (spares.IsKept, spares.Refusal) = (true, null);
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

        ServeWidening(now);
        foreach (var spares in _spares.Values) Fill(spares);
    }

    private void Gather(Instant now, MediaPort port, PathNeeds needs)
    {
        var wantsRelay = needs.WantsRelay || (!needs.IsLocalPeer && (needs.IceComponents > 0 || _options.IsRelayOnly || port.IsHardToReach));
        var local = port.Flows.LocalRtp;
        IReadOnlyList<TurnServerOptions> servers = wantsRelay
            ? [.. _turn.Where(s => s.Server.Family == local.Family && s.Server.IsLoopback == local.IsLoopback)]
            : [];
        var relays = servers.Count == 0 ? null : new RelayFlows(port.Flows, servers, _madeUp, _output.Connections, _random, port.Relays);
        if (needs.IceComponents > 0 && port.Paths is null) port.SetLocalPreference(HostsOf(local)[0].LocalPreference);
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

        _output.Events.Enqueue(new MediaEvent.Opened(session.Id, [.. session.Ports.Select(p => p.TellAddresses())]));
        Schedule(session);
    }

    private void Refuse(MediaSession session, string reason)
    {
        _output.Events.Enqueue(new MediaEvent.Refused(session.Id, reason));
        session.Wanted = session.Ports.Count;
        if (session.Ports.Count == 0) Remove(session);
    }

    private void Remove(MediaSession session)
    {
        if (_sessions.Remove(session.Id)) _output.Sessions--;
    }

    private void Close(Instant now, MediaSession session, bool peerIsGone)
    {
        Remove(session);
        _waiting.Remove(session);
        session.Close(now, peerIsGone);
        foreach (var port in session.Ports)
        {
            port.Paths?.Forward(now);
            port.Paths?.ReleaseRelays(now);
            if (port.Paths is { } paths) Outbox.TakeAllFrom(paths.Outbox);
            Close(port);
        }

        // Audio of a long silence is handed over yet; its ports do nothing more.
        session.Ports.Clear();
        Schedule(session);
    }

    private void Close(MediaPort port)
    {
        _portDeadlines.Remove(port);
        _widening.Remove(port);
        foreach (var connection in port.Relays?.Connections ?? [])
        {
            if (_portsByFlow.Remove(connection)) _output.Connections.Enqueue(new MediaConnectionRequest.Disconnect(connection));
        }

        foreach (var pair in port.Pairs) Close(pair.Flows);
    }

    private void Close(MediaPortFlows flows)
    {
        _portsByFlow.Remove(flows.Rtp);
        _portsByFlow.Remove(flows.Rtcp);
        _output.PortRequests.Enqueue(new MediaPortRequest.Close(flows));
    }

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

        foreach (var port in _widening)
        {
            foreach (var (host, _) in port.AwaitedHosts) needed += host.HasSameAddress(spares.Local) ? 1 : 0;
        }

        var wanted = Math.Max(spares.IsKept ? _options.SparePorts : 0, needed) - spares.Ports.Count - spares.Requested;
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

        /// <summary>Whether some are kept ready: sessions come in on the address, and do not only try it by ICE.</summary>
        public bool IsKept { get; set; }

        /// <summary>Asked of the shell and not yet answered.</summary>
        public int Requested { get; set; }

        /// <summary>Why the shell refused, since a session last asked for ports; null where it did not.</summary>
        public string? Refusal { get; set; }
    }
}
