using SipNat.Endpoint.Diagnosis;
using SipNat.Media.Rtcp;
using SipNat.Media.Rtp;
using SipNat.Media.Srtp;
using SipNat.Media.Streams;
using SipNat.Wire;

namespace SipNat.Endpoint.Media;

/// <summary>
/// One medium of a session on its pair of ports: what comes in is recorded, what goes out are receiver reports and the
/// packets that open and keep the pinhole.
/// </summary>
internal sealed partial class MediaStream
{
    private readonly SessionId _session;
    private readonly MediaPort _port;
    private readonly MediaOutput _output;
    private readonly SendGate _gate;
    private readonly RecordedStream _recorded;
    private readonly SourceLatch _controlLatch;
    private readonly StreamSender _sender;
    private readonly StreamProtection _protection = new();
    private readonly StreamWatch _watch;
    private readonly LatchPolicy _latch;
    private readonly StreamFiles _files;
    private readonly SentStream? _sent;
    private MediaStreamSettings _settings;
    private MediaSettings _sessionSettings;
    private TransportAddress _followed;
    private TransportAddress _source;
    private Instant? _controlHeardAt;
    private TransportAddress _controlFrom;
    private PeerCount? _peerSent;
    private Instant _describedAt;
    private bool _changed;
    private bool _isStarted;
    private TransportAddress _onPath;
    private TransportAddress _controlOnPath;
    private bool _hasProved;
    private TransportAddress _proved;
    private int _provedAmong;
    private bool _isClosing;

    public MediaStream(
        SessionId session,
        MediaStreamSettings settings,
        MediaSettings sessionSettings,
        MediaPort port,
        MediaPlaneOptions options,
        MediaOutput output,
        MediaSender sender,
        Random random)
    {
        (_session, _port, _output, _gate) = (session, port, output, sender.Gate);
        (_settings, _sessionSettings, _latch) = (settings, sessionSettings, options.Latch);
        var latch = new LatchOptions { Policy = options.Latch, AllowedNetworks = options.AllowedNetworks };
        var payloads = new PayloadMap();
        _recorded = new(payloads, new(latch, settings.RemoteRtp, sessionSettings.SignallingSource), isPlayed: settings.Audio is not null, isKept: settings.Audio is not { IsKept: false });
        _controlLatch = new(latch.ForControl(), settings.RemoteRtcp, sessionSettings.SignallingSource);
        _files = new(session, settings.Audio is null ? settings.Index : CallLegs.Theirs, _recorded, port.Flows.LocalRtp, output);
        _sent = settings.Audio is { IsKept: true } ? new(session, CallLegs.Ours, port.Flows.LocalRtp, output) : null;
        Negotiate(settings);
        _sender = new(port, settings, sessionSettings, sender, _recorded, _controlLatch, _protection, random) { Kept = _sent };
        _watch = new(settings.Index, options.NoMediaAfter);
        _codecs = options.Codecs;
    }

    /// <summary>Whether there is audio that was not handed over; after <see cref="Close"/> it leaves in turns.</summary>
    public bool HasWrites => _files.Due is not null || _sent is { HasWrites: true };

    /// <summary>Datagrams that the system refused to send from the RTP socket.</summary>
    public long SendsFailed { get; set; }

    private Instant? LastHeardAt =>
        _recorded.LastPacketAt is { } rtp && (_controlHeardAt is not { } rtcp || rtp > rtcp) ? rtp : _controlHeardAt;

    /// <summary>Takes what was agreed on, at the first answer and at each later one.</summary>
    public void Configure(Instant now, MediaStreamSettings settings, MediaSettings session)
    {
        if (settings.RemoteRtp != _settings.RemoteRtp) _describedAt = now;
        (_settings, _sessionSettings, _changed) = (KeepAddresses(settings), session, true);
        Negotiate(settings);
        _protection.Agree(now, settings.Keys);
        _port.Paths?.SetRemote(now, settings.Ice, session.Acknowledged);
        if (settings.Ice is null) (_onPath, _controlOnPath) = (default, default);
        if (_port.Paths is { } paths && settings.Ice is null) ConfigureRelay(now, paths);
        Follow(session.SignallingSource);
        _icmp.Begin(now);

        _recorded.IsPaused = session.Paused;
        _controlLatch.IsHeld = !settings.ShouldSend;
        if (settings.ShouldSend && !session.Paused) _recorded.Resume(now);
        else _recorded.Hold(now);
        _watch.Expect(now, settings.ShouldSend && !session.Paused);

        _sender.Configure(now, _settings, session);
        ConfigureAudio(now);
        _sender.Send(now);
        Collect(now);
    }

