using System.Text;
using SipNat.Fuzz.Engine;

namespace SipNat.Fuzz.Targets;

/// <summary>Messages and words of SIP to begin with.</summary>
internal static class SipSeeds
{
    public static IReadOnlyList<byte[]> Tokens { get; } = Mutator.Words(
        "SIP/2.0", "INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "UPDATE", "PRACK", "sip:", "sips:", "tel:", "<", ">", "\"", "\\\"", ";", ",", "?", "@", "%00",
        ";tag=", ";branch=z9hG4bK", ";rport", ";rport=5060", ";received=192.0.2.9", ";lr", ";maddr=224.0.0.1", ";transport=tcp", ";+sip.src", ";+sip.srs", "[::1]", "[2001:db8::1]:5060",
        "Via: SIP/2.0/UDP host;branch=z9hG4bK1\r\n", "v: SIP/2.0/TCP h\r\n", "From: <sip:a@b>;tag=1\r\n", "To: <sip:a@b>\r\n", "Call-ID: a@b\r\n", "i: x\r\n", "CSeq: 1 INVITE\r\n", "CSeq: 4294967295 INVITE\r\n",
        "Content-Length: 0\r\n", "l: 5\r\n", "Content-Type: application/sdp\r\n", "Contact: *\r\n", "Contact: <sip:a@192.0.2.2:5070>\r\n", "Record-Route: <sip:192.0.2.3;lr>\r\n", "Route: <sip:192.0.2.3>\r\n",
        "Require: siprec\r\n", "Require: nothing\r\n", "Supported: timer\r\n", "Session-Expires: 90;refresher=uac\r\n", "Min-SE: 90\r\n", "Replaces: a;to-tag=b;from-tag=c\r\n", "Content-Encoding: gzip\r\n",
        "X-Cisco-Recording-Participant: <sip:a@b>;media-index=\"0\"\r\n", "Allow: INVITE, UPDATE\r\n", "Reason: Q.850;cause=16\r\n", " folded\r\n", ": ", "\r\n\r\n", "\t");

    /// <summary>The torture tests, each body of a recording client in an INVITE, and a few answers.</summary>
    public static IEnumerable<byte[]> Messages(Corpus corpus)
    {
        foreach (var message in corpus.Files("sip", "*.dat")) yield return message;

        foreach (var (type, disposition, body) in corpus.SiprecBodies()) yield return Request("INVITE", type, disposition, body);

        foreach (var status in (string[])["100 Trying", "200 OK", "408 Request Timeout", "491 Request Pending"])
        {
            yield return Encoding.ASCII.GetBytes(
                $"SIP/2.0 {status}\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKa;received=192.0.2.1;rport=5060\r\nFrom: <sip:r@192.0.2.1>;tag=r\r\n"
                + "To: \"Client\" <sip:c@192.0.2.2>;tag=c\r\nCall-ID: seed@192.0.2.2\r\nCSeq: 7 UPDATE\r\nContact: <sip:c@192.0.2.2:5070>\r\nContent-Length: 0\r\n\r\n");
        }
    }

    /// <summary>A request as a recording client sends it.</summary>
    public static byte[] Request(string method, string contentType, string disposition, byte[] body)
    {
        var head = $"{method} sip:recorder@192.0.2.1:5060 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2:5060;rport;branch=z9hG4bKseed\r\nMax-Forwards: 70\r\n"
            + "From: \"Client\" <sip:client@192.0.2.2>;tag=seed\r\nTo: <sip:recorder@192.0.2.1>\r\nCall-ID: seed@192.0.2.2\r\nCSeq: 1 " + method + "\r\n"
            + "Contact: <sip:client@192.0.2.2:5060>;+sip.src\r\nRequire: siprec\r\nSupported: timer\r\nSession-Expires: 1800;refresher=uac\r\nAllow: INVITE, UPDATE, BYE\r\n"
            + (contentType.Length > 0 ? $"Content-Type: {contentType}\r\n" : "")
            + (disposition.Length > 0 ? $"Content-Disposition: {disposition}\r\n" : "")
            + $"Content-Length: {body.Length}\r\n\r\n";
        return [.. Encoding.UTF8.GetBytes(head), .. body];
    }
}
