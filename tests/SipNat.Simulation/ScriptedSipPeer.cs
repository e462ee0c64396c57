using SipNat.Wire;

namespace SipNat.Simulation;

/// <summary>
/// A SIPREC recording client (RFC 7866) that follows a script: it invites, sends paced RTP whose bytes name their
/// place, holds, moves, hangs up, and keeps all that it sent and got. Its SIP is plain string code of its own, so that
/// it cannot be wrong together with the stack that it tests.
/// </summary>
public sealed class ScriptedSipPeer : IProtocolCore
{
    private readonly ScriptedPeerOptions _options;
    private readonly ScriptedSipText _text;
    private readonly ScriptedTransaction _transaction;
    private readonly ScriptedStream[] _streams;
    private readonly Dictionary<int, FlowId> _flowByPort = [];
    private readonly Dictionary<FlowId, int> _streamByFlow = [];
    private readonly Queue<FlowRequest> _requests = new();
    private readonly Queue<ScriptedChange> _changes;
    private readonly List<SentFrame> _sent = [];
    private readonly List<ReceivedMedia> _media = [];
    private readonly List<ScriptedSipMessage> _responses = [];
    private readonly List<ScriptedSipMessage> _received = [];
    private FlowId _sipFlow;
    private Instant? _startDue;
    private Instant? _keepaliveDue;
    private int _cseq;
    private int _moves;
    private bool _isHeld;
    private bool _wantsBye;

    public ScriptedSipPeer(ScriptedPeerOptions options)
    {
        var random = new Random(options.Seed);
        _options = options;
        _text = new(options, random);
        _transaction = new(options.Transport);
        _streams = [.. Enumerable.Range(0, options.Streams).Select(i => new ScriptedStream(options, i, random))];
        _changes = new(options.Changes.OrderBy(change => change.At));
    }

    public ScriptedPeerState State { get; private set; }

    public string CallId => _text.CallId;

    /// <summary>Every RTP packet that was sent, in order.</summary>
    public IReadOnlyList<SentFrame> Sent => _sent;

    /// <summary>Everything that arrived on the media sockets, in order.</summary>
    public IReadOnlyList<ReceivedMedia> Media => _media;

    /// <summary>Every response that arrived, retransmissions too.</summary>
    public IReadOnlyList<ScriptedSipMessage> Responses => _responses;

    /// <summary>Every request that the recorder sent, retransmissions too.</summary>
    public IReadOnlyList<ScriptedSipMessage> Requests => _received;

    /// <summary>The m-lines of the recorder's last SDP.</summary>
    public IReadOnlyList<ScriptedAnswer> Answers { get; private set; } = [];

    /// <summary>When the INVITE was first sent.</summary>
    public Instant? InvitedAt { get; private set; }

    /// <summary>When the first 200 to it arrived; media begins then.</summary>
    public Instant? AnsweredAt { get; private set; }

    /// <summary>False for a peer that answers none of the recorder's requests, as one that crashed.</summary>
    public bool AnswersRequests { get; set; } = true;

    public Outbox Outbox { get; } = new();

    public Instant? Deadline
    {
        get
        {
            var deadline = Instant.Earlier(_startDue, Instant.Earlier(_keepaliveDue, _transaction.Deadline));
            foreach (var stream in _streams) deadline = Instant.Earlier(deadline, stream.Deadline);
            return Instant.Earlier(deadline, ScriptDue);
        }
    }

    // The script waits while a request of ours is unanswered.
    private Instant? ScriptDue
    {
        get
        {
            if (State is not ScriptedPeerState.Established || _transaction.IsPending) return null;
            if (_wantsBye) return AnsweredAt;

            return Instant.Earlier(AnsweredAt + _options.Duration, _changes.TryPeek(out var change) ? AnsweredAt + change.At : null);
        }
    }

    /// <summary>Puts a peer on a host of its own and opens its sockets; it begins by itself.</summary>
    public static ScriptedSipPeer AddTo(SimulatedNetwork network, string address, ScriptedPeerOptions options, SimulatedNat? behind = null)
    {
        var peer = new ScriptedSipPeer(options);
        var host = network.AddHost(address, peer, behind);
        foreach (var port in options.MediaPorts().Keys) host.OpenUdp(port);
        if (options.Transport is TransportProtocol.Udp) host.OpenUdp(options.SipPort);
        else peer._requests.Enqueue(new(FlowRequestKind.Connect, default, options.Transport, options.Server));
        host.Run(_ => { });
        return peer;
    }

