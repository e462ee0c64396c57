using System.Text;
using SipNat.Sip.Messages;

namespace SipNat.Sip.Dialogs;

/// <summary>What the CSeq of a request says about its place in the dialog (RFC 3261 §12.2.2).</summary>
public enum DialogOrder
{
    /// <summary>To be served; the dialog has taken its CSeq and, from INVITE and UPDATE, its Contact.</summary>
    InOrder,

    /// <summary>The CSeq of the last request, in a transaction of its own: 500, or nothing where it is an ACK.</summary>
    Repeated,

    /// <summary>A lower CSeq than the last request's: 500 with Retry-After.</summary>
    OutOfOrder,

    /// <summary>Call-ID or tags of another dialog: 481.</summary>
    OtherDialog,
}

/// <summary>One dialog (RFC 3261 §12): its identity, the order of its requests, its route set and its remote target.</summary>
public sealed class Dialog
{
    /// <summary>Longest route set that is kept; a longer one is cut, as no answer of ours would find its way along it.</summary>
    public const int MaxRoutes = 32;

    // Stands in for a target that a peer never gave: a host that cannot exist (RFC 2606 §2).
    private static readonly SipUri NoTarget = SipUri.Parse("sip:anonymous@anonymous.invalid");

    private uint? _remoteSequence;

    private Dialog(DialogKey key, string local, string remote, string localContact)
    {
        Key = key;
        (Local, Remote) = (local, remote);
        LocalContact = SipText.OneLine(localContact);
    }

    public DialogKey Key { get; }

    /// <summary>Our From value in requests of ours, with its tag.</summary>
    public string Local { get; }

    /// <summary>Our To value in requests of ours, with its tag.</summary>
    public string Remote { get; }

    /// <summary>The Contact value of our requests and answers.</summary>
    public string LocalContact { get; set; }

    /// <summary>Where requests of ours are meant to end: the peer's Contact, or its From or To where it gave none.</summary>
    public SipUri RemoteTarget { get; private set; } = NoTarget;

    /// <summary>Route values in the order in which requests of ours name them, with their brackets.</summary>
    public IReadOnlyList<string> RouteSet { get; private init; } = [];

    /// <summary>CSeq of our last request; 0 before the first.</summary>
    public uint LocalSequence { get; private set; }

    /// <summary>Where a request of ours goes first (RFC 3261 §12.2.1.1): the first route, else the remote target.</summary>
    public SipUri NextHop => FirstRoute ?? RemoteTarget;

    private SipUri? FirstRoute => RouteSet.Count > 0 ? UriOf(RouteSet[0]) : null;

    /// <summary>The dialog that our 2xx or 18x answer to an INVITE makes (RFC 3261 §12.1.1).</summary>
    /// <param name="localTag">The tag of our answers; kept where the request has one already.</param>
    /// <param name="localContact">The Contact value of our answers.</param>
    public static Dialog AsServer(StoredSipMessage invite, string localTag, string localContact)
    {
        ArgumentNullException.ThrowIfNull(invite);
        var to = invite.Header(SipHeader.To) ?? "";
        var local = invite.ToTag.Length > 0 ? to : $"{to};tag={localTag}";
        var key = DialogKey.ForRequest(invite) with { LocalTag = invite.ToTag.Length > 0 ? invite.ToTag : localTag };
        return new(key, local, invite.Header(SipHeader.From) ?? "", localContact)
        {
            _remoteSequence = invite.CSeqNumber,
            RemoteTarget = TargetOf(invite, SipHeader.Contact) ?? TargetOf(invite, SipHeader.From) ?? NoTarget,
            RouteSet = [.. invite.Headers(SipHeader.RecordRoute).Take(MaxRoutes)],
        };
    }

