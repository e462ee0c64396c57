using SipNat.Media.Streams;
using SipNat.Wire;

namespace SipNat.Endpoint.Calls;

/// <summary>
/// What one stream sends, which is never voice: receiver reports, and the packets that open and keep the pinhole. Decides
/// by which way and to whom.
/// </summary>
internal sealed class StreamSender
{
    private readonly MediaPort _port;
    private readonly MediaSender _session;
    private readonly RecordedStream _recorded;
    private readonly SourceLatch _controlLatch;
    private readonly KeepaliveSender _keepalive;
    private MediaStreamSettings _settings;
    private MediaSettings _sessionSettings;
    private bool _isSending;

    public StreamSender(
        MediaPort port,
        MediaStreamSettings settings,
        MediaSettings sessionSettings,
        MediaPlaneOptions options,
        MediaSender session,
        RecordedStream recorded,
        SourceLatch controlLatch,
        Random random)
    {
        (_port, _session, _recorded, _controlLatch) = (port, session, recorded, controlLatch);
        (_settings, _sessionSettings) = (settings, sessionSettings);
        var ssrc = (uint)random.NextInt64(1L << 32);
        Reporter = new(new() { Ssrc = ssrc, Cname = session.Cname, KeepaliveInterval = options.Keepalive }, session.Gate, random);
        _keepalive = new(ssrc, KeepaliveSender.ChoosePayloadType(recorded.Payloads), options.Keepalive, session.Gate, random);
    }

    public RtcpReporter Reporter { get; }

    public Instant? Deadline => Instant.Earlier(Reporter.Deadline, _keepalive.Deadline);

    /// <summary>Packets that were to keep the pinhole of the RTP port open.</summary>
    public long PacketsSent => _keepalive.Sent;

    /// <summary>Takes what was agreed on. Another destination has a pinhole of its own, which has to be opened.</summary>
    public void Configure(Instant now, MediaStreamSettings settings, MediaSettings session)
    {
        var before = (MediaRoute(), ControlRoute());
        (_settings, _sessionSettings) = (settings, session);
        if (_isSending && before == (MediaRoute(), ControlRoute())) return;

        _isSending = true;
        Reporter.Start(now);
        _keepalive.Start(now);
    }

    /// <summary>Sends what keeps the pinhole open at once: towards another address than before, or as nobody knows how long it held.</summary>
    public void Restart(Instant now)
    {
        if (!_isSending) return;

        _keepalive.Start(now);
        Send(now);
    }

    /// <summary>Sends what is due.</summary>
    public void Send(Instant now)
    {
        var (media, control) = (MediaRoute(), ControlRoute());
        // Checks keep an ICE path open, and nothing else may be sent while ICE looks for one.
        if (media.Kind is not RouteKind.Plain) _keepalive.Stop();
        else _keepalive.HandleTimeout(now, OutboxOf(media), media.Flow, media.Remote);

        Reporter.HandleTimeout(now, _recorded.Receiver, OutboxOf(control), control.Flow, control.Remote);
    }

    /// <summary>Says goodbye by RTCP where reports were sent.</summary>
    public void Finish(Instant now)
    {
        var control = ControlRoute();
        Reporter.Finish(now, _recorded.Receiver, OutboxOf(control), control.Flow, control.Remote);
    }

    private PathRoute MediaRoute() => RouteOf(1, _port.Flows.Rtp, _settings.RemoteRtp, _recorded.Latch.Locked);

    // Where RTCP has not been heard, but RTP comes from a NAT, the control port of the description leads nowhere there.
    private PathRoute ControlRoute() => _settings.RtcpMux
        ? MediaRoute()
        : RouteOf(2, _port.Flows.Rtcp, _settings.RemoteRtcp, _controlLatch.Locked);

    private PathRoute RouteOf(int component, FlowId socket, TransportAddress described, TransportAddress seen)
    {
        var route = _port.Paths?.RouteOf(component, _settings.IsRelayed) ?? new(RouteKind.Plain, default, default, null);
        return route.Kind is RouteKind.Plain
            ? route with { Flow = route.Outbox is null ? socket : route.Flow, Remote = DestinationOf(described, seen) }
            : route;
    }

    private Outbox OutboxOf(PathRoute route) => route.Outbox ?? _session.Outbox;

    private TransportAddress DestinationOf(TransportAddress described, TransportAddress seen) => _session.Policy.Decide(new()
    {
        SignallingSource = _sessionSettings.SignallingSource,
        Described = described,
        AckReceived = _sessionSettings.Acknowledged,
        MediaSeenFrom = seen,
    }).Address;
}