    /// <summary>Whether it is recorded, from a source that is known, and without ICE, whose checks want an answer at once.</summary>
    public bool CanWait => _settings.Audio is null && !_isClosing && !_recorded.Latch.Locked.IsNone && _port.Paths is null;

    public void HandleDatagram(Instant now, Instant arrival, FlowId flow, TransportAddress from, ReadOnlySpan<byte> datagram)
    {
        Take(now, arrival, flow, _port.ComponentOf(flow), from, datagram, batch: default, place: -1);
        Collect(now);
    }

    /// <summary>The same for all that a socket had.</summary>
    public void HandleBatch(Instant now, FlowId flow, ReadOnlySpan<ReceivedDatagram> received, ReadOnlySpan<byte> bytes, bool isVisited)
    {
        var component = _port.ComponentOf(flow);
        Span<Range> datagrams = stackalloc Range[SrtpContext.MaxAhead];
        for (var some = received; !some.IsEmpty; some = some[Math.Min(datagrams.Length, some.Length)..])
        {
            var count = Math.Min(datagrams.Length, some.Length);
            for (var i = 0; i < count; i++) datagrams[i] = some[i].Offset..(some[i].Offset + some[i].Length);
            var batch = component == 1 ? _protection.LookAhead(bytes, datagrams[..count]) : default;
            for (var i = 0; i < count; i++) Take(now, some[i].Arrival, flow, component, some[i].From, bytes[datagrams[i]], batch, i);
        }

        if (component == 1) NoteVisit(now, isVisited);
        Collect(now);
    }

    private void Take(Instant now, Instant arrival, FlowId flow, int component, TransportAddress from, ReadOnlySpan<byte> datagram, SrtpBatch batch, int place)
    {
        var kind = MediaDemultiplexer.Classify(datagram);
        var isMedia = kind is MediaPacketKind.Rtcp || (kind is MediaPacketKind.Rtp && component == 1);
        var isAudio = kind is MediaPacketKind.Rtp && component == 1;
        if (isAudio) _arrived++;
        if (isMedia && _protection.TryOpen(now, from, kind, datagram, batch, place, out var packet))
        {
            if (isAudio) _genuine++;
            if (kind is MediaPacketKind.Rtp) HandleRtp(now, arrival, flow, from, packet);
            else HandleRtcp(now, arrival, from, packet, StandingOf(flow, component, from));
        }
    }

    public void HandleTimeout(Instant now)
    {
        if (_isClosing)
        {
            Collect(now);
            _sent?.Collect(now);
            return;
        }

        _recorded.HandleTimeout(now);
        _sent?.HandleTimeout(now);
        _audio?.HandleTimeout(now);
        if (_sender.Reporter.Deadline <= now) _sender.Reporter.Metrics = _audio?.Metrics(_recorded.Receiver);
        _sender.Send(now);
        if (_watch.Deadline <= now) Look(now);
        Collect(now);
    }

    /// <summary>Completes the files; reports say goodbye by RTCP BYE where they were sent.</summary>
    /// <param name="peerIsGone">The streams were active until they were last heard, not until now.</param>
    public void Close(Instant now, bool peerIsGone)
    {
        _isClosing = true;

        // A file ends with the last moment at which the stream was active: the end of the call, or the begin of its hold.
        var activeUntil = _watch.ActiveUntil(now);
        _recorded.Finish(now, peerIsGone && LastHeardAt < activeUntil ? LastHeardAt.Value : activeUntil);
        _sent?.Finish(now);
        _sender.Finish(now);
        LookForFaults(now, _recorded.Report(now));
        _audio?.Dispose();
        _protection.Dispose();
        Collect(now);
        _files.Finish();
    }

    public MediaStreamReport Report(Instant now) => new(_settings.Index, _recorded.Report(now), _recorded.Latch.Locked, LastHeardAt, _port.Paths?.MediaPath, _protection.Report)
    {
        LastPacketAt = _recorded.LastPacketAt,
        ControlFrom = _controlFrom,
        PeerSent = _peerSent,
        SendsFailed = SendsFailed,
        RefusedByIcmp = RefusedByIcmp(now),
        Audio = _audio?.Report(_recorded.Receiver, Arrivals),
        Sent = _sent?.Report(now),
    };

