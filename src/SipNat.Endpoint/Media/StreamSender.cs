using System.Buffers.Binary;
using SipNat.Media.Rtp;
using SipNat.Media.Streams;
using SipNat.Wire;

namespace SipNat.Endpoint.Media;

/// <summary>
/// What one stream sends: receiver reports, the packets that open and keep the pinhole, and audio where its owner has any,
/// which a recorder never has. Decides by which way and to whom.
/// </summary>
internal sealed class StreamSender
{
    // Where the source stands in packets of RTP and RTCP (RFC 3550 §5.1, §6.4.1).
    private const int RtpSsrc = 8;
    private const int RtcpSsrc = 4;

    private static readonly TimeSpan GreetingInterval = TimeSpan.FromSeconds(1);

    private readonly MediaPort _port;
    private readonly MediaSender _session;
    private readonly RecordedStream _recorded;
    private readonly SourceLatch _controlLatch;
    private readonly KeepaliveSender _keepalive;
    private readonly RtpSender _audio;
    private readonly StreamProtection _protection;
    private MediaStreamSettings _settings;
    private MediaSettings _sessionSettings;
    private bool _isSending;
    private bool _isAudioFlowing;
    private Instant? _greetedAt;

    public StreamSender(
        MediaPort port,
        MediaStreamSettings settings,
        MediaSettings sessionSettings,
        MediaSender session,
        RecordedStream recorded,
        SourceLatch controlLatch,
        StreamProtection protection,
        Random random)
    {
        (_port, _session, _recorded, _controlLatch, _protection) = (port, session, recorded, controlLatch, protection);
        (_settings, _sessionSettings) = (settings, sessionSettings);
        var ssrc = (uint)random.NextInt64(1L << 32);
        Reporter = new(new() { Ssrc = ssrc, Cname = session.Cname, KeepaliveInterval = port.RtcpKeepalive }, session.Gate, random);
        // Audio, reports and keepalives of a call are of one source.
        _audio = new(settings.Audio is null ? (uint)random.NextInt64(1L << 32) : ssrc, random);
        if (settings.Audio is not null) Reporter.Audio = _audio;
        _keepalive = new(ssrc, KeepaliveSender.ChoosePayloadType(recorded.Payloads), port.RtpKeepalive, session.Gate, random, settings.Audio is null ? null : _audio);
    }

    public RtcpReporter Reporter { get; }

    /// <summary>Keeps what is sent; null where it is not kept.</summary>
    public SentStream? Kept { get; init; }

    public Instant? Deadline => Instant.Earlier(Reporter.Deadline, _keepalive.Deadline);

    /// <summary>Packets that were to keep the pinhole of the RTP port open.</summary>
    public long PacketsSent => _keepalive.Sent;

    /// <summary>Packets of audio that left.</summary>
    public long AudioSent => _audio.Sent;

    /// <summary>Bytes of payload in them.</summary>
    public long AudioOctets => _audio.Octets;

    /// <summary>How many of our packets the peer says it has received; null before it has said so, by a count or by hearing nobody twice.</summary>
    public long? ReceivedByPeer => Reporter.Heard is { Block: var block }
        ? Math.Max(0, (long)block.ExtendedHighest - _audio.FirstSequence + 1 - block.CumulativeLost)
        : Reporter.ReportsOfNobody > 1 ? 0 : null;

    /// <summary>Timestamp units per second of our audio.</summary>
    public int AudioClockRate { get => _audio.ClockRate; set => _audio.ClockRate = value; }

    /// <summary>The RTP time of the next packet.</summary>
    public uint AudioTimestamp => _audio.Timestamp;

    /// <summary>
    /// Whether audio may be sent: not while ICE looks for a path, nor to an address that only a description names. The host
    /// that signals has answered there already, and is no stranger.
    /// </summary>
    public bool MaySendAudio => _isSending && IsOpen(MediaRoute());

    /// <summary>Whether audio is sent to an address at this moment, by a socket and not by a relay.</summary>
    public bool SendsTo(FlowId flow, TransportAddress destination) =>
        _isSending && MediaRoute() is { Outbox: null } route && route.Flow == flow && route.Remote == destination;

