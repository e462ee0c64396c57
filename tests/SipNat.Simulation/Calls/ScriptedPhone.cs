using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using SipNat.Wire;

namespace SipNat.Simulation.Calls;

/// <summary>
/// A telephone that says what a test tells it to, word by word. Its SIP and its RTP are plain code of its own, so that it
/// cannot be wrong together with the endpoint that it talks to.
/// </summary>
public sealed class ScriptedPhone : IProtocolCore
{
    private const int RtpHeader = 12;
    private static readonly TimeSpan FrameTime = TimeSpan.FromMilliseconds(20);

    private readonly Dictionary<FlowId, FlowChange> _flows = [];
    private readonly List<ScriptedSipMessage> _requests = [];
    private readonly List<ScriptedSipMessage> _responses = [];
    private FlowId _sip;
    private FlowId _rtp;
    private FlowId _rtcp;
    private ScriptedReports _reports = null!;
    private TransportAddress _from;
    private FlowId _by;
    private TransportAddress _listener;
    private Instant? _speaksAt;
    private FlowId? _speaksBy;
    private Instant? _reportsAt;
    private TimeSpan _reportInterval;
    private ushort _sequence;
    private int _branch;
    private bool _isInside;

    public SimulatedHost Host { get; private set; } = null!;

    /// <summary>The socket of its SIP.</summary>
    public FlowId Sip => _sip;

    /// <summary>Where it hears audio.</summary>
    public TransportAddress Media { get; private set; }

    /// <summary>What it does with a request; by default all but INVITE is answered with 200, and ACK with nothing.</summary>
    public Action<ScriptedSipMessage> OnRequest { get; set; }

    /// <summary>Every request, repetitions too.</summary>
    public IReadOnlyList<ScriptedSipMessage> Requests => _requests;

    /// <summary>Where the last message came from.</summary>
    public TransportAddress LastSource => _from;

    /// <summary>Every response to requests of its own.</summary>
    public IReadOnlyList<ScriptedSipMessage> Responses => _responses;

    /// <summary>Payload type and bytes of each RTP packet that was heard, with its source.</summary>
    public List<(TransportAddress From, int PayloadType, int Length, Instant At)> Heard { get; } = [];

    /// <summary>Of its own audio; no two telephones of a network have the same.</summary>
    public uint Ssrc => 0x1234_0000u + (uint)_sip.Value;

    /// <summary>The SSRC of the last of them.</summary>
    public uint LastSsrc { get; private set; }

    /// <summary>The payload type that it sends, whatever was agreed on.</summary>
    public byte PayloadType { get; set; }

    /// <summary>Whether it sends packets in which nothing is to be heard.</summary>
    public bool IsMuted { get; set; }

    /// <summary>Whether audio goes back to where it came from, as a provider does that latches.</summary>
    public bool Latches { get; set; }

    /// <summary>Whether a firewall in front of it lets RTP of a source in.</summary>
    public Predicate<TransportAddress> Hears { get; set; } = static _ => true;

    /// <summary>Whether its RTP gets through to where it is sent.</summary>
    public Predicate<TransportAddress> Reaches { get; set; } = static _ => true;

    public Outbox Outbox { get; } = new();

    public Instant? Deadline => Instant.Earlier(_speaksAt, _reportsAt);

    private ScriptedPhone() => OnRequest = AnswerAll;

    /// <param name="address">With the port of SIP; media are two thousand above ten thousand.</param>
    public static ScriptedPhone AddTo(SimulatedNetwork network, string address, int mediaPort = 12_000)
    {
        var phone = new ScriptedPhone();
        var at = TransportAddress.Parse(address);
        phone.Host = network.AddHost(at.AddressText, phone);
        phone._sip = phone.Host.OpenUdp(at.Port);
        phone._reports = new(phone.Ssrc);
        phone._rtp = phone.Host.OpenUdp(mediaPort);
        phone._rtcp = phone.Host.OpenUdp(mediaPort + 1);
        phone.Media = at.WithPort(mediaPort);
        phone.Host.Listen(5061, TransportProtocol.Tls);
        return phone;
    }

    /// <summary>Connections that are open to it.</summary>
    public int Connections => _flows.Values.Count(flow => flow is { Transport.IsReliable: true, Kind: FlowChangeKind.Opened });

