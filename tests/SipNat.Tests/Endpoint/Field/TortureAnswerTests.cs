using SipNat.Simulation;
using SipNat.Tests.Endpoint.Signalling;
using SipNat.Tests.Sip;

namespace SipNat.Tests.Endpoint.Field;

/// <summary>What the whole recorder answers to the messages of RFC 4475 and RFC 5118; where it departs, docs/gaps.md says why.</summary>
public sealed class TortureAnswerTests
{
    [Fact]
    public void Every_message_has_its_answer()
    {
        var answers = Wired.Corpus.Select(message => $"{message.Name}: {AnswerTo(message.Bytes)}");

        Assert.Equal(Expected.ReplaceLineEndings("\n"), string.Join('\n', answers));
    }

    private static string AnswerTo(byte[] message)
    {
        var scene = new RecorderScene(seed: 1);
        var probe = new DatagramProbe();
        var host = scene.Network.AddHost("198.51.100.150", probe);
        var flow = host.OpenUdp(5060);
        host.Run(_ => probe.Outbox.Add(flow, scene.Server, message));

        scene.RunFor(0.4);
        var sent = scene.Log.SentBy(scene.Server).Where(p => p.IsSip).Select(p => ScriptedSipMessage.Read(p.Bytes)!).FirstOrDefault();
        return sent is null ? "nothing" : sent.StartLine["SIP/2.0 ".Length..];
    }

    private const string Expected = """
        badaspec: 200 OK
        badbranch: 200 OK
        baddate: 200 OK
        baddn: 200 OK
        badinv01: 200 OK
        badvers: 505 Version Not Supported
        bcast: nothing
        bext01: 420 Bad Extension
        bigcode: nothing
        clerr: 400 Content-Length exceeds the message
        cparam01: 405 Method Not Allowed
        cparam02: 405 Method Not Allowed
        dblreq: 405 Method Not Allowed
        esc01: 200 OK
        esc02: 501 Not Implemented
        escnull: 405 Method Not Allowed
        escruri: 200 OK
        insuf: nothing
        intmeth: 501 Not Implemented
        inv2543: 200 OK
        invut: 415 Unsupported Media Type
        ipv4-mapped-ipv6: 200 OK
        ipv6-bad: 400 Bad Request-URI
        ipv6-bug-abnf-3-colons: 200 OK
        ipv6-correct-abnf-2-colons: 200 OK
        ipv6-good: 405 Method Not Allowed
        ipv6-in-sdp: 200 OK
        longreq: 200 OK
        ltgtruri: 400 Bad Request-URI
        lwsdisp: 200 OK
        lwsruri: 400 Bad Request-URI
        lwsstart: 200 OK
        mcl01: 400 Header field must not repeat
        mismatch01: 400 CSeq names another method
        mismatch02: 400 CSeq names another method
        mpart01: 405 Method Not Allowed
        mult-ip-in-header: 481 Call/Transaction Does Not Exist
        mult-ip-in-sdp: 200 OK
        multi01: 400 Header field must not repeat
        ncl: 400 Bad Content-Length
        noreason: nothing
        novelsc: 416 Unsupported URI Scheme
        port-ambiguous: 405 Method Not Allowed
        port-unambiguous: 405 Method Not Allowed
        quotbal: 400 Bad To
        regaut01: 405 Method Not Allowed
        regbadct: 405 Method Not Allowed
        regescrt: 405 Method Not Allowed
        scalar02: 400 Bad CSeq
        scalarlg: nothing
        sdp01: 200 OK
        semiuri: 200 OK
        transports: 200 OK
        trws: 200 OK
        unkscm: 416 Unsupported URI Scheme
        unksm2: 405 Method Not Allowed
        unreason: nothing
        via-received-param-no-delim: 200 OK
        via-received-param-with-delim: 481 Call/Transaction Does Not Exist
        wsinv: 481 Call/Transaction Does Not Exist
        zeromf: 200 OK
        """;
}