    /// <summary>Whether a datagram to that address was a packet of ours; null where too little of it is there to say so.</summary>
    public bool? IsOurs(ReadOnlySpan<byte> beginning)
    {
        if (beginning.Length < RtpPacket.HeaderLength) return null;

        return MediaDemultiplexer.Classify(beginning) switch
        {
            MediaPacketKind.Rtp => BinaryPrimitives.ReadUInt32BigEndian(beginning[RtpSsrc..]) == _audio.Ssrc,
            MediaPacketKind.Rtcp => BinaryPrimitives.ReadUInt32BigEndian(beginning[RtcpSsrc..]) == _audio.Ssrc,
            _ => false,
        };
    }

    /// <summary>Takes what was agreed on. Another destination has a pinhole of its own, which has to be opened.</summary>
    public void Configure(Instant now, MediaStreamSettings settings, MediaSettings session)
    {
        var before = (MediaRoute(), ControlRoute());
        (_settings, _sessionSettings) = (settings, session);
        var isSilenced = settings.Audio is { MaySend: false } && _keepalive.Deadline is null;
        if (_isSending && !isSilenced && before == (MediaRoute(), ControlRoute())) return;

        if (_isSending && isSilenced)
        {
            _keepalive.Start(now);
            return;
        }

        _isSending = true;
        Reporter.Start(now);
        _keepalive.Start(now);
    }

    /// <summary>Sends what keeps the pinhole open at once: towards another address than before, or as nobody knows how long it held.</summary>
    public void Restart(Instant now)
    {
        if (!_isSending) return;

        // The next packet of audio is there as soon, and a player may take an empty one in the midst of them for a lost frame.
        if (!_isAudioFlowing) _keepalive.Start(now);
        Send(now);
    }

    /// <summary>
    /// Sends a packet of audio. False where it may not be: ICE has no path yet, or nothing proves that the peer is where its
    /// description says.
    /// </summary>
    /// <param name="isNoise">It stands for a pause (RFC 3389).</param>
    public bool TrySendAudio(Instant now, int payloadType, ReadOnlySpan<byte> payload, int samples, bool isNoise = false)
    {
        var route = MediaRoute();
        if (!_isSending || !IsOpen(route))
        {
            SkipAudio(samples);
            return false;
        }

        Kept?.Add(now, _audio.Ssrc, _audio.Timestamp, payloadType, payload);
        _audio.Send(now, Open(route), route.Flow, route.Remote, payloadType, payload, samples, isNoise);
        Seal(route);
        _isAudioFlowing = true;
        // Media are a keepalive of their own (RFC 6263 §4).
        _keepalive.Stop();
        return true;
    }

    /// <summary>Sends a packet of an event in the place of audio (RFC 4733).</summary>
    /// <param name="timestamp">When it began.</param>
    /// <param name="isFirst">It begins with this packet.</param>
    public void SendEvent(int payloadType, ReadOnlySpan<byte> payload, uint timestamp, bool isFirst)
    {
        var route = MediaRoute();
        if (!_isSending || !IsOpen(route)) return;

        _audio.SendEvent(Open(route), route.Flow, route.Remote, payloadType, payload, timestamp, isFirst);
        Seal(route);
    }

    /// <summary>Lets time pass without audio.</summary>
    /// <param name="samples">In units of the format's clock.</param>
    public void SkipAudio(int samples)
    {
        _isAudioFlowing = false;
        _audio.Skip(samples);
    }

    /// <summary>
    /// Answers a source that is not followed yet: where both sides wait for the other's media before they send more than
    /// a trickle, and one is behind a NAT that nobody can send to uninvited, it is this packet that gets through.
    /// </summary>
    public void Greet(Instant now, TransportAddress source)
    {
        var route = MediaRoute();
        if (!_isSending || route.Kind is not RouteKind.Plain || route.Remote == source || _greetedAt + GreetingInterval > now) return;

        _greetedAt = now;
        _keepalive.Send(now, Open(route), route.Flow, source);
        Seal(route);
    }

