using System.Diagnostics;
using SipNat.Wire;

namespace SipNat.Endpoint.Media;

/// <summary>The media of one recording session: its ports and its streams. One owner for life; no IO.</summary>
internal sealed class MediaSession
{
    // A fifth of a second of five streams: more cannot come between an answer and the news of it.
    private const int MaxEarly = 50;
    private const int MaxWaiting = 64;
    private static readonly TimeSpan RecordingReportInterval = TimeSpan.FromSeconds(5);

    // With more than 500 sessions: a hundred reports a second, whoever they are of.
    private static readonly TimeSpan ReportTurn = TimeSpan.FromMilliseconds(10);

    // Whether a call is heard has to be known sooner.
    private static readonly TimeSpan CallReportInterval = TimeSpan.FromSeconds(0.5);

    private readonly MediaPlaneOptions _options;
    private readonly MediaOutput _output;
    private readonly Random _random;
    private readonly MediaSender _sender;

    // By the place of their port: one look for each visit of a socket.
    private readonly List<MediaStream?> _byPort = [];
    private readonly List<MediaCommand> _waiting = [];
    private readonly Queue<EarlyDatagram> _early = new();
    private Instant? _reportAt;
    private bool _hasAudio;
    private bool _reportNow;
    private bool _isClosing;

    public MediaSession(SessionId id, TransportAddress local, MediaPlaneOptions options, MediaOutput output, Random random)
    {
        (Id, Local, _options, _output, _random) = (id, local, options, output, random);
        _sender = new(options, output.Outbox, random);
    }

    public SessionId Id { get; }

    /// <summary>The internal address of its ports.</summary>
    public TransportAddress Local { get; }

    public List<MediaPort> Ports { get; } = [];

    /// <summary>What is wanted of ports that are not open yet, by their place.</summary>
    public Dictionary<int, PathNeeds> Needs { get; } = [];

    /// <summary>How many ports it should have.</summary>
    public int Wanted { get; set; }

    /// <summary>How many it does not have.</summary>
    public int Missing => Wanted - Ports.Count;

    public Instant? Deadline
    {
        get
        {
            var earliest = _reportAt;
            foreach (var stream in _byPort) earliest = Instant.Earlier(earliest, stream?.Scheduled);
            return earliest;
        }
    }

    private TimeSpan ReportInterval => _hasAudio ? CallReportInterval : Longer(RecordingReportInterval, _output.Sessions * ReportTurn);

    private IEnumerable<MediaStream> Streams => _byPort.OfType<MediaStream>();

    public void Add(MediaPort port)
    {
        port.Owner = this;
        port.Index = Ports.Count;
        Ports.Add(port);
    }

    public void Configure(Instant now, MediaSettings settings)
    {
        if (settings.Streams.Any(s => s.Audio is not null)) _hasAudio = true;
        foreach (var stream in settings.Streams)
        {
            if (stream.Port >= Ports.Count) continue;
            if (StreamOf(stream.Port) is not { } known)
            {
                while (_byPort.Count <= stream.Port) _byPort.Add(null);
                known = new(Id, stream, settings, Ports[stream.Port], _options, _output, _sender, _random);
                _byPort[stream.Port] = known;
            }

            known.Configure(now, stream, settings);
            known.Schedule();
        }

        for (var i = _waiting.Count; i > 0; i--)
        {
            var waited = _waiting[0];
            _waiting.RemoveAt(0);
            HandleAudio(now, waited);
        }

        for (var waiting = _early.Count; waiting > 0; waiting--)
        {
            var early = _early.Dequeue();
            HandleDatagram(now, early.Arrival, early.Port, early.Flow, early.From, early.Bytes);
        }

        _reportAt ??= now + ReportInterval;
    }

    /// <summary>What a call plays, or captures; what comes before its stream was agreed on waits for that.</summary>
    public void HandleAudio(Instant now, MediaCommand command)
    {
        var port = command switch
        {
            MediaCommand.Play play => play.Port,
            MediaCommand.SendDigits digits => digits.Port,
            MediaCommand.CaptureAudio capture => capture.Port,
            _ => throw new UnreachableException(),
        };
        if (StreamOf(port) is not { } stream)
        {
            if (_waiting.Count < MaxWaiting) _waiting.Add(command);
            return;
        }

        stream.HandleAudio(command);
        stream.Schedule();
    }

    public void HandleDatagram(Instant now, Instant arrival, int port, FlowId flow, TransportAddress from, ReadOnlySpan<byte> datagram)
    {
        if (StreamOf(port) is not { } stream)
        {
            // The answer went out, and its first packet is here before this thread has heard what was agreed on.
            if (_early.Count < MaxEarly) _early.Enqueue(new(arrival, port, flow, from, datagram.ToArray()));
            return;
        }

        stream.HandleDatagram(now, arrival, flow, from, datagram);
        FollowUp(now, stream);
    }

