using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using SipNat.Simulation;
using SipNat.Wire;

namespace SipNat.Tests.Endpoint.Signalling;

/// <summary>
/// A recording client without will: a test writes each of its messages. It keeps what arrives, and answers requests of
/// the recorder where it is told to.
/// </summary>
internal sealed class ManualClient : IProtocolCore
{
    public const int SipPort = 5060;
    public const int MediaPort = 40000;
    private const int MediaPorts = 8;

    private readonly Dictionary<FlowId, int> _ports = [];
    private readonly Dictionary<int, FlowId> _flows = [];
    private readonly SimulatedNetwork _network;
    private int _branch;
    private int _cseq;

    private ManualClient(SimulatedNetwork network, TransportAddress server) => (_network, Server) = (network, server);

    public SimulatedHost Host { get; private set; } = null!;

    public TransportAddress Server { get; }

    /// <summary>Host and port of Via, From and Contact.</summary>
    public string Local { get; set; } = "";

    public string CallId { get; set; } = "manual-call";

    public string FromTag { get; set; } = "client-tag";

    /// <summary>The recorder's tag, from its first answer that has one; empty before.</summary>
    public string ToTag { get; set; } = "";

    /// <summary>Request-URI in the dialog: the recorder's Contact.</summary>
    public string Target { get; set; } = "sip:recorder@192.0.2.1";

    public List<(Instant At, TransportAddress From, ScriptedSipMessage Message)> Sip { get; } = [];

    public List<ReceivedMedia> Media { get; } = [];

    /// <summary>Status of the answer to a request of the recorder; null for none. Without it everything gets 200.</summary>
    public Func<ScriptedSipMessage, int?> Answer { get; set; } = _ => 200;

    /// <summary>Header lines of each answer.</summary>
    public Func<ScriptedSipMessage, IReadOnlyList<string>> AnswerHeaders { get; set; } = _ => [];

    /// <summary>The SDP of answers to requests that carry one.</summary>
    public Func<string> AnswerSdp { get; set; } = () => Sdp();

    /// <summary>What becomes of a packet of a stream, RTP or RTCP, before it is sent.</summary>
    public Func<int, byte[], byte[]> Protect { get; set; } = (_, packet) => packet;

    public IEnumerable<ScriptedSipMessage> Responses => Sip.Select(s => s.Message).Where(m => m.IsResponse);

    public IEnumerable<ScriptedSipMessage> Requests => Sip.Select(s => s.Message).Where(m => !m.IsResponse);

    /// <summary>Status and CSeq of every final response, in order.</summary>
    public IReadOnlyList<string> Statuses => [.. Responses.Where(r => r.Status >= 200).Select(r => $"{r.Status} {r.CSeq}")];

    /// <summary>Method of every request of the recorder, in order.</summary>
    public IReadOnlyList<string> Methods => [.. Requests.Select(r => r.Method)];

    public ScriptedSipMessage LastResponse => Responses.Last();

    public Outbox Outbox { get; } = new();

    public Instant? Deadline => null;

    public static ManualClient AddTo(RecorderScene scene, string address = RecorderScene.PublicClient, SimulatedNat? behind = null) =>
        AddTo(scene.Network, scene.Server, address, behind);

    public static ManualClient AddTo(SimulatedNetwork network, TransportAddress server, string address = RecorderScene.PublicClient, SimulatedNat? behind = null)
    {
        var client = new ManualClient(network, server) { Local = $"{address}:{SipPort}" };
        client.Host = network.AddHost(address, client, behind);
        client.Host.OpenUdp(SipPort);
        for (var port = MediaPort; port < MediaPort + MediaPorts; port++) client.Host.OpenUdp(port);
        return client;
    }

    /// <summary>A description with audio streams from <see cref="MediaPort"/> on.</summary>
    public static string Sdp(string address = RecorderScene.PublicClient, int streams = 2, string direction = "sendonly", int port = MediaPort)
    {
        var text = new StringBuilder($"v=0\r\no=c 1 1 IN IP4 {address}\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\n");
        for (var i = 0; i < streams; i++) text.Append(CultureInfo.InvariantCulture, $"m=audio {port + (2 * i)} RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\na=label:{i + 1}\r\na={direction}\r\n");
        return text.ToString();
    }