    /// <summary>Whether a report would say something else than the last one; asking clears it.</summary>
    public bool TakeChanged()
    {
        var changed = _changed || _audio is not null;
        _changed = false;
        return changed;
    }

    /// <summary>Whether the first packet has just come; asking clears it.</summary>
    public bool TakeStarted()
    {
        if (_isStarted || _recorded.LastPacketAt is null) return false;

        _isStarted = true;
        return true;
    }

    /// <summary>Whether a host has sent media or reports for the first time; asking clears it.</summary>
    public bool TakeProved()
    {
        var proved = _hasProved;
        _hasProved = false;
        return proved;
    }

    /// <summary>Sends what keeps the pinhole of the RTP port open at once, where this stream has heard nothing yet.</summary>
    public void OpenPinholes(Instant now)
    {
        if (_recorded.LastPacketAt is null) _sender.Restart(now);
    }

    /// <summary>Sends what keeps the pinhole of the RTP port open at once.</summary>
    public void KeepOpen(Instant now)
    {
        if (!_isClosing) _sender.Restart(now);
    }

    /// <summary>Sends a packet of audio; false where nothing may be sent yet.</summary>
    public bool TrySendAudio(Instant now, int payloadType, ReadOnlySpan<byte> payload, int samples) =>
        !_isClosing && _sender.TrySendAudio(now, payloadType, payload, samples);

    /// <summary>ICE or a relay of the port has news.</summary>
    public void HandlePath(Instant now, PathEvent happened)
    {
        _changed = true;
        if (happened is PathEvent.Changed(var component, var path))
        {
            if (component == 1) (_onPath, _describedAt) = (path.Remote, now);
            if (component == 2 || _settings.RtcpMux) _controlOnPath = path.Remote;
            _gate.Prove(path.Remote);
            Follow(_sessionSettings.SignallingSource);
        }

        if (PathText.Describe(_settings.Index, happened) is { } entry) _output.Events.Enqueue(new MediaEvent.Noted(_session, new(now, entry.Kind, entry.Text)));
        if (PathText.Find(_settings.Index, happened) is var (code, text)) Found(new(code, text, now));
        if (!_isClosing) _sender.Restart(now);
    }

    // 0.0.0.0 is an old way to say hold (RFC 3264 §8.4): the peer, and the mapping of its NAT, stay where they were.
    private MediaStreamSettings KeepAddresses(MediaStreamSettings settings) => settings.RemoteRtp.IsUnspecified
        ? settings with { RemoteRtp = _settings.RemoteRtp, RemoteRtcp = _settings.RemoteRtcp }
        : settings;

    // Who may send, by the description, or by the path that ICE has found.
    private void Follow(TransportAddress signallingSource)
    {
        _recorded.Latch.SignalledChanged(_onPath.IsNone ? _settings.RemoteRtp : _onPath, signallingSource);
        _controlLatch.SignalledChanged(_controlOnPath.IsNone ? _settings.RemoteRtcp : _controlOnPath, signallingSource);
    }

    // A relay without ICE lets in whom we name. What was asked for and is not needed is given back; where no other address
    // may work it stays, as the peer is told of it later where it came too late for the answer.
    private void ConfigureRelay(Instant now, PathFinder paths)
    {
        if (!_settings.IsRelayed)
        {
            if (!_port.IsHardToReach) paths.ReleaseRelays(now);
            return;
        }

        paths.Permit(now, _sessionSettings.SignallingSource);
        paths.Bind(now, 1, _settings.RemoteRtp);
        paths.Bind(now, 2, _settings.RemoteRtcp);
    }

    private SourceStanding StandingOf(FlowId flow, int component, TransportAddress from) =>
        _port.Paths?.StandingOf(flow, component, from) ?? SourceStanding.ByPolicy;

    private void Negotiate(MediaStreamSettings settings)
    {
        foreach (var (payloadType, format) in settings.PayloadMap)
        {
            if ((settings.Audio is null ? FormatOf(format) : PlayedFormatOf(format)) is { } known) _recorded.Payloads.Negotiate(payloadType, known);
        }
    }

