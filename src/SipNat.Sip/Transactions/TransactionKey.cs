using System.Text;
using SipNat.Sip.Messages;

namespace SipNat.Sip.Transactions;

/// <summary>
/// What matches a message to its transaction (RFC 3261 §17.1.3, §17.2.3). Peers of RFC 2543, whose branch lacks the
/// magic cookie, are matched by the parts of the request that stay the same.
/// </summary>
internal readonly record struct TransactionKey
{
    private TransactionKey(string branch, string sentBy, string method) => (Branch, SentBy, Method) = (branch, sentBy, method);

    public string Branch { get; }

    /// <summary>Host and port of the client; empty for a transaction of ours, which the branch alone identifies.</summary>
    public string SentBy { get; }

    public string Method { get; }

    public static TransactionKey ForClient(string branch, SipMethod method) => new(branch, "", method.Name);

    public static TransactionKey ForResponse(SipMessage response, Via via) => new(Text(via.Branch), "", NameOf(response));

    /// <summary>The transaction that a request begins or repeats; of an ACK, the one of its INVITE.</summary>
    public static TransactionKey ForRequest(SipMessage request, Via via) =>
        Create(request, via, request.Method is SipMethod.Ack ? SipMethod.Invite.Name : NameOf(request));

    /// <summary>The INVITE transaction that a CANCEL is for (RFC 3261 §9.2).</summary>
    public static TransactionKey ForCancelled(SipMessage cancel, Via via) => Create(cancel, via, SipMethod.Invite.Name);

    private static TransactionKey Create(SipMessage request, Via via, string method)
    {
        var sentBy = $"{Text(via.Host)}:{via.Port}";
        var hasCookie = via.Branch.StartsWith("z9hG4bK"u8) && via.Branch.Length > Via.MagicCookie.Length;
        return new(hasCookie ? Text(via.Branch) : OldBranch(request, via), sentBy, method);
    }

    // The To tag of an ACK is the one that the answer brought, so it tells INVITE, ACK and CANCEL nothing.
    private static string OldBranch(SipMessage request, Via via)
    {
        var isInvite = request.Method is SipMethod.Invite or SipMethod.Ack or SipMethod.Cancel;
        var toTag = isInvite ? "" : Text(request.ToTag);
        return $"{Text(request.RequestUri)} {toTag} {Text(request.FromTag)} {Text(request.CallId)} {request.CSeqNumber} {Text(via.Branch)}";
    }

    private static string NameOf(SipMessage message) =>
        message.Method is SipMethod.Unknown ? Text(message.MethodText) : message.Method.Name;

    private static string Text(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes);
}

/// <summary>Equal for two requests that are one, arriving by two paths (RFC 3261 §8.2.2.2).</summary>
internal readonly record struct MergeKey(string CallId, string FromTag, uint CSeq, SipMethod Method)
{
    /// <summary>Null for what cannot be told: inside a dialog, or without a From tag.</summary>
    public static MergeKey? For(StoredSipMessage request) =>
        request.ToTag.Length > 0 || request.FromTag.Length == 0
            ? null
            : new(request.CallId, request.FromTag, request.CSeqNumber, request.Method);
}