    /// <summary>Sends a request, and gives its text.</summary>
    /// <param name="cseq">Null for the next number; ACK and CANCEL name their INVITE's.</param>
    /// <param name="branch">Null for one of its own.</param>
    public string Send(string method, string? body = null, string type = "application/sdp", IReadOnlyList<string>? headers = null, int? cseq = null, string? branch = null)
    {
        var number = cseq ?? ++_cseq;
        var text = new StringBuilder($"{method} {Target} SIP/2.0\r\nVia: SIP/2.0/UDP {Local};branch=z9hG4bK{branch ?? $"b{++_branch}"};rport\r\nMax-Forwards: 70\r\n")
            .Append($"From: <sip:client@{Local}>;tag={FromTag}\r\nTo: <sip:recorder@{Server}>{(ToTag.Length > 0 ? $";tag={ToTag}" : "")}\r\nCall-ID: {CallId}\r\n")
            .Append(CultureInfo.InvariantCulture, $"CSeq: {number} {method}\r\n");
        if (method is "INVITE" or "UPDATE") text.Append($"Contact: <sip:client@{Local}>;+sip.src\r\nAllow: INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE\r\n");
        foreach (var header in headers ?? []) text.Append(header).Append("\r\n");
        if (body is not null) text.Append($"Content-Type: {type}\r\n");
        text.Append(CultureInfo.InvariantCulture, $"Content-Length: {Encoding.UTF8.GetByteCount(body ?? "")}\r\n\r\n{body}");
        SendText(text.ToString());
        return text.ToString();
    }

    public void SendText(string text) => Host.Run(_ => Outbox.Add(_flows[SipPort], Server, Encoding.UTF8.GetBytes(text)));

    /// <summary>Invites, waits for the answer and acknowledges it.</summary>
    public void Establish(string? sdp = null, IReadOnlyList<string>? headers = null)
    {
        Send("INVITE", sdp ?? Sdp(), headers: headers);
        RunFor(0.1);
        Assert.Equal(200, LastResponse.Status);
        Acknowledge();
        RunFor(0.1);
    }

    /// <summary>Acknowledges the last 200 to an INVITE.</summary>
    public void Acknowledge(string? sdp = null)
    {
        var number = int.Parse(Responses.Last(r => r.Method is "INVITE").CSeq.Split(' ')[0], CultureInfo.InvariantCulture);
        Send("ACK", sdp, cseq: number);
    }

    /// <summary>Answers a request of the recorder, whatever <see cref="Answer"/> says.</summary>
    public void Respond(TransportAddress to, ScriptedSipMessage request, int status, string? body = null)
    {
        var text = new StringBuilder($"SIP/2.0 {status} Whatever\r\n");
        foreach (var via in request.Headers("Via")) text.Append($"Via: {via}\r\n");
        foreach (var name in new[] { "From", "To", "Call-ID", "CSeq" }) text.Append($"{name}: {request.Header(name)}\r\n");
        foreach (var header in AnswerHeaders(request)) text.Append(header).Append("\r\n");
        if (request.Method is "INVITE" or "UPDATE") text.Append($"Contact: <sip:client@{Local}>\r\n");
        if (body is not null) text.Append("Content-Type: application/sdp\r\n");
        text.Append(CultureInfo.InvariantCulture, $"Content-Length: {Encoding.UTF8.GetByteCount(body ?? "")}\r\n\r\n{body}");
        Outbox.Add(_flows[SipPort], to, Encoding.UTF8.GetBytes(text.ToString()));
    }

