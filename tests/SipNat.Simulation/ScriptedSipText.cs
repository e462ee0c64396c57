using System.Globalization;
using System.Text;
using SipNat.Wire;

namespace SipNat.Simulation;

/// <summary>The texts that a scripted peer sends: requests, responses, SDP and metadata, made by plain interpolation.</summary>
internal sealed class ScriptedSipText(ScriptedPeerOptions options, Random random)
{
    private const string Boundary = "unique-boundary-1";

    private readonly string _localTag = Token(random);
    private readonly string _sessionId = $"{random.Next(1_000_000, 9_999_999)}";
    private int _sdpVersion;

    public string CallId { get; } = $"{Token(random)}@peer";

    /// <summary>The local address of the SIP flow.</summary>
    public TransportAddress Local { get; set; }

    /// <summary>To, with the tag once the recorder has given one.</summary>
    public string To { get; set; } = $"<sip:recorder@{options.Server}>";

    /// <summary>The request URI within the dialog: the recorder's Contact.</summary>
    public string Target { get; set; } = $"sip:recorder@{options.Server}";

    private TransportAddress Host => options.AdvertisedSignalling.IsNone ? Local
        : options.AdvertisedSignalling.Port == 0 ? options.AdvertisedSignalling.WithPort(Local.Port)
        : options.AdvertisedSignalling;

    private string From => $"<sip:client@{Host.HostText}>;tag={_localTag}";

    private string Contact => $"<sip:client@{Host};transport={options.Transport.ToString().ToLowerInvariant()}>;+sip.src";

    public static string Token(Random random) => random.NextInt64(0x1000_0000_0000, long.MaxValue).ToString("x", CultureInfo.InvariantCulture);

    public byte[] Request(string method, int cseq, string? sdp = null, bool isInitial = false)
    {
        var text = new StringBuilder()
            .Line($"{method} {Target} SIP/2.0")
            .Line($"Via: SIP/2.0/{options.Transport.ToString().ToUpperInvariant()} {Host};branch=z9hG4bK{Token(random)}{(options.HasRport ? ";rport" : "")}")
            .Line("Max-Forwards: 70")
            .Line($"From: {From}")
            .Line($"To: {To}")
            .Line($"Call-ID: {CallId}")
            .Line($"CSeq: {cseq} {method}");
        if (method is "INVITE") text.Line($"Contact: {Contact}").Line($"Allow: INVITE, ACK, BYE, CANCEL, OPTIONS{(options.AllowsUpdate ? ", UPDATE" : "")}");
        if (isInitial && options.Require.Length > 0) text.Line($"Require: {options.Require}");
        foreach (var header in isInitial ? options.ExtraHeaders : []) text.Line(header);

        return isInitial && options.HasMetadata ? Multipart(text, sdp!) : WithBody(text, "application/sdp", sdp);
    }

    public byte[] Response(ScriptedSipMessage request, int status, string reason, string? sdp = null)
    {
        var text = new StringBuilder().Line($"SIP/2.0 {status} {reason}");
        foreach (var via in request.Headers("Via")) text.Line($"Via: {via}");
        foreach (var name in new[] { "From", "To", "Call-ID", "CSeq" }) text.Line($"{name}: {request.Header(name)}");
        if (request.Method is "INVITE" or "UPDATE" or "OPTIONS") text.Line($"Contact: {Contact}");
        return WithBody(text, "application/sdp", sdp);
    }