    /// <summary>Sends what is due.</summary>
    public void Send(Instant now)
    {
        var (media, control) = (MediaRoute(), ControlRoute());
        _keepalive.Bound = _port.RtpKeepalive;
        _keepalive.Greeting = _sessionSettings.Acknowledged && !IsOpen(media) ? GreetingOf(_settings.Audio) : null;
        Reporter.KeepaliveInterval = _settings.RtcpMux ? _port.RtpKeepalive : _port.RtcpKeepalive;
        // Checks keep an ICE path open, and nothing else may be sent while ICE looks for one.
        if (media.Kind is not RouteKind.Plain) _keepalive.Stop();
        else _keepalive.HandleTimeout(now, Open(media), media.Flow, media.Remote);

        Seal(media);
        Reporter.HandleTimeout(now, _recorded.Receiver, Open(control), control.Flow, control.Remote);
        Seal(control);
    }

    /// <summary>Says goodbye by RTCP where reports were sent.</summary>
    public void Finish(Instant now)
    {
        var control = ControlRoute();
        Reporter.Finish(now, _recorded.Receiver, Open(control), control.Flow, control.Remote);
        Seal(control);
    }

    private bool IsOpen(PathRoute route) => route.Kind is RouteKind.Ice || (route.Kind is RouteKind.Plain && !route.Remote.IsNone
        && (_session.Gate.IsProven(route.Remote) || (_settings.Audio is not null && _sessionSettings.Acknowledged && route.Remote.HasSameAddress(_sessionSettings.SignallingSource))));

    // 4 ms, which leaves room for an SRTP tag below what a host may be sent that is not known.
    private static (int, ReadOnlyMemory<byte>)? GreetingOf(CallAudioSettings? audio) => audio switch
    {
        { MaySend: true, Format.Name: "PCMU" } => (audio.PayloadType, Silences.Pcmu),
        { MaySend: true, Format.Name: "PCMA" } => (audio.PayloadType, Silences.Pcma),
        _ => null,
    };

    private PathRoute MediaRoute() => RouteOf(1, _port.Flows.Rtp, _settings.RemoteRtp, _settings.KeepsToDescription ? default : _recorded.Latch.Locked);

    // Where RTCP has not been heard, but RTP comes from a NAT, the control port of the description leads nowhere there.
    private PathRoute ControlRoute() => _settings.RtcpMux
        ? MediaRoute()
        : RouteOf(2, _port.Flows.Rtcp, _settings.RemoteRtcp, _controlLatch.Locked);

    private PathRoute RouteOf(int component, FlowId socket, TransportAddress described, TransportAddress seen)
    {
        var route = _port.Paths?.RouteOf(component, _settings.IsRelayed) ?? new(RouteKind.Plain, default, default, null);
        return route.Kind is RouteKind.Plain
            ? route with { Flow = route.Outbox is null ? socket : route.Flow, Remote = DestinationOf(described, seen, route.Outbox is null ? socket : default) }
            : route;
    }

    private Outbox Open(PathRoute route) => _protection.Open(OutboxOf(route));

    private void Seal(PathRoute route) => _protection.Seal(OutboxOf(route));

    private Outbox OutboxOf(PathRoute route) => route.Outbox ?? _session.Outbox;

    private TransportAddress DestinationOf(TransportAddress described, TransportAddress seen, FlowId socket) => _session.Policy.Decide(new()
    {
        SignallingSource = _sessionSettings.SignallingSource,
        Described = described,
        Local = socket == default ? default : _port.Flows.LocalRtp,
        AckReceived = _sessionSettings.Acknowledged,
        MediaSeenFrom = seen,
    }).Address;

    private static class Silences
    {
        private const int Samples = 32;

        public static readonly byte[] Pcmu = [.. Enumerable.Repeat((byte)0xff, Samples)];

        public static readonly byte[] Pcma = [.. Enumerable.Repeat((byte)0xd5, Samples)];
    }
}
