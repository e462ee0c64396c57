using System.Text;
using SipNat.Fuzz.Engine;
using SipNat.Sip.Messages;

namespace SipNat.Fuzz.Dialogs;

/// <summary>Requests and answers of the stranger, who keeps a few dialogs and the order in them only as far as the script wants.</summary>
internal sealed class StrangerMessages
{
    private const int Dialogs = 5;

    private static readonly string[] Methods = ["INVITE", "INVITE", "UPDATE", "UPDATE", "ACK", "ACK", "ACK", "BYE", "CANCEL", "OPTIONS", "INFO", "PRACK", "REFER", "MESSAGE"];
    private static readonly int[] Statuses = [100, 180, 200, 200, 200, 200, 202, 302, 401, 408, 481, 486, 488, 491, 500, 503, 603];

    private static readonly string[] Extras =
    [
        "", "", "", "Supported: timer\r\nSession-Expires: 90;refresher=uac\r\n", "Session-Expires: 120;refresher=uas\r\n", "Supported: timer\r\nSession-Expires: 1\r\n", "Session-Expires: 4294967295\r\n",
        "Require: siprec, timer\r\n", "Require: unheard-of\r\n", "Allow: INVITE, ACK, BYE\r\n", "Allow: UPDATE\r\n", "Record-Route: <sip:192.0.2.30;lr>, <sip:192.0.2.31>\r\n", "Record-Route: <sip:224.0.0.1>\r\n",
        "Contact: <sip:c@192.0.2.20:0>\r\n", "Contact: <sip:c@10.0.0.5:5060>\r\n", "Contact: <sip:c@host.example>\r\n", "Contact: <sip:c@192.0.2.20:5070;transport=tcp>\r\n", "Contact: <sip:c@239.1.1.1>\r\n", "Contact: <sip:c@0.0.0.0>\r\n", "Contact: <sips:c@[2001:db8::9]:5061>\r\n", "Contact: <tel:+1>\r\n",
        "Content-Encoding: gzip\r\n", "X-Cisco-Recording-Participant: <sip:a@b>;media-index=\"0 1\"\r\n", "Reason: Q.850;cause=16\r\n",
    ];

    private readonly string[] _toTags = new string[Dialogs];
    private readonly int[] _sequences = new int[Dialogs];
    private readonly int[] _calls = new int[Dialogs];
    private readonly int[] _invites = new int[Dialogs];
    private readonly SipWriter _writer = new();
    private int _branch;

    public StrangerMessages() => Array.Fill(_toTags, "");

    public byte[] Invite(ref Script script)
    {
        var dialog = script.Next(Dialogs);
        if (script.Next(4) != 0)
        {
            _calls[dialog]++;
            (_toTags[dialog], _sequences[dialog]) = ("", 0);
        }

        var extra = Extras[script.Next(Extras.Length)];
        if (script.Next(8) == 0)
        {
            var replaced = script.Next(Dialogs);
            extra += $"Replaces: {CallId(replaced)};to-tag={_toTags[replaced]};from-tag=s{replaced}\r\n";
        }

        return Request(ref script, "INVITE", dialog, extra);
    }

    public byte[] InDialog(ref Script script)
    {
        var dialog = script.Next(Dialogs);
        return Request(ref script, Methods[script.Next(Methods.Length)], dialog, Extras[script.Next(Extras.Length)]);
    }

    public byte[] OutOfDialog(ref Script script)
    {
        var method = Methods[script.Next(Methods.Length)];
        return Encoding.ASCII.GetBytes(
            $"{method} sip:recorder@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.20{(script.NextBool() ? ";rport" : "")};branch=z9hG4bKo{script.Next(8)}\r\n"
            + $"From: <sip:o@192.0.2.20>;tag=o\r\nTo: <sip:recorder@192.0.2.1>{(script.NextBool() ? ";tag=none" : "")}\r\nCall-ID: o{script.Next(4)}\r\nCSeq: {script.Next(4)} {method}\r\nContent-Length: 0\r\n\r\n");
    }

    /// <summary>The answer to a request of the recorder; those with an offer get an answer, or something like it.</summary>
    public byte[] Answer(ref Script script, SipMessage request)
    {
        var withBody = script.Next(4) != 0 && !request.Body.IsEmpty;
        var body = withBody ? StrangerBodies.Sdp(ref script) : [];
        new SipResponse(Statuses[script.Next(Statuses.Length)])
        {
            Headers = [new(SipHeader.Contact, "<sip:c@192.0.2.20:5060>")],
            ContentType = withBody ? "application/sdp" : null,
            Body = body,
        }.Write(_writer, request, default, "answerer", null);
        return _writer.Written.ToArray();
    }

    /// <summary>Takes the tag that makes a dialog out of an answer to one of the INVITEs.</summary>
    public void Learn(SipMessage answer)
    {
        if (answer.ToTag.IsEmpty || answer.StatusCode is < 200 or >= 300) return;

        for (var dialog = 0; dialog < Dialogs; dialog++)
        {
            if (Ascii.Equals(answer.CallId, CallId(dialog))) _toTags[dialog] = Encoding.ASCII.GetString(answer.ToTag);
        }
    }

    private byte[] Request(ref Script script, string method, int dialog, string extra)
    {
        var sequence = Sequence(ref script, method, dialog);
        var toTag = script.Next(16) == 0 ? "" : _toTags[dialog];
        var branch = method is "CANCEL" || (method is "ACK" && script.NextBool()) || script.Next(16) == 0 ? $"i{_invites[dialog]}" : $"r{++_branch}";
        if (method is "INVITE") _invites[dialog] = _branch;
        if (method is "INVITE") branch = $"i{_branch}";
        var (type, body) = StrangerBodies.Body(ref script);
        var contact = extra.StartsWith("Contact", StringComparison.Ordinal) ? "" : "Contact: <sip:c@192.0.2.20:5060>;+sip.src\r\n";
        var head = $"{method} sip:recorder@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.20:5060{(script.NextBool() ? ";rport" : "")};branch=z9hG4bK{branch}\r\nMax-Forwards: 70\r\n"
            + $"From: <sip:s@192.0.2.20>;tag=s{dialog}\r\nTo: <sip:recorder@192.0.2.1>{(toTag.Length > 0 ? ";tag=" : "")}{toTag}\r\n"
            + $"Call-ID: {CallId(dialog)}\r\nCSeq: {sequence} {method}\r\n{contact}{extra}"
            + (body.Length > 0 ? type : "") + $"Content-Length: {body.Length}\r\n\r\n";
        return [.. Encoding.ASCII.GetBytes(head), .. body];
    }

    private int Sequence(ref Script script, string method, int dialog)
    {
        if (method is not ("ACK" or "CANCEL") && script.Next(16) != 0) _sequences[dialog]++;
        return _sequences[dialog];
    }

    private string CallId(int dialog) => $"s{dialog}-{_calls[dialog]}@192.0.2.20";
}
