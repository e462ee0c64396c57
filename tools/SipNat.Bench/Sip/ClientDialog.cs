using System.Net;
using System.Security.Cryptography;
using System.Text;

namespace SipNat.Bench.Sip;

/// <summary>The caller's side of one dialog (RFC 3261 §12): builds requests in it and answers to requests in it.</summary>
public sealed class ClientDialog(ClientDialogIdentity identity, ISipChannel channel, IPEndPoint server)
{
    private readonly string _localTag = Token(8);
    private string? _remoteTag;
    private string _remoteTarget = $"sip:{server};transport={channel.Transport.ToLowerInvariant()}";
    private List<string> _routes = [];
    private int _cseq;

    public string CallId => identity.CallId;

    public bool IsEstablished => _remoteTag is not null;

    /// <summary>Where a request in the dialog goes: the topmost route, else the remote target; a host name is not looked up.</summary>
    public IPEndPoint Destination
    {
        get
        {
            if (channel.IsReliable) return server;

            var uri = _routes.Count > 0 ? SipText.Uri(_routes[0]) : _remoteTarget;
            return TryReadHostPort(uri, out var endPoint) ? endPoint : server;
        }
    }

    /// <summary>Takes tag, target and routes from a 2xx to an INVITE (§12.1.2).</summary>
    public void Establish(SipText response)
    {
        _remoteTag ??= SipText.Parameter(response.First("To"), "tag") ?? "";
        if (response.First("Contact") is { Length: > 0 } contact) _remoteTarget = SipText.Uri(contact);
        if (_routes.Count == 0) _routes = [.. response.All("Record-Route").SelectMany(line => line.Split(',', StringSplitOptions.TrimEntries)).Reverse()];
    }

    /// <summary>Call-ID and our tag match, and the other tag where it is known.</summary>
    public bool Owns(SipText request) =>
        request.CallId == CallId
        && SipText.Parameter(request.First("To"), "tag") == _localTag
        && (_remoteTag is null || (SipText.Parameter(request.First("From"), "tag") ?? "") == _remoteTag);

    public OutgoingRequest Request(string method, IEnumerable<string> headers, SipBody body)
    {
        var branch = "z9hG4bK" + Token(10);
        var cseq = ++_cseq;
        return new(method, branch, cseq, Compose(method, branch, cseq, headers, body), Destination);
    }

    /// <summary>The ACK of a 2xx: its own branch, the INVITE's number (§13.2.2.4).</summary>
    public byte[] Acknowledge(int cseq) => Compose("ACK", "z9hG4bK" + Token(10), cseq, [], SipBody.None);

    /// <summary>The ACK of a refusal: the INVITE's branch and Request-URI, the To of the response (§17.1.1.3).</summary>
    public byte[] AcknowledgeRefusal(OutgoingRequest invite, SipText response)
    {
        var requestUri = Encoding.UTF8.GetString(invite.Bytes).Split(' ')[1];
        return Head($"ACK {requestUri} SIP/2.0", Via(invite.Branch), response.First("To"), $"{invite.CSeq} ACK", [], SipBody.None);
    }

    /// <summary>A response with the Via, From and Call-ID of its request (§8.2.6).</summary>
    public byte[] Respond(SipText request, int status, string reason, IEnumerable<string> headers, SipBody body)
    {
        var text = new StringBuilder($"SIP/2.0 {status} {reason}\r\n");
        foreach (var via in request.All("Via")) text.Append($"Via: {via}\r\n");
        foreach (var route in request.All("Record-Route")) text.Append($"Record-Route: {route}\r\n");
        var to = request.First("To");
        if (SipText.Parameter(to, "tag") is null) to += ";tag=" + _localTag;
        text.Append($"From: {request.First("From")}\r\nTo: {to}\r\nCall-ID: {request.CallId}\r\nCSeq: {request.First("CSeq")}\r\n");
        foreach (var header in headers) text.Append(header).Append("\r\n");
        return Finish(text, body);
    }

    public static string Token(int bytes) => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(bytes));

    private byte[] Compose(string method, string branch, int cseq, IEnumerable<string> headers, SipBody body)
    {
        var to = $"<sip:recorder@{server}>" + (string.IsNullOrEmpty(_remoteTag) ? "" : ";tag=" + _remoteTag);
        var uri = IsEstablished ? _remoteTarget : $"sip:recorder@{server}" + (channel.IsReliable ? ";transport=tcp" : "");
        return Head($"{method} {uri} SIP/2.0", Via(branch), to, $"{cseq} {method}", [.. _routes.Select(route => "Route: " + route), .. headers], body);
    }

    private byte[] Head(string startLine, string via, string to, string cseq, IEnumerable<string> headers, SipBody body)
    {
        var text = new StringBuilder(startLine).Append("\r\n");
        text.Append($"Via: {via}\r\nMax-Forwards: 70\r\nFrom: <{identity.From}>;tag={_localTag}\r\nTo: {to}\r\n");
        text.Append($"Call-ID: {CallId}\r\nCSeq: {cseq}\r\nContact: {identity.Contact}\r\nUser-Agent: sipnat-bench\r\n");
        foreach (var header in headers) text.Append(header).Append("\r\n");
        return Finish(text, body);
    }

    private static byte[] Finish(StringBuilder text, SipBody body)
    {
        if (body.Type is not null) text.Append($"Content-Type: {body.Type}\r\n");
        text.Append($"Content-Length: {body.Bytes.Length}\r\n\r\n");
        return [.. Encoding.UTF8.GetBytes(text.ToString()), .. body.Bytes];
    }

    // rport asks for the answer at the source of the request (RFC 3581).
    private string Via(string branch) => $"SIP/2.0/{channel.Transport} {identity.SentBy};rport;branch={branch}";

    private static bool TryReadHostPort(string uri, out IPEndPoint endPoint)
    {
        var hostPort = uri[(uri.IndexOf(':', StringComparison.Ordinal) + 1)..].Split(';', '?')[0];
        hostPort = hostPort[(hostPort.IndexOf('@', StringComparison.Ordinal) + 1)..];
        if (!IPEndPoint.TryParse(hostPort, out endPoint!)) return false;
        if (endPoint.Port == 0) endPoint.Port = 5060;
        return true;
    }
}

/// <summary>What names the caller in every request: sent-by is the host and port of Via, Contact the whole header value.</summary>
public sealed record ClientDialogIdentity(string CallId, string From, string SentBy, string Contact);

/// <summary>A body with its media type; no type for none.</summary>
public sealed record SipBody(string? Type, byte[] Bytes)
{
    public static SipBody None { get; } = new(null, []);

    public static SipBody Sdp(string text) => new("application/sdp", Encoding.UTF8.GetBytes(text));
}