    /// <summary>The dialog that a 2xx or 18x answer to our INVITE makes (RFC 3261 §12.1.2).</summary>
    /// <param name="invite">Our request, with the Contact that it carried given apart.</param>
    /// <param name="lastSequence">CSeq of the last request of ours in the early dialog that this one follows; 0 where there was none.</param>
    public static Dialog AsClient(SipRequest invite, StoredSipMessage response, string localContact, uint lastSequence = 0)
    {
        ArgumentNullException.ThrowIfNull(invite);
        ArgumentNullException.ThrowIfNull(response);
        return new(DialogKey.ForResponse(response), invite.From, response.Header(SipHeader.To) ?? "", localContact)
        {
            LocalSequence = Math.Max(invite.CSeq, lastSequence),
            RemoteTarget = TargetOf(response, SipHeader.Contact) ?? TargetOf(response, SipHeader.To) ?? NoTarget,
            RouteSet = [.. response.Headers(SipHeader.RecordRoute).Reverse().Take(MaxRoutes)],
        };
    }

    /// <summary>
    /// Places a request of the peer, and takes its CSeq and target where it is in order. ACK and CANCEL carry the CSeq
    /// of their INVITE, and are in order whenever they are of this dialog.
    /// </summary>
    public DialogOrder CheckRequest(StoredSipMessage request)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (DialogKey.ForRequest(request) != Key) return DialogOrder.OtherDialog;
        if (request.Method is SipMethod.Ack or SipMethod.Cancel) return DialogOrder.InOrder;
        if (request.CSeqNumber == _remoteSequence) return DialogOrder.Repeated;
        if (request.CSeqNumber < _remoteSequence) return DialogOrder.OutOfOrder;

        _remoteSequence = request.CSeqNumber;
        RefreshTarget(request);
        return DialogOrder.InOrder;
    }

    /// <summary>Takes the remote target of a 2xx answer to an INVITE or UPDATE of ours (RFC 3261 §12.2.1.2).</summary>
    public void HandleResponse(StoredSipMessage response)
    {
        ArgumentNullException.ThrowIfNull(response);
        if (response.StatusCode is >= 200 and < 300) RefreshTarget(response);
    }

    /// <summary>The next request of ours in this dialog; INVITE and UPDATE carry our Contact.</summary>
    public SipRequest CreateRequest(SipMethod method)
    {
        LocalSequence++;
        return Create(method, LocalSequence);
    }

    /// <summary>The ACK of a 2xx answer to our INVITE of that CSeq (RFC 3261 §13.2.2.4).</summary>
    public SipRequest CreateAck(uint inviteSequence) => Create(SipMethod.Ack, inviteSequence);

    private SipRequest Create(SipMethod method, uint sequence)
    {
        var target = RequestUri(RemoteTarget);
        var routes = RouteSet;
        if (FirstRoute is { IsLooseRouter: false } strict)
        {
            // A strict router finds itself in the Request-URI, and the target behind the other routes.
            routes = [.. RouteSet.Skip(1), $"<{target}>"];
            target = RequestUri(strict);
        }

        return new()
        {
            Method = method,
            Uri = target,
            From = Local,
            To = Remote,
            CallId = Key.CallId,
            CSeq = sequence,
            Routes = routes,
            Headers = method.RefreshesTarget ? [new(SipHeader.Contact, LocalContact)] : [],
        };
    }

    // A Request-URI carries no header part (RFC 3261 §19.1.1, table 1).
    private static string RequestUri(SipUri uri)
    {
        var question = uri.Text.IndexOf('?', StringComparison.Ordinal);
        return question < 0 ? uri.Text : uri.Text[..question];
    }

    private void RefreshTarget(StoredSipMessage message)
    {
        if (message.Method.RefreshesTarget && TargetOf(message, SipHeader.Contact) is { } target) RemoteTarget = target;
    }

    // A URI of another scheme cannot be a Request-URI of ours.
    private static SipUri? TargetOf(StoredSipMessage message, SipHeader header) =>
        message.Uri(header) is { Scheme: not SipUriScheme.Other } uri ? uri : null;

    private static SipUri? UriOf(string value) =>
        NameAddress.TryRead(Encoding.UTF8.GetBytes(value), out var address) && SipUri.TryRead(address.Uri, out var uri) ? uri : null;
}