    /// <summary>The last request of a method; null where none came.</summary>
    public ScriptedSipMessage? Last(string method) => _requests.FindLast(r => r.Method == method);

    public int Count(string method) => _requests.Count(r => r.Method == method);

    /// <summary>A session description with one audio medium.</summary>
    public string Sdp(string direction = "sendrecv", string formats = "0", string more = "", int? port = null, string? address = null) =>
        $"v=0\r\no=phone 1 1 IN IP4 {Media.AddressText}\r\ns=-\r\nc=IN IP4 {address ?? Media.AddressText}\r\nt=0 0\r\nm=audio {port ?? Media.Port} RTP/AVP {formats}\r\n{more}a={direction}\r\n";

    /// <summary>Answers a request where it came from.</summary>
    /// <param name="status">Such as <c>200 OK</c>.</param>
    /// <param name="headers">Further lines, each with its end.</param>
    /// <param name="contact">In place of its own address.</param>
    public void Answer(ScriptedSipMessage request, string status, string body = "", string tag = "phone", string headers = "", string? contact = null) => Act(() =>
    {
        var text = new StringBuilder($"SIP/2.0 {status}\r\n");
        foreach (var via in request.Headers("Via")) text.Append("Via: ").Append((Keep is null ? via : via.Replace(";keep", $";keep={Keep}", StringComparison.Ordinal)).Replace(";rport", $";rport={_from.Port};received={_from.AddressText}", StringComparison.Ordinal)).Append("\r\n");
        var to = request.Header("To")!;
        if (!to.Contains(";tag=", StringComparison.Ordinal) && !status.StartsWith("100", StringComparison.Ordinal)) to += $";tag={tag}";
        text.Append(CultureInfo.InvariantCulture, $"From: {request.Header("From")}\r\nTo: {to}\r\nCall-ID: {request.Header("Call-ID")}\r\nCSeq: {request.CSeq}\r\n");
        text.Append(CultureInfo.InvariantCulture, $"Contact: <{contact ?? $"sip:phone@{Media.AddressText}:5060"}>\r\n{headers}");
        Complete(text, body);
        Outbox.Add(_by, _from, Encoding.UTF8.GetBytes(text.ToString()));
    });

    /// <summary>Sends a request of its own.</summary>
    /// <param name="uri">The Request-URI.</param>
    /// <param name="to">Where it goes.</param>
    /// <param name="headers">From, To, Call-ID, CSeq and what else it carries, each line with its end.</param>
    public void Request(string method, string uri, TransportAddress to, string headers, string body = "") => Act(() =>
    {
        var text = new StringBuilder($"{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {Media.AddressText}:5060;rport;branch=z9hG4bKphone{++_branch}\r\nMax-Forwards: 70\r\n");
        text.Append(CultureInfo.InvariantCulture, $"Contact: <sip:phone@{Media.AddressText}:5060>\r\n{headers}");
        Complete(text, body);
        Outbox.Add(_sip, to, Encoding.UTF8.GetBytes(text.ToString()));
    });

    /// <summary>A request in the dialog of an INVITE that it answered.</summary>
    public void RequestBack(ScriptedSipMessage invite, string method, int sequence, TransportAddress to, string body = "", string headers = "", string tag = "phone") =>
        Request(
            method,
            invite.Header("Contact")!.Split('<')[1].Split('>')[0],
            to,
            $"From: {invite.Header("To")};tag={tag}\r\nTo: {invite.Header("From")}\r\nCall-ID: {invite.Header("Call-ID")}\r\nCSeq: {sequence} {method}\r\n{headers}",
            body);

    /// <summary>Sends a frame of PCMU each 20 ms from here on.</summary>
    public void Speak(TransportAddress to) => Host.Run(now => (_listener, _speaksAt) = (to, now));

    /// <summary>Its audio leaves by another port than it is heard at.</summary>
    public void SpeakFrom(int port) => _speaksBy = Host.OpenUdp(port);

    /// <summary>Sends reports of what it sends and hears, each so often, to the port above the one that it speaks to.</summary>
    /// <param name="fillsEmptyBlocks">A block full of zeros stands for nobody heard, as some have it.</param>
    public void ReportEach(TimeSpan interval, bool fillsEmptyBlocks = false) => Host.Run(now =>
    {
        _reports.FillsEmptyBlocks = fillsEmptyBlocks;
        (_reportInterval, _reportsAt) = (interval, now + interval);
    });