    private void HandleRtp(Instant now, Instant arrival, FlowId flow, TransportAddress from, ReadOnlySpan<byte> datagram)
    {
        var standing = StandingOf(flow, 1, from);
        _source = from;
        var verdict = _recorded.HandleRtp(now, arrival, from, datagram, standing);
        if (standing is SourceStanding.Foreign) _port.Paths?.HandleUnproven(now, flow, from);
        _changed = true;
        if (verdict is LatchVerdict.Accept or LatchVerdict.TookOver)
        {
            _accepted++;
            Prove(from);
            _watch.Heard(now);
            _port.Paths?.Heard(now, _settings.ShouldSend);
            if (_recorded.Latch.Locked.IsNone)
            {
                _sender.Greet(now, from);
                _isRescheduled = true;
            }
        }

        // A NAT opens a pinhole for each address that is sent to: the one that media comes from wants a packet at once.
        if (_recorded.Latch.Locked is var followed && followed != _followed)
        {
            _followed = followed;
            _sender.Restart(now);
            _isRescheduled = true;
        }

        if (verdict is LatchVerdict.TookOver) _output.Events.Enqueue(new MediaEvent.Noted(_session, new(now, "source", $"Stream {_settings.Index + 1}: media is taken from {from}.")));
    }

    private void HandleRtcp(Instant now, Instant arrival, TransportAddress from, ReadOnlySpan<byte> datagram, SourceStanding standing)
    {
        if (!RtcpCompound.TryRead(datagram, out var compound, out _)) return;

        var ssrc = 0u;
        foreach (var packet in compound)
        {
            ssrc = packet.SenderSsrc;
            break;
        }

        if (_controlLatch.JudgeControl(now, from, ssrc, standing) is not (LatchVerdict.Accept or LatchVerdict.TookOver)) return;

        (_controlHeardAt, _controlFrom, _isRescheduled) = (now, from, true);
        foreach (var packet in compound)
        {
            if (packet.TryGetSenderReport(out var report)) _peerSent = new(report.PacketCount, now);
        }

        _changed = true;
        Prove(from);
        _recorded.HandleRtcp(arrival, compound);
        _sender.Reporter.HandleCompound(now, compound);
    }

    private void Prove(TransportAddress host)
    {
        if (host == _proved && _provedAmong == _gate.Forgotten) return;

        _hasProved |= !_gate.IsProven(host);
        _gate.Prove(host);
        (_proved, _provedAmong) = (host, _gate.Forgotten);
    }

    private void Collect(Instant now)
    {
        if (_files.Collect(now, _source) is { } jump)
        {
            Found(new(FindingCode.TimestampJump, $"Stream {_settings.Index + 1}: RTP timestamps jumped at second {jump.Position / 8000.0:F3} of the file; from there audio is placed by its arrival.", jump.At));
        }

        while (_recorded.TryTakeEvent(out var key))
        {
            HandleDigit(key);
            if (_recorded.IsPaused) continue;

            _output.Events.Enqueue(new MediaEvent.Noted(_session, new(
                key.At,
                "dtmf",
                $"Stream {_settings.Index + 1}: {(key.Key is { } k ? $"key {k}" : $"event {key.Code}")}, {key.Duration.TotalMilliseconds:F0} ms.")));
        }
    }

    private void Look(Instant now)
    {
        var report = _recorded.Report(now);
        if (_watch.TakeSilence(now, out var heardFor) is { } lasted)
        {
            _output.Events.Enqueue(new MediaEvent.Silent(
                _session, new(_settings.Index, now, lasted, heardFor, SendsFailed == 0 || SendsFailed < _sender.PacketsSent, _controlFrom, _peerSent?.Packets, report.Sources)));
        }

        LookForFaults(now, report);
    }

    private void LookForFaults(Instant now, StreamReport report)
    {
        int[] agreed = [.. _settings.PayloadMap.Select(m => m.PayloadType)];
        _watch.Look(new(_settings.Index, now, report, agreed, !_onPath.IsNone ? _onPath : _settings.RemoteRtp.IsUnspecified ? default : _settings.RemoteRtp, _describedAt, _sessionSettings.SignallingSource, _latch) { Srtp = _protection.Report, SrtpFailedFrom = _protection.FailedFrom });
        while (_watch.TryTake(out var finding)) Found(finding);
    }

    private void Found(Finding finding) => _output.Events.Enqueue(new MediaEvent.Found(_session, finding));
}
