using System.Text;
using SipNat.Simulation;
using SipNat.Wire;

namespace SipNat.Tests.Simulation;

/// <summary>As little of a recording server as a scripted client needs: it answers every request and keeps all RTP.</summary>
internal sealed class PlainRecorder : IProtocolCore
{
    public const int SipPort = 5060;
    public const int FirstMediaPort = 10000;

    private FlowId _lastFlow;
    private TransportAddress _lastSource;

    public List<ScriptedSipMessage> Requests { get; } = [];

    public List<ScriptedSipMessage> Responses { get; } = [];

    public List<ReceivedDatagram> Media { get; } = [];

    /// <summary>Status of the answer to each INVITE; below 200 it is left unanswered.</summary>
    public int Status { get; set; } = 200;

    public Outbox Outbox { get; } = new();

    public Instant? Deadline => null;

    public static (PlainRecorder Recorder, SimulatedHost Host) AddTo(SimulatedNetwork network)
    {
        var recorder = new PlainRecorder();
        var host = network.AddHost("198.51.100.1:5060", recorder);
        for (var i = 0; i < 4; i++) host.OpenUdp(FirstMediaPort + i);
        host.Listen(SipPort);
        return (recorder, host);
    }

    /// <summary>Sends a request in the client's dialog, to where its last request came from.</summary>
    public void Request(string method, string? callId = null)
    {
        var invite = Requests[0];
        var text = $"{method} sip:client@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.1:5060;branch=z9hG4bKr1\r\n"
            + $"From: {invite.Header("To")};tag=r\r\nTo: {invite.Header("From")}\r\nCall-ID: {callId ?? invite.Header("Call-ID")}\r\n"
            + $"CSeq: 1 {method}\r\nContent-Length: 0\r\n\r\n";
        Outbox.Add(_lastFlow, _lastSource, Encoding.UTF8.GetBytes(text));
    }

    public void HandleDatagram(Instant now, FlowId flow, TransportAddress from, ReadOnlySpan<byte> datagram)
    {
        if (ScriptedSipMessage.Read(datagram) is not { } message)
        {
            Media.Add(new(now, flow, from, datagram.ToArray()));
            return;
        }

        (_lastFlow, _lastSource) = (flow, from);
        if (message.IsResponse)
        {
            Responses.Add(message);
            return;
        }

        Requests.Add(message);
        if (message.Method is "ACK" || Status < 200) return;

        var isRefused = message.Method is "INVITE" && Status >= 300;
        Outbox.Add(flow, from, Encoding.UTF8.GetBytes(Respond(message, isRefused ? Status : 200, message.Method is "INVITE" && !isRefused ? Answer(message) : "")));
    }

    public void HandleFlow(Instant now, FlowId flow, FlowChange change)
    {
    }

    public void HandleTimeout(Instant now)
    {
    }

    public bool TryTakeRequest(out FlowRequest request)
    {
        request = default;
        return false;
    }

    private static string Answer(ScriptedSipMessage invite)
    {
        var isHeld = invite.Body.Contains("a=inactive", StringComparison.Ordinal);
        var text = new StringBuilder("v=0\r\no=- 1 1 IN IP4 198.51.100.1\r\ns=-\r\nc=IN IP4 198.51.100.1\r\nt=0 0\r\n");
        var lines = invite.Body.Split("\r\n").Count(line => line.StartsWith("m=audio", StringComparison.Ordinal));
        for (var i = 0; i < lines; i++) text.Append($"m=audio {FirstMediaPort + (2 * i)} RTP/AVP 0\r\na=label:{i + 1}\r\na={(isHeld ? "inactive" : "recvonly")}\r\n");
        return text.ToString();
    }

    private static string Respond(ScriptedSipMessage request, int status, string body)
    {
        var to = request.Header("To")!;
        if (!to.Contains(";tag=", StringComparison.Ordinal)) to += ";tag=r";
        return $"SIP/2.0 {status} Whatever\r\nVia: {request.Header("Via")}\r\nFrom: {request.Header("From")}\r\nTo: {to}\r\n"
            + $"Call-ID: {request.Header("Call-ID")}\r\nCSeq: {request.CSeq}\r\nContact: <sip:rec@198.51.100.1:5060>\r\n"
            + $"Content-Length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n{body}";
    }
}