    /// <summary>The same for all that a socket had, none of it STUN.</summary>
    /// <returns>Whether something is due earlier than before; where it is due later, nobody need know yet.</returns>
    public bool HandleBatch(Instant now, int port, FlowId flow, ReadOnlySpan<ReceivedDatagram> received, ReadOnlySpan<byte> bytes, bool isVisited)
    {
        if (StreamOf(port) is { } stream)
        {
            stream.HandleBatch(now, flow, received, bytes, isVisited);
            return FollowUp(now, stream);
        }

        foreach (ref readonly var early in received) HandleDatagram(now, early.Arrival, port, flow, early.From, bytes.Slice(early.Offset, early.Length));
        return true;
    }

    /// <summary>Whether nobody waits for what comes to a port.</summary>
    public bool CanWait(int port) => StreamOf(port) is { CanWait: true };

    public void HandleTimeout(Instant now)
    {
        foreach (var stream in _byPort)
        {
            if (stream is null || !(stream.Scheduled <= now)) continue;

            stream.HandleTimeout(now);
            stream.Schedule();
        }

        if (_isClosing) TellClosed(now);
        if (!(_reportAt <= now)) return;

        _reportNow = false;
        _reportAt = now + ReportInterval;
        if (_isClosing || Streams.Any(s => s.TakeChanged())) _output.Events.Enqueue(new MediaEvent.Reported(Id, Reports(now)));
    }

    /// <summary>Ends the streams; it is told when the last of their audio has been handed over.</summary>
    public void Close(Instant now, bool peerIsGone)
    {
        _isClosing = true;
        _reportAt = now + ReportInterval;
        foreach (var stream in Streams)
        {
            stream.Close(now, peerIsGone);
            stream.Schedule();
        }

        TellClosed(now);
    }

    private void TellClosed(Instant now)
    {
        if (Streams.Any(s => s.HasWrites)) return;

        _reportAt = null;
        _output.Events.Enqueue(new MediaEvent.Closed(Id, Reports(now)));
    }

    /// <summary>A datagram of the RTP socket did not leave.</summary>
    public void HandleSendFailed(int port)
    {
        if (StreamOf(port) is { } stream) stream.SendsFailed++;
    }

    /// <summary>ICMP tells of a datagram; true where that has to be reported at once.</summary>
    public bool HandleIcmp(Instant now, int port, FlowId flow, in IcmpError error, ReadOnlySpan<byte> quoted)
    {
        if (StreamOf(port)?.HandleIcmp(now, flow, error, quoted) is not true) return false;

        (_reportNow, _reportAt) = (true, now);
        return true;
    }

    /// <summary>Sends a packet of audio by a port; false where nothing may be sent yet.</summary>
    public bool TrySendAudio(Instant now, int port, int payloadType, ReadOnlySpan<byte> payload, int samples) =>
        StreamOf(port) is { } stream && stream.TrySendAudio(now, payloadType, payload, samples);

    public bool HasStream(int port) => StreamOf(port) is not null;

    /// <summary>ICE or a relay of a port has news.</summary>
    public void HandlePath(Instant now, int port, PathEvent happened)
    {
        if (StreamOf(port) is not { } stream) return;

        stream.HandlePath(now, happened);
        _reportNow |= happened is PathEvent.Changed;
        if (_reportNow) _reportAt = now;
        stream.Schedule();
    }

    /// <summary>Every stream sends what keeps its pinhole open at once.</summary>
    public void KeepOpen(Instant now)
    {
        foreach (var stream in Streams)
        {
            stream.KeepOpen(now);
            stream.Schedule();
        }
    }

    // The first packet from a host lifts the limit that all streams share in sending there: none waits for its turn.
    // Whether something is due earlier than before.
    private bool FollowUp(Instant now, MediaStream stream)
    {
        var isSooner = stream.IsDueSooner;
        if (stream.TakeProved())
        {
            OpenPinholes(now);
            isSooner = true;
        }

        _reportNow |= stream.TakeStarted();
        if (_reportNow) _reportAt = now;
        if (isSooner) stream.Schedule();
        return isSooner || _reportNow;
    }

    private static TimeSpan Longer(TimeSpan left, TimeSpan right) => left > right ? left : right;

    private MediaStream? StreamOf(int port) => port < _byPort.Count ? _byPort[port] : null;

    private void OpenPinholes(Instant now)
    {
        foreach (var stream in Streams)
        {
            stream.OpenPinholes(now);
            stream.Schedule();
        }
    }

    private List<MediaStreamReport> Reports(Instant now) => [.. Streams.Select(s => s.Report(now))];

    private sealed record EarlyDatagram(Instant Arrival, int Port, FlowId Flow, TransportAddress From, byte[] Bytes);
}
