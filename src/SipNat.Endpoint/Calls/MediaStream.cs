using SipNat.Endpoint.Diagnosis;
using SipNat.Endpoint.Siprec;
using SipNat.Media.Codecs;
using SipNat.Media.Rtcp;
using SipNat.Media.Rtp;
using SipNat.Media.Streams;
using SipNat.Wire;

namespace SipNat.Endpoint.Calls;

/// <summary>
/// One medium of a session on its pair of ports: what comes in is recorded, what goes out are receiver reports and the
/// packets that open and keep the pinhole.
/// </summary>
internal sealed class MediaStream
{
    private const int MaxWritesPerTurn = 16;
    private static readonly TimeSpan WriteTurn = TimeSpan.FromMilliseconds(10);

    private readonly RecordingId _session;
    private readonly MediaPortFlows _flows;
    private readonly MediaOutput _output;
    private readonly MediaSender _sender;
    private readonly RecordedStream _recorded;
    private readonly SourceLatch _controlLatch;
    private readonly RtcpReporter _reporter;
    private readonly KeepaliveSender _keepalive;
    private readonly StreamWatch _watch;
    private readonly LatchPolicy _latch;
    private readonly Dictionary<int, RecordingFile> _files = [];
    private readonly Queue<TimelineEvent.FileEnded> _ended = new();
    private RecordingFile? _others;
    private MediaStreamSettings _settings;
    private MediaSettings _sessionSettings;
    private TransportAddress _followed;
    private TransportAddress _source;
    private Instant? _controlHeardAt;
    private TransportAddress _controlFrom;
    private uint? _peerSaysSent;
    private Instant _describedAt;
    private bool _changed;
    private bool _isStarted;
    private bool _isSending;
    private bool _hasProved;
    private bool _isClosing;
    private Instant? _writesDue;

    public MediaStream(
        RecordingId session,
        MediaStreamSettings settings,
        MediaSettings sessionSettings,
        MediaPortFlows flows,
        MediaPlaneOptions options,
        MediaOutput output,
        MediaSender sender,
        Random random)
    {
        (_session, _flows, _output, _sender) = (session, flows, output, sender);
        (_settings, _sessionSettings, _latch) = (settings, sessionSettings, options.Latch);
        var latch = new LatchOptions { Policy = options.Latch, AllowedNetworks = options.AllowedNetworks };
        var payloads = new PayloadMap();
        var ssrc = (uint)random.NextInt64(1L << 32);
        _recorded = new(payloads, new(latch, settings.RemoteRtp, sessionSettings.SignallingSource));
        _controlLatch = new(latch.ForControl(), settings.RemoteRtcp, sessionSettings.SignallingSource);
        Negotiate(settings);
        _reporter = new(new() { Ssrc = ssrc, Cname = sender.Cname, KeepaliveInterval = options.Keepalive }, sender.Gate, random);
        _keepalive = new(ssrc, KeepaliveSender.ChoosePayloadType(payloads), options.Keepalive, sender.Gate, random);
        _watch = new(settings.Index, options.NoMediaAfter);
    }

    public Instant? Deadline => _isClosing ? _writesDue : Instant.Earlier(
        Instant.Earlier(_writesDue, Instant.Earlier(_recorded.Deadline, _watch.Deadline)),
        Instant.Earlier(_reporter.Deadline, _keepalive.Deadline));

    /// <summary>Whether there is audio that was not handed over; after <see cref="Close"/> it leaves in turns.</summary>
    public bool HasWrites => _writesDue is not null;

    /// <summary>Datagrams that the system refused to send from the RTP socket.</summary>
    public long SendsFailed { get; set; }

    private Instant? LastHeardAt =>
        _recorded.LastPacketAt is { } rtp && (_controlHeardAt is not { } rtcp || rtp > rtcp) ? rtp : _controlHeardAt;

    /// <summary>Takes what was agreed on, at the first answer and at each later one.</summary>
    public void Configure(Instant now, MediaStreamSettings settings, MediaSettings session)
    {
        var destinations = (MediaDestination(), ControlDestination());
        if (settings.RemoteRtp != _settings.RemoteRtp) _describedAt = now;
        (_settings, _sessionSettings, _changed) = (KeepAddresses(settings), session, true);
        Negotiate(settings);
        _recorded.Latch.SignalledChanged(_settings.RemoteRtp, session.SignallingSource);
        _controlLatch.SignalledChanged(_settings.RemoteRtcp, session.SignallingSource);

        _recorded.IsPaused = session.Paused;
        _controlLatch.IsHeld = !settings.ShouldSend;
        if (settings.ShouldSend) _recorded.Resume(now);
        else _recorded.Hold(now);
        _watch.Expect(now, settings.ShouldSend);

        // Another destination has a pinhole of its own, which is not open before something was sent there.
        if (!_isSending || destinations != (MediaDestination(), ControlDestination()))
        {
            _isSending = true;
            _reporter.Start(now);
            _keepalive.Start(now);
        }

        Send(now);
        Collect(now);
    }

