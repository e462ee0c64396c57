using System.Text;
using SipNat.Fuzz.Engine;

namespace SipNat.Fuzz.Dialogs;

/// <summary>Bodies of the stranger: descriptions of few or many media, metadata, both, or neither.</summary>
internal static class StrangerBodies
{
    private static readonly string[] Addresses = ["192.0.2.20", "0.0.0.0", "10.0.0.5", "224.1.1.1", "127.0.0.1", "host.example", "203.0.113.77", "255.255.255.255"];

    private static readonly string[] Media =
    [
        "m=audio 4000 RTP/AVP 0\r\na=sendonly\r\n", "m=audio 4000 RTP/AVP 8 0 101\r\na=rtpmap:101 telephone-event/8000\r\na=sendonly\r\n", "m=audio 4004 RTP/AVP 0\r\na=inactive\r\n", "m=audio 0 RTP/AVP 0\r\n",
        "m=audio 4000 RTP/AVP 0\r\na=rtcp-mux\r\n", "m=audio 4000 RTP/AVP 0\r\na=rtcp:0\r\n", "m=audio 65535 RTP/AVP 8\r\na=sendonly\r\n", "m=video 4002 RTP/AVP 96\r\n", "m=audio 4000 RTP/SAVP 0\r\n", "m=audio 4000 RTP/SAVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA|2^20|1:4\r\n",
        "m=audio 4000 RTP/AVP 18\r\n", "m=audio 4000 RTP/AVP 0\r\na=rtcp:9 IN IP4 224.0.0.1\r\n", "m=audio 4000 RTP/AVP 13\r\n", "m=audio 4000 RTP/AVP 0\r\nc=IN IP4 0.0.0.0\r\n",
    ];

    private static readonly string[] Metadata =
    [
        "<datamode>complete</datamode><session session_id=\"s\"/><participant participant_id=\"a\"><nameID aor=\"sip:a@b\"/></participant><stream stream_id=\"t0\" session_id=\"s\"><label>0</label></stream><participantstreamassoc participant_id=\"a\"><send>t0</send></participantstreamassoc>",
        "<datamode>partial</datamode><participant participant_id=\"b\"/>", "<datamode>partial</datamode><participantsessionassoc participant_id=\"a\" session_id=\"s\"><disassociate-time>2024-03-01T10:18:30Z</disassociate-time></participantsessionassoc>",
        "<datamode>complete</datamode>", "<participant participant_id=\"a\"><nameID aor=\"sip:x@y\"><name>X</name></nameID></participant>", "<broken", "<stream stream_id=\"t1\"><label>1</label><disassociate-time>2024-03-01T10:18:30Z</disassociate-time></stream>",
    ];

    /// <summary>A body with its Content-Type line.</summary>
    public static (string Type, byte[] Body) Body(ref Script script)
    {
        switch (script.Next(8))
        {
            case 0:
                return ("", []);
            case 1:
                return ("Content-Type: application/rs-metadata+xml\r\nContent-Disposition: recording-session\r\n", Xml(ref script));
            case 2:
                return ("Content-Type: application/rs-metadata-request\r\n", "SRS"u8.ToArray());
            case 3:
                return ("Content-Type: text/plain\r\n", script.NextBytes(script.Next(32)).ToArray());
            case 4 or 5:
                return ("Content-Type: application/sdp\r\n", Sdp(ref script));
            default:
                return ("Content-Type: multipart/mixed;boundary=b\r\n",
                [
                    .. "--b\r\nContent-Type: application/sdp\r\n\r\n"u8, .. Sdp(ref script),
                    .. "\r\n--b\r\nContent-Type: application/rs-metadata+xml\r\nContent-Disposition: recording-session\r\n\r\n"u8, .. Xml(ref script), .. "\r\n--b--\r\n"u8,
                ]);
        }
    }

    public static byte[] Sdp(ref Script script)
    {
        var text = new StringBuilder($"v=0\r\no=s 1 {script.NextByte()} IN IP4 192.0.2.20\r\ns=-\r\nc=IN IP4 {Addresses[script.Next(2) == 0 ? 0 : script.Next(Addresses.Length)]}\r\nt=0 0\r\n");
        var count = script.Next(32) == 0 ? 64 : script.Next(5);
        for (var i = 0; i < count; i++)
        {
            text.Append(Media[script.Next(2) == 0 ? 0 : script.Next(Media.Length)]);
            if (script.Next(4) != 0) text.Append("a=label:").Append(script.Next(8) == 0 ? 0 : i).Append("\r\n");
        }

        return Encoding.ASCII.GetBytes(text.ToString());
    }

    private static byte[] Xml(ref Script script) =>
        Encoding.ASCII.GetBytes($"<recording xmlns=\"urn:ietf:params:xml:ns:recording:1\">{Metadata[script.Next(Metadata.Length)]}</recording>");
}
