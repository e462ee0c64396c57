using SipNat.Sip.Messages;
using SipNat.Wire;

namespace SipNat.Sip.Transactions;

/// <summary>A request of ours as it was sent, with all that its repetitions, its ACK and its CANCEL need.</summary>
/// <param name="Request">What was asked for.</param>
/// <param name="Via">The Via value, which ACK and CANCEL share (RFC 3261 §9.1, §17.1.1.3).</param>
/// <param name="Branch">Of that Via.</param>
/// <param name="Flow">What it went out by.</param>
/// <param name="Destination">Where it went.</param>
/// <param name="IsReliable">Whether that flow loses nothing.</param>
/// <param name="Bytes">The message.</param>
internal sealed record SentRequest(
    SipRequest Request,
    string Via,
    string Branch,
    FlowId Flow,
    TransportAddress Destination,
    bool IsReliable,
    byte[] Bytes)
{
    /// <summary>The CANCEL of this INVITE (RFC 3261 §9.1).</summary>
    public SipRequest Cancel() => Follower(SipMethod.Cancel, Request.To);

    /// <summary>The ACK of an error answer to this INVITE (RFC 3261 §17.1.1.3).</summary>
    public byte[] Ack(StoredSipMessage response, TransactionOutput output)
    {
        Follower(SipMethod.Ack, response.Header(SipHeader.To) ?? Request.To).Write(output.Writer, Via, output.Product);
        return output.Writer.Written.ToArray();
    }

    private SipRequest Follower(SipMethod method, string to) => new()
    {
        Method = method,
        Uri = Request.Uri,
        From = Request.From,
        To = to,
        CallId = Request.CallId,
        CSeq = Request.CSeq,
        Routes = Request.Routes,
    };
}