    public void HandleDatagram(Instant now, Instant arrival, bool isRtcpPort, TransportAddress from, ReadOnlySpan<byte> datagram)
    {
        switch (MediaDemultiplexer.Classify(datagram))
        {
            case MediaPacketKind.Rtp when !isRtcpPort:
                HandleRtp(now, arrival, from, datagram);
                break;
            case MediaPacketKind.Rtcp:
                HandleRtcp(now, arrival, from, datagram);
                break;
        }

        Collect(now);
    }

    public void HandleTimeout(Instant now)
    {
        if (_isClosing)
        {
            Collect(now);
            return;
        }

        _recorded.HandleTimeout(now);
        Send(now);
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
        _reporter.Finish(now, _recorded.Receiver, _sender.Outbox, ControlFlow, ControlDestination());
        LookForFaults(now, _recorded.Report(now));
        Collect(now);
        if (_others is { } file) _output.Writes.Enqueue(new(_session, _settings.Index, file, null, _recorded.Others.File!.Value.Length));
    }

    public MediaStreamReport Report(Instant now) => new(_settings.Index, _recorded.Report(now), _recorded.Latch.Locked, LastHeardAt);

    /// <summary>Whether a report would say something else than the last one; asking clears it.</summary>
    public bool TakeChanged()
    {
        var changed = _changed;
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
        if (_recorded.LastPacketAt is not null) return;

        _keepalive.Start(now);
        Send(now);
    }

    /// <summary>Sends what keeps the pinhole of the RTP port open at once.</summary>
    public void KeepOpen(Instant now)
    {
        if (!_isSending || _isClosing) return;

        _keepalive.Start(now);
        Send(now);
    }

    // 0.0.0.0 is an old way to say hold (RFC 3264 §8.4): the peer, and the mapping of its NAT, stay where they were.
    private MediaStreamSettings KeepAddresses(MediaStreamSettings settings) => settings.RemoteRtp.IsUnspecified
        ? settings with { RemoteRtp = _settings.RemoteRtp, RemoteRtcp = _settings.RemoteRtcp }
        : settings;

    private FlowId ControlFlow => _settings.RtcpMux ? _flows.Rtp : _flows.Rtcp;

    private void Negotiate(MediaStreamSettings settings)
    {
        foreach (var (payloadType, format) in settings.PayloadMap)
        {
            if (FormatOf(format) is { } known) _recorded.Payloads.Negotiate(payloadType, known);
        }
    }

    private static PayloadFormat? FormatOf(Sip.Sdp.PayloadFormat format) =>
        format.IsKept ? PayloadFormat.Packets(format.Name, format.ClockRate)
        : format == Sip.Sdp.PayloadFormat.Pcmu ? PayloadFormat.Audio(AudioCodec.Pcmu)
        : format == Sip.Sdp.PayloadFormat.Pcma ? PayloadFormat.Audio(AudioCodec.Pcma)
        : format == Sip.Sdp.PayloadFormat.ComfortNoise ? PayloadFormat.ComfortNoise
        : format.Name == Sip.Sdp.PayloadFormat.TelephoneEvent.Name ? PayloadFormat.TelephoneEvent with { ClockRate = format.ClockRate }
        : null;

    private void HandleRtp(Instant now, Instant arrival, TransportAddress from, ReadOnlySpan<byte> datagram)
    {
        _source = from;
        var verdict = _recorded.HandleRtp(now, arrival, from, datagram);
        _changed = true;
        if (verdict is LatchVerdict.Accept or LatchVerdict.TookOver)
        {
            Prove(from);
            _watch.Heard(now);
        }

        // A NAT opens a pinhole for each address that is sent to: the one that media comes from wants a packet at once.
        if (_recorded.Latch.Locked is var followed && followed != _followed)
        {
            _followed = followed;
            _keepalive.Start(now);
            Send(now);
        }

        if (verdict is LatchVerdict.TookOver) _output.Events.Enqueue(new MediaEvent.Noted(_session, new(now, "source", $"Stream {_settings.Index + 1}: media is taken from {from}.")));
    }

    private void HandleRtcp(Instant now, Instant arrival, TransportAddress from, ReadOnlySpan<byte> datagram)
    {
        if (!RtcpCompound.TryRead(datagram, out var compound, out _)) return;

        var ssrc = 0u;
        foreach (var packet in compound)
        {
            ssrc = packet.SenderSsrc;
            break;
        }

        if (_controlLatch.JudgeControl(now, from, ssrc) is not (LatchVerdict.Accept or LatchVerdict.TookOver)) return;

        (_controlHeardAt, _controlFrom) = (now, from);
        foreach (var packet in compound)
        {
            if (packet.TryGetSenderReport(out var report)) _peerSaysSent = report.PacketCount;
        }

        _changed = true;
        Prove(from);
        _recorded.HandleRtcp(arrival, compound);
        _reporter.HandleCompound(now, compound);
    }