    /// <summary>Hangs up at the next occasion, whatever the script says.</summary>
    public void HangUp() => _wantsBye = true;

    public bool TryTakeRequest(out FlowRequest request) => _requests.TryDequeue(out request);

    public void HandleFlow(Instant now, FlowId flow, FlowChange change)
    {
        if (change.Kind is FlowChangeKind.Refused or FlowChangeKind.Closed && change.Transport.IsReliable) State = ScriptedPeerState.Failed;
        if (change.Kind is not FlowChangeKind.Opened) return;

        if (change.Transport.IsReliable || change.Local.Port == _options.SipPort)
        {
            (_sipFlow, _text.Local) = (flow, change.Local);
            _startDue = now + _options.StartAfter;
            return;
        }

        _flowByPort[change.Local.Port] = flow;
        _streamByFlow[flow] = _options.MediaPorts().GetValueOrDefault(change.Local.Port);
    }

    public void HandleDatagram(Instant now, FlowId flow, TransportAddress from, ReadOnlySpan<byte> datagram)
    {
        if (flow != _sipFlow) _media.Add(new(_streamByFlow.GetValueOrDefault(flow), now, from, KindOf(datagram), datagram.ToArray()));
        else if (ScriptedSipMessage.Read(datagram) is { } message)
        {
            if (message.IsResponse) HandleResponse(now, message);
            else HandleRequest(now, from, message);
        }
    }

    public void HandleTimeout(Instant now)
    {
        if (_startDue <= now) Invite(now);
        if (_keepaliveDue <= now) KeepAlive(now);
        if (_transaction.HandleTimeout(now, Outbox)) State = State is ScriptedPeerState.Ending ? ScriptedPeerState.Ended : ScriptedPeerState.Failed;
        if (State is ScriptedPeerState.Failed) Stop();
        if (ScriptDue <= now) FollowScript(now);
        foreach (var stream in _streams) stream.HandleTimeout(now, Outbox, _sent);
    }

    private void Invite(Instant now)
    {
        _startDue = null;
        _keepaliveDue = now + _options.Keepalive;
        (InvitedAt, State) = (now, ScriptedPeerState.Calling);
        Request(now, "INVITE", Offer("sendonly"), isInitial: true);
    }

    private void KeepAlive(Instant now)
    {
        _keepaliveDue = now + _options.Keepalive;
        Outbox.Add(_sipFlow, _options.Server, "\r\n\r\n"u8);
    }

    private void FollowScript(Instant now)
    {
        var isByeDue = _wantsBye || AnsweredAt + _options.Duration <= now;
        if (isByeDue && (_wantsBye || !_changes.TryPeek(out var next) || next.At > _options.Duration))
        {
            State = ScriptedPeerState.Ending;
            Stop();
            Request(now, "BYE");
            return;
        }

        var change = _changes.Dequeue();
        _isHeld = change.Kind is ScriptedChangeKind.Hold || (_isHeld && change.Kind is ScriptedChangeKind.Move);
        if (change.Kind is ScriptedChangeKind.Move) _moves++;
        foreach (var stream in _streams) stream.Pause(now, stream.IsPaused || _isHeld);
        Request(now, "INVITE", Offer(_isHeld ? "inactive" : "sendonly"));
    }

    private string Offer(string direction) => _text.Sdp([.. Enumerable.Range(0, _options.Streams).Select(PortOf)], direction);

    private int PortOf(int stream) => _options.MediaPort(stream, _moves);

    private void Request(Instant now, string method, string? sdp = null, bool isInitial = false) =>
        _transaction.Start(now, _sipFlow, Destination, ++_cseq, method, _text.Request(method, _cseq, sdp, isInitial), Outbox);

    // Where requests go: the recorder's Contact once it is known (RFC 3261 §12.2.1.1), else where the INVITE went.
    private TransportAddress Destination
    {
        get
        {
            var host = _text.Target.Split('@')[^1].Split(';')[0].Replace("sip:", "", StringComparison.Ordinal);
            return !_options.IgnoresContact && TransportAddress.TryParse(host, out var target, 5060) ? target : _options.Server;
        }
    }

