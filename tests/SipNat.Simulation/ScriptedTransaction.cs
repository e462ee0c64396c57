using System.Globalization;
using System.Text;
using SipNat.Wire;

namespace SipNat.Simulation;

/// <summary>The one client transaction that a scripted peer has at a time (RFC 3261 §17.1), with its retransmissions.</summary>
internal sealed class ScriptedTransaction(TransportProtocol transport)
{
    private static readonly TimeSpan T1 = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan T2 = TimeSpan.FromSeconds(4);

    private FlowId _flow;
    private TransportAddress _destination;
    private string _cseq = "";
    private byte[] _request = [];
    private byte[] _lastInvite = [];
    private TimeSpan _interval;
    private Instant? _resendDue;
    private Instant _giveUpDue;

    public bool IsPending { get; private set; }

    public Instant? Deadline => IsPending ? Instant.Earlier(_resendDue, _giveUpDue) : null;

    private bool IsInvite => _cseq.EndsWith("INVITE", StringComparison.Ordinal);

    public void Start(Instant now, FlowId flow, TransportAddress destination, int cseq, string method, byte[] request, Outbox outbox)
    {
        (_flow, _destination, _request) = (flow, destination, request);
        _cseq = string.Create(CultureInfo.InvariantCulture, $"{cseq} {method}");
        if (IsInvite) _lastInvite = request;
        (IsPending, _interval, _giveUpDue) = (true, T1, now + (64 * T1));
        _resendDue = transport.IsReliable ? null : now + T1;
        outbox.Add(flow, destination, request);
    }

    /// <summary>Sends again where it is time to; true when the request was given up.</summary>
    public bool HandleTimeout(Instant now, Outbox outbox)
    {
        if (!IsPending) return false;

        if (_giveUpDue <= now)
        {
            IsPending = false;
            return true;
        }

        if (_resendDue is not { } due || due > now) return false;

        _interval = IsInvite || _interval * 2 < T2 ? _interval * 2 : T2;
        _resendDue = due + _interval;
        outbox.Add(_flow, _destination, _request);
        return false;
    }

    /// <summary>True for the first final response to the pending request.</summary>
    public bool HandleResponse(ScriptedSipMessage response)
    {
        if (!IsPending || response.CSeq != _cseq) return false;
        if (IsInvite) _resendDue = null;
        if (response.Status < 200) return false;

        IsPending = false;
        return true;
    }

    /// <summary>The ACK of a refusal: it has the branch of the INVITE and the To of the response (RFC 3261 §17.1.1.3).</summary>
    public byte[] AckOf(ScriptedSipMessage response)
    {
        var lines = Encoding.UTF8.GetString(_lastInvite).Split("\r\n");
        var target = lines[0].Split(' ')[1];
        var kept = lines.Where(line => line.StartsWith("Via:", StringComparison.Ordinal) || line.StartsWith("From:", StringComparison.Ordinal) || line.StartsWith("Call-ID:", StringComparison.Ordinal));
        var number = response.CSeq.Split(' ')[0];
        var text = $"ACK {target} SIP/2.0\r\n{string.Join("\r\n", kept)}\r\nTo: {response.Header("To")}\r\nCSeq: {number} ACK\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n";
        return Encoding.UTF8.GetBytes(text);
    }
}
