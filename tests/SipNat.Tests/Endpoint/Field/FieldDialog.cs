using System.Globalization;
using System.Text;
using SipNat.Simulation;
using SipNat.Wire;

namespace SipNat.Tests.Endpoint.Field;

/// <summary>One dialog of a <see cref="FieldPeer"/>: what its messages are made from, and where its frames go.</summary>
internal sealed class FieldDialog(string callId)
{
    private const int Silent = -1;
    private Instant? _startedAt;
    private long _cseq;

    public string CallId { get; } = callId;

    /// <summary>The last INVITE that was sent, as text.</summary>
    public string Invite { get; set; } = "";

    /// <summary>Whether that INVITE has no final answer.</summary>
    public bool IsOffering { get; set; }

    /// <summary>Empty until the recorder has answered.</summary>
    public string RecorderTag { get; set; } = "";

    /// <summary>The To value of a request in the dialog.</summary>
    public string To { get; set; } = "";

    public IReadOnlyList<FieldMedia> Media { get; set; } = [];

    public IReadOnlyList<ScriptedAnswer> Answers { get; private set; } = [];

    public int Frame { get; set; }

    public bool IsOpen => To.Length > 0 && Frame != Silent;

    public Instant? FrameDue => Frame == Silent || _startedAt is not { } start ? null : start + (ScriptedFrame.Span * Frame);

    public uint SsrcOf(int stream) => (uint)((CallId.Length * 1000) + (stream * 10) + 1);

    /// <summary>Takes an answer; the frames' clock begins with the first.</summary>
    public void Start(Instant now, IReadOnlyList<ScriptedAnswer> answers)
    {
        Answers = answers;
        _startedAt ??= now;
    }

    public void Close() => (Frame, _startedAt) = (Silent, null);

    /// <summary>An ACK or BYE beside those of the files, with the headers of the INVITE.</summary>
    public byte[] Request(string method, string to, bool isSameTransaction)
    {
        var invite = Headers(Invite);
        var number = Number(invite["cseq"]);
        if (method is "BYE") number = _cseq = Math.Max(_cseq, number) + 1;
        var via = isSameTransaction ? invite["via"] : invite["via"].Split(';')[0] + $";branch=z9hG4bKf{method}{number}{CallId.Length}{RecorderTag};rport";
        return Encoding.UTF8.GetBytes($"{method} {Invite.Split(' ')[1]} SIP/2.0\r\nVia: {via}\r\nMax-Forwards: 70\r\nFrom: {invite["from"]}\r\n"
            + $"To: {to}\r\nCall-ID: {CallId}\r\nCSeq: {number} {method}\r\nContent-Length: 0\r\n\r\n");
    }

    /// <summary>200 to a request of the recorder, with the last description where it brought one.</summary>
    /// <param name="obeys">Whether its frames follow the offer.</param>
    public byte[] Answer(ScriptedSipMessage request, bool obeys)
    {
        var sdp = request.Body.Contains("v=0", StringComparison.Ordinal) && request.Method is "INVITE" or "UPDATE" ? Description(request.Body) : "";
        var text = ResponseTo(request, "200 OK");
        if (sdp.Length > 0)
        {
            if (obeys) Answers = ScriptedAnswer.Read(request.Body);
            text.Append("Content-Type: application/sdp\r\n");
        }

        return Encoding.UTF8.GetBytes(text.Append($"Content-Length: {sdp.Length}\r\n\r\n{sdp}").ToString());
    }

    /// <summary>491 to an offer that met one (RFC 3261 §14.2).</summary>
    public static byte[] RefuseGlare(ScriptedSipMessage request) =>
        Encoding.UTF8.GetBytes(ResponseTo(request, "491 Request Pending").Append("Content-Length: 0\r\n\r\n").ToString());

    private static StringBuilder ResponseTo(ScriptedSipMessage request, string status)
    {
        var text = new StringBuilder($"SIP/2.0 {status}\r\n");
        foreach (var via in request.Headers("Via")) text.Append($"Via: {via}\r\n");
        foreach (var name in new[] { "From", "To", "Call-ID", "CSeq" }) text.Append($"{name}: {request.Header(name)}\r\n");
        return text;
    }

    // Ports and formats of its last description; the direction that answers the recorder's.
    private string Description(string offer)
    {
        var direction = offer.Contains("a=inactive", StringComparison.Ordinal) ? "inactive" : "sendonly";
        var host = Headers(Invite)["via"].Split(' ')[1].Split(';')[0].Split(':')[0];
        var lines = Media.Select(m => $"m=audio {m.Port} RTP/AVP {m.PayloadType}\r\na={direction}\r\n");
        return $"v=0\r\no=- 1 2 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n{string.Concat(lines)}";
    }

    private static long Number(string cseq) => long.Parse(cseq.Split(' ')[0], CultureInfo.InvariantCulture);

    private static Dictionary<string, string> Headers(string message)
    {
        var headers = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var line in message.Split('\n').Skip(1).Select(l => l.TrimEnd('\r')).TakeWhile(l => l.Length > 0))
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon > 0 && line[0] is not (' ' or '\t')) headers.TryAdd(LongName(line[..colon].Trim().ToLowerInvariant()), line[(colon + 1)..].Trim());
        }

        return headers;
    }

    private static string LongName(string name) => name switch { "v" => "via", "f" => "from", "t" => "to", _ => name };
}