    private void HandleResponse(Instant now, ScriptedSipMessage response)
    {
        _responses.Add(response);
        var isExpected = _transaction.HandleResponse(response);
        if (response.Status < 200) return;

        if (response.Method is "INVITE")
        {
            if (response.Status < 300) Confirm(response);
            Acknowledge(response);
            if (isExpected) Complete(now, response);
        }
        else if (isExpected && response.Method is "BYE")
        {
            State = ScriptedPeerState.Ended;
        }
    }

    private void Confirm(ScriptedSipMessage response)
    {
        if (response.Header("To") is { } to) _text.To = to;
        FollowContact(response);
    }

    // Media goes where the recorder's offer says from here on.
    private void Redirect(Instant now, ScriptedSipMessage offer)
    {
        FollowContact(offer);
        Answers = ScriptedAnswer.Read(offer.Body);
        for (var i = 0; i < _streams.Length; i++) Direct(now, _streams[i], i);
    }

    private void FollowContact(ScriptedSipMessage message)
    {
        if (message.Header("Contact") is not { } contact) return;

        var start = contact.IndexOf('<') + 1;
        var end = contact.IndexOf('>');
        _text.Target = end > start ? contact[start..end] : contact.Split(';')[0];
    }

    private void Acknowledge(ScriptedSipMessage response)
    {
        var cseq = int.Parse(response.CSeq.Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture);
        Outbox.Add(_sipFlow, Destination, response.Status < 300 ? _text.Request("ACK", cseq) : _transaction.AckOf(response));
    }

    private void Complete(Instant now, ScriptedSipMessage response)
    {
        if (response.Status >= 300)
        {
            if (State is ScriptedPeerState.Calling) State = ScriptedPeerState.Failed;
            return;
        }

        Answers = ScriptedAnswer.Read(response.Body);
        for (var i = 0; i < _streams.Length; i++) Direct(now, _streams[i], i);
        if (State is not ScriptedPeerState.Calling) return;

        (State, AnsweredAt) = (ScriptedPeerState.Established, now);
        foreach (var stream in _streams) stream.Start(now);
    }

    private void Direct(Instant now, ScriptedStream stream, int index)
    {
        stream.Answer = index < Answers.Count ? Answers[index] : null;
        stream.Pause(now, _isHeld || stream.Answer?.Direction is "inactive");
        stream.RtpFlow = _flowByPort[PortOf(index) + _options.SourcePortOffset];
        var isMuxed = _options.OffersRtcpMux && stream.Answer?.HasRtcpMux == true;
        stream.RtcpFlow = isMuxed ? stream.RtpFlow : _flowByPort[PortOf(index) + 1];
    }

    private void HandleRequest(Instant now, TransportAddress from, ScriptedSipMessage request)
    {
        _received.Add(request);
        if (!AnswersRequests || request.Method is "ACK") return;

        if (request.Header("Call-ID") != _text.CallId)
        {
            Outbox.Add(_sipFlow, from, _text.Response(request, 481, "Call/Transaction Does Not Exist"));
            return;
        }

        var hasOffer = request.Body.Length > 0 && request.Method is "INVITE" or "UPDATE";
        if (hasOffer) Redirect(now, request);
        var sdp = hasOffer || request.Method is "INVITE" ? Offer(_isHeld ? "inactive" : "sendonly") : null;
        Outbox.Add(_sipFlow, from, _text.Response(request, 200, "OK", sdp));
        if (request.Method is not "BYE") return;

        State = ScriptedPeerState.Ended;
        Stop();
    }

    private void Stop()
    {
        _keepaliveDue = null;
        foreach (var stream in _streams) stream.Stop();
    }

    private static ReceivedMediaKind KindOf(ReadOnlySpan<byte> bytes) => bytes switch
    {
        [< 4, ..] => ReceivedMediaKind.Stun,
        [>= 128 and < 192, >= 192 and < 224, ..] => ReceivedMediaKind.Rtcp,
        [>= 128 and < 192, ..] => ReceivedMediaKind.Rtp,
        _ => ReceivedMediaKind.Other,
    };
}

public enum ScriptedPeerState
{
    Idle,
    Calling,
    Established,

    /// <summary>Its BYE is on its way.</summary>
    Ending,
    Ended,

    /// <summary>The INVITE was refused or a request was never answered.</summary>
    Failed,
}
