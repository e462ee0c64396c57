using SipNat.Endpoint.Sessions;
using SipNat.Sip.Dialogs;
using SipNat.Sip.Messages;
using SipNat.Sip.Sdp;
using SipNat.Sip.Transactions;
using SipNat.Wire;

namespace SipNat.Endpoint.Calls;

/// <summary>One dialog of a call: a call that is forked has several until one of them is accepted.</summary>
internal sealed class CallDialog(SignallingContext context, Dialog dialog)
{
    public Dialog Dialog { get; } = dialog;

    public DialogRequests Requests { get; } = new(context, dialog);

    /// <summary>RSeq of the last provisional answer that was acknowledged (RFC 3262); null before the first.</summary>
    public uint? LastReliable { get; set; }

    /// <summary>The answer to our offer that this branch gave; null before it did.</summary>
    public SdpSession? Answer { get; set; }

    /// <summary>An INVITE of ours that was accepted: each repetition of its 2xx gets its ACK again (RFC 3261 §13.2.2.4).</summary>
    public AcceptedInvite? AcceptedInvite { get; set; }

    /// <summary>How often its 2xx came again.</summary>
    public int Repetitions { get; private set; }

    public bool TakesUpdate { get; private set; }

    /// <summary>Takes note of what a message of the peer says that it can do.</summary>
    public void Note(StoredSipMessage message)
    {
        if (message.Header(SipHeader.Allow) is not null) TakesUpdate = message.HasToken(SipHeader.Allow, "UPDATE");
    }

    /// <summary>UPDATE was answered with 405 or 501.</summary>
    public void NoUpdates() => TakesUpdate = false;

    public void SendAck(Instant now, AcceptedInvite invite)
    {
        Repetitions = AcceptedInvite?.Transaction == invite.Transaction ? Repetitions + 1 : 0;
        AcceptedInvite = invite;
        var ack = Dialog.CreateAck(invite.CSeq);
        Requests.SendAck(now, ack with
        {
            Headers = [.. ack.Headers, .. invite.Authorization],
            ContentType = invite.Answer.IsEmpty ? null : "application/sdp",
            Body = invite.Answer,
        });
    }
}

/// <summary>An INVITE of ours that was accepted.</summary>
/// <param name="Authorization">The credentials that it carried, which its ACK repeats (RFC 3261 §22.1).</param>
/// <param name="Answer">The session description of its ACK, where the 2xx brought the offer; else empty.</param>
internal sealed record AcceptedInvite(TransactionId Transaction, uint CSeq, IReadOnlyList<SipHeaderField> Authorization, ReadOnlyMemory<byte> Answer);