    /// <summary>Sends RTCP to the port above.</summary>
    public void SendControl(TransportAddress rtp, byte[] packet) => Host.Run(_ => Outbox.Add(_rtcp, rtp.WithPort(rtp.Port + 1), packet));

    public void FallSilent() => _speaksAt = null;

    public void HandleFlow(Instant now, FlowId flow, FlowChange change) => _flows[flow] = change;

    /// <summary>The seconds between two keepalives that it wishes (RFC 6223); null where it takes none.</summary>
    public int? Keep { get; set; }

    /// <summary>STUN Binding requests that came where its signalling does, with the moment of each.</summary>
    public List<Instant> StunRequests { get; } = [];

    public void HandleDatagram(Instant now, FlowId flow, TransportAddress from, ReadOnlySpan<byte> datagram)
    {
        if (flow == _sip && datagram is [0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42, ..]) StunRequests.Add(now);
        if (flow == _rtp)
        {
            // RTCP and what else is no audio has other payload types.
            if (datagram.Length < RtpHeader || datagram[0] >> 6 != 2 || (datagram[1] & 0x7f) is >= 64 and < 96) return;

            if (!Hears(from)) return;

            _reports.NoteHeard(BinaryPrimitives.ReadUInt32BigEndian(datagram[8..]), BinaryPrimitives.ReadUInt16BigEndian(datagram[2..]));
            LastSsrc = BinaryPrimitives.ReadUInt32BigEndian(datagram[8..]);
            Heard.Add((from, datagram[1] & 0x7f, datagram.Length - RtpHeader, now));
            if (Latches) _listener = from;
            return;
        }

        if (flow == _rtcp || flow == _speaksBy) return;
        if (ScriptedSipMessage.Read(datagram) is not { } message) return;

        (_from, _by) = (from, flow);
        if (message.IsResponse)
        {
            _responses.Add(message);
            return;
        }

        _requests.Add(message);
        _isInside = true;
        OnRequest(message);
        _isInside = false;
    }

    public void HandleTimeout(Instant now)
    {
        if (_reportsAt <= now)
        {
            _reportsAt += _reportInterval;
            if (!_listener.IsNone) Outbox.Add(_rtcp, _listener.WithPort(_listener.Port + 1), _reports.Write());
        }

        Span<byte> packet = stackalloc byte[RtpHeader + 160];
        while (_speaksAt is { } due && due <= now)
        {
            _speaksAt = due + FrameTime;
            packet[0] = 0x80;
            packet[1] = PayloadType;
            BinaryPrimitives.WriteUInt16BigEndian(packet[2..], ++_sequence);
            BinaryPrimitives.WriteUInt32BigEndian(packet[4..], (uint)(_sequence * 160));
            BinaryPrimitives.WriteUInt32BigEndian(packet[8..], Ssrc);
            // Something to be heard: a square wave of 500 Hz. Silence of G.711 is all ones.
            for (var i = 0; i < 160; i++) packet[RtpHeader + i] = (byte)(IsMuted ? 0xff : i / 8 % 2 == 0 ? 0x20 : 0xa0);
            if (_listener.IsNone) continue;

            _reports.NoteSent();
            if (Reaches(_listener)) Outbox.Add(_speaksBy ?? _rtp, _listener, packet);
        }
    }

    public bool TryTakeRequest(out FlowRequest request)
    {
        request = default;
        return false;
    }

    // What is said from outside is drained by the host.
    private void Act(Action what)
    {
        if (_isInside) what();
        else Host.Run(_ => what());
    }

    private void AnswerAll(ScriptedSipMessage request)
    {
        if (request.Method is not ("INVITE" or "ACK")) Answer(request, "200 OK");
    }

    private static void Complete(StringBuilder text, string body)
    {
        if (body.Length > 0 && !text.ToString().Contains("Content-Type", StringComparison.Ordinal)) text.Append("Content-Type: application/sdp\r\n");
        text.Append(CultureInfo.InvariantCulture, $"Content-Length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n{body}");
    }
}