    /// <summary>The offer, or the answer to the recorder's, with the ports given; a new version each time.</summary>
    public string Sdp(IReadOnlyList<int> ports, string direction)
    {
        var address = options.AdvertisedMedia.IsNone ? Local : options.AdvertisedMedia;
        var family = address.IsIPv6 ? "IP6" : "IP4";
        var text = new StringBuilder()
            .Line("v=0")
            .Line($"o=client {_sessionId} {++_sdpVersion} IN {family} {address.AddressText}")
            .Line("s=-")
            .Line($"c=IN {family} {address.AddressText}")
            .Line("t=0 0");
        for (var i = 0; i < ports.Count; i++)
        {
            text.Line($"m=audio {ports[i]} RTP/AVP {options.PayloadType}")
                .Line($"a=rtpmap:{options.PayloadType} {(options.PayloadType == 8 ? "PCMA" : "PCMU")}/8000")
                .Line("a=ptime:20")
                .Line($"a=label:{Label(i)}");
            if (options.OffersRtcpMux) text.Line("a=rtcp-mux");
            text.Line($"a={direction}");
        }

        return options.RewriteSdp(text.ToString());
    }

    private string Label(int stream) => stream < options.Labels.Count ? options.Labels[stream] : $"{stream + 1}";

    private byte[] Multipart(StringBuilder head, string sdp)
    {
        var body = new StringBuilder()
            .Line($"--{Boundary}").Line("Content-Type: application/sdp").Line("").Append(sdp)
            .Line($"--{Boundary}").Line("Content-Type: application/rs-metadata+xml").Line("Content-Disposition: recording-session")
            .Line("").Line(options.Metadata ?? Metadata()).Line($"--{Boundary}--");
        return WithBody(head, $"multipart/mixed;boundary={Boundary}", body.ToString());
    }

    // RFC 7865: one session, one participant for each stream, who sends it and receives the others.
    private string Metadata()
    {
        const string Time = "2026-01-01T00:00:00Z";
        var streams = Enumerable.Range(0, options.Streams).ToList();
        var text = new StringBuilder()
            .Line("<?xml version=\"1.0\" encoding=\"UTF-8\"?>")
            .Line("<recording xmlns=\"urn:ietf:params:xml:ns:recording:1\">")
            .Line("<datamode>complete</datamode>")
            .Line($"<session session_id=\"{Id(0x10)}\"><sipSessionID>ab30317f1a784dc48ff824d0d3715d86;remote=47755a9de7794ba387653f2099600ef2</sipSessionID><start-time>{Time}</start-time></session>");
        foreach (var i in streams) text.Line($"<participant participant_id=\"{Id(0x20 + i)}\"><nameID aor=\"sip:party{i + 1}@example.com\"><name xml:lang=\"en\">Party {i + 1}</name></nameID></participant>");
        foreach (var i in streams) text.Line($"<stream stream_id=\"{Id(0x30 + i)}\" session_id=\"{Id(0x10)}\"><label>{Label(i)}</label></stream>");
        text.Line($"<sessionrecordingassoc session_id=\"{Id(0x10)}\"><associate-time>{Time}</associate-time></sessionrecordingassoc>");
        foreach (var i in streams) text.Line($"<participantsessionassoc participant_id=\"{Id(0x20 + i)}\" session_id=\"{Id(0x10)}\"><associate-time>{Time}</associate-time></participantsessionassoc>");
        foreach (var i in streams)
        {
            text.Append($"<participantstreamassoc participant_id=\"{Id(0x20 + i)}\"><send>{Id(0x30 + i)}</send>");
            foreach (var other in streams.Where(other => other != i)) text.Append($"<recv>{Id(0x30 + other)}</recv>");
            text.Line("</participantstreamassoc>");
        }

        return text.Append("</recording>").ToString();
    }

    // RFC 7865 §6.10: the base64 form of a UUID.
    private string Id(int number)
    {
        var octets = new byte[16];
        octets[0] = (byte)options.Seed;
        octets[15] = (byte)number;
        return Convert.ToBase64String(octets);
    }

    private static byte[] WithBody(StringBuilder head, string type, string? body)
    {
        if (body is not null) head.Line($"Content-Type: {type}");
        head.Line($"Content-Length: {Encoding.UTF8.GetByteCount(body ?? "")}").Line("").Append(body);
        return Encoding.UTF8.GetBytes(head.ToString());
    }
}

internal static class SipLines
{
    extension(StringBuilder text)
    {
        public StringBuilder Line(string line) => text.Append(line).Append("\r\n");
    }
}