    private void Prove(TransportAddress host)
    {
        _hasProved |= !_sender.Gate.IsProven(host);
        _sender.Gate.Prove(host);
    }

    private void Send(Instant now)
    {
        _keepalive.HandleTimeout(now, _sender.Outbox, _flows.Rtp, MediaDestination());
        _reporter.HandleTimeout(now, _recorded.Receiver, _sender.Outbox, ControlFlow, ControlDestination());
    }

    private TransportAddress MediaDestination() => DestinationOf(_settings.RemoteRtp, _recorded.Latch.Locked);

    // Where RTCP has not been heard, but RTP comes from a NAT, the control port of the description leads nowhere there.
    private TransportAddress ControlDestination() => _settings.RtcpMux
        ? MediaDestination()
        : DestinationOf(_settings.RemoteRtcp, _controlLatch.Locked);

    private TransportAddress DestinationOf(TransportAddress described, TransportAddress seen) => _sender.Policy.Decide(new()
    {
        SignallingSource = _sessionSettings.SignallingSource,
        Described = described,
        AckReceived = _sessionSettings.Acknowledged,
        MediaSeenFrom = seen,
    }).Address;

    private void Collect(Instant now)
    {
        while (_recorded.Timeline.TryTakeEvent(out var happened)) HandleTimeline(happened);
        CollectWrites(now);
        CollectOthers();
        while (_recorded.TryTakeEvent(out var key))
        {
            _output.Events.Enqueue(new MediaEvent.Noted(_session, new(
                key.At,
                "dtmf",
                $"Stream {_settings.Index + 1}: {(key.Key is { } k ? $"key {k}" : $"event {key.Code}")}, {key.Duration.TotalMilliseconds:F0} ms.")));
        }
    }

    // The silence of a long hold is thousands of writes at once, which no queue to a disk would hold: they leave in turns.
    private void CollectWrites(Instant now)
    {
        _writesDue = null;
        for (var taken = 0; taken < MaxWritesPerTurn; taken++)
        {
            if (!_recorded.Timeline.TryTake(out var write))
            {
                CollectEnds();
                return;
            }

            _output.Writes.Enqueue(new(_session, _settings.Index, _files[write.FileIndex], write.Buffer, 0));
        }

        _writesDue = now + WriteTurn;
    }

    private void CollectOthers()
    {
        while (_recorded.Others.TryTake(out var write))
        {
            _others ??= new(write.FileIndex, FileCodec.Various, _recorded.Others.File!.Value.StartedAt, _flows.LocalRtp, _source);
            _output.Writes.Enqueue(new(_session, _settings.Index, _others, write.Buffer, 0));
        }
    }

    private void CollectEnds()
    {
        while (_ended.TryDequeue(out var ended))
        {
            _output.Writes.Enqueue(new(_session, _settings.Index, _files[ended.FileIndex], null, ended.Length));
        }
    }

    private void HandleTimeline(TimelineEvent happened)
    {
        _changed = true;
        switch (happened)
        {
            case TimelineEvent.FileStarted(var index, var codec, var at):
                _files[index] = new(index, codec, at, _flows.LocalRtp, _source);
                break;
            case TimelineEvent.FileEnded ended:
                // Behind the writes that are still queued: nothing follows the end of a file.
                _ended.Enqueue(ended);
                break;
            case TimelineEvent.Anchored({ Reason: AnchorReason.TimestampJump } anchor):
                Found(new(FindingCode.TimestampJump, $"Stream {_settings.Index + 1}: RTP timestamps jumped at second {anchor.Position / 8000.0:F3} of the file; from there audio is placed by its arrival.", anchor.At));
                break;
        }
    }

    private void Look(Instant now)
    {
        var report = _recorded.Report(now);
        if (_watch.TakeSilence(now, out var heardFor) is { } lasted)
        {
            _output.Events.Enqueue(new MediaEvent.Silent(
                _session, new(_settings.Index, now, lasted, heardFor, Math.Max(0, _keepalive.Sent - SendsFailed), _controlFrom, _peerSaysSent, report.Sources)));
        }

        LookForFaults(now, report);
    }

    private void LookForFaults(Instant now, StreamReport report)
    {
        int[] agreed = [.. _settings.PayloadMap.Select(m => m.PayloadType)];
        _watch.Look(new(_settings.Index, now, report, agreed, _settings.RemoteRtp.IsUnspecified ? default : _settings.RemoteRtp, _describedAt, _sessionSettings.SignallingSource, _latch));
        while (_watch.TryTake(out var finding)) Found(finding);
    }

    private void Found(Finding finding) => _output.Events.Enqueue(new MediaEvent.Found(_session, finding));
}