    /// <summary>Sends one frame of PCMU from a media port, by default as a stream of its own would: one SSRC per stream.</summary>
    public void SendFrame(int stream, int index, TransportAddress to, ushort? sequence = null, uint? timestamp = null, uint? ssrc = null, int payloadType = 0, int portOffset = 0)
    {
        var packet = new byte[12 + ScriptedFrame.Length];
        (packet[0], packet[1]) = (0x80, (byte)payloadType);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), sequence ?? unchecked((ushort)(1000 + index)));
        BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(4), timestamp ?? unchecked((uint)(50_000 + (index * ScriptedFrame.Length))));
        BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(8), ssrc ?? (uint)(0x1111 * (stream + 1)));
        ScriptedFrame.Fill(stream, index, packet.AsSpan(12));
        SendMedia(stream, Protect(stream, packet), to, portOffset);
    }

    /// <summary>Sends an SR (RFC 3550 §6.4.1) and an empty SDES from the port beside the one of the frames.</summary>
    public void SendSenderReport(int stream, uint packets, TransportAddress to)
    {
        var compound = new byte[28 + 12];
        (compound[0], compound[1], compound[3]) = (0x80, 200, 6);
        BinaryPrimitives.WriteUInt32BigEndian(compound.AsSpan(4), (uint)(0x1111 * (stream + 1)));
        BinaryPrimitives.WriteUInt32BigEndian(compound.AsSpan(20), packets);
        (compound[28], compound[29], compound[31]) = (0x81, 202, 2);
        BinaryPrimitives.WriteUInt32BigEndian(compound.AsSpan(32), (uint)(0x1111 * (stream + 1)));
        SendMedia(stream, Protect(stream, compound), to, portOffset: 1);
    }

    /// <summary>Sends a datagram from a media port as it is.</summary>
    public void SendMedia(int stream, byte[] datagram, TransportAddress to, int portOffset = 0) =>
        Host.Run(_ => Outbox.Add(_flows[MediaPort + (2 * stream) + portOffset], to, datagram));

    /// <summary>Sends frames of a stream one after the other, 20 ms apart, and lets their time pass.</summary>
    public void Talk(int stream, int first, int count, Action<int>? instead = null)
    {
        var to = ScriptedAnswer.Read(Responses.Last(r => r.Header("Call-ID") == CallId && r.Body.Contains("m=audio", StringComparison.Ordinal)).Body)[stream].Rtp;
        for (var i = first; i < first + count; i++)
        {
            if (instead is null) SendFrame(stream, i, to);
            else instead(i);
            _network.RunFor(ScriptedFrame.Span);
        }
    }

    public void RunFor(double seconds) => _network.RunFor(TimeSpan.FromSeconds(seconds));

    public void HandleDatagram(Instant now, FlowId flow, TransportAddress from, ReadOnlySpan<byte> datagram)
    {
        var port = _ports[flow];
        if (port != SipPort)
        {
            Media.Add(new(port - MediaPort, now, from, KindOf(datagram), datagram.ToArray()));
            return;
        }

        if (ScriptedSipMessage.Read(datagram) is not { } message) return;

        Sip.Add((now, from, message));
        if (message.IsResponse) Learn(message);
        else if (message.Method is not "ACK" && Answer(message) is { } status) Respond(from, message, status, status == 200 && message.Body.Length > 0 ? AnswerSdp() : null);
    }

    public void HandleFlow(Instant now, FlowId flow, FlowChange change)
    {
        if (change.Kind is not FlowChangeKind.Opened) return;

        _ports[flow] = change.Local.Port;
        _flows[change.Local.Port] = flow;
    }

    public void HandleTimeout(Instant now)
    {
    }

    public bool TryTakeRequest(out FlowRequest request)
    {
        request = default;
        return false;
    }

    private void Learn(ScriptedSipMessage response)
    {
        if (response.Status is < 200 or >= 300 || response.Method is not "INVITE" || response.Header("Call-ID") != CallId) return;
        if (ScriptedSipMessage.Parameter(response.Header("To"), "tag") is { } tag) ToTag = tag;
        if (response.Header("Contact") is { } contact) Target = contact.Split('<', '>')[1];
    }

    private static ReceivedMediaKind KindOf(ReadOnlySpan<byte> bytes) => bytes switch
    {
        [< 4, ..] => ReceivedMediaKind.Stun,
        [>= 128 and < 192, >= 192 and < 224, ..] => ReceivedMediaKind.Rtcp,
        [>= 128 and < 192, ..] => ReceivedMediaKind.Rtp,
        _ => ReceivedMediaKind.Other,
    };
}
