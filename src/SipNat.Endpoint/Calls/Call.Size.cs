using SipNat.Endpoint.Sessions;
using SipNat.Sip.Messages;
using SipNat.Sip.Sdp;
using SipNat.Wire;

namespace SipNat.Endpoint.Calls;

/// <summary>An INVITE that is too large for a datagram: it is trimmed, then sent by TCP where that can be had (RFC 3261 §18.1.1).</summary>
internal sealed partial class Call
{
    // Codecs that are left in an offer that has to be short.
    private const int MaxTrimmedCodecs = 2;

    private bool _isTrimmed;
    private Instant? _connectUntil;

    private IReadOnlyList<PayloadFormat> OfferedFormats => _isTrimmed ? Trimmed(_terms.Formats) : _terms.Formats;

    private bool IsTooLarge(SipRequest request) =>
        !TransportOf(_flow!.Value).IsReliable && _context.Transactions.SizeOf(_flow.Value, request) > LargeRequests.MaxOverUdp;

    // Of the candidates one of each kind is left: from the others the agent sends its checks all the same, and the peer
    // learns of them by that (RFC 8445 §7.3.1.3).
    private void Trim(Instant now)
    {
        (_isTrimmed, _streams.TrimsOffers) = (true, true);
        _offerAnswer = CreateOfferAnswer();
        _journal.Note(now, "trimmed", $"The INVITE would have more than {LargeRequests.MaxOverUdp} bytes: fewer codecs and candidates are offered.");
    }

    // False where the request is to go as it is. With ICE a change of the address is to be healed within seconds, and a
    // connection does not outlive it: what ICE says makes a request long, and all the same it goes by the flow of the account.
    private bool TryConnectFor(Instant now, SipRequest request)
    {
        if (_context.Options.UsesIce || !IsTooLarge(request) || !_context.LargeRequests.MayConnect(now, _destination)) return false;

        if (_context.Flows.FindConnection(TransportProtocol.Tcp, _destination, null) is { } open)
        {
            SendBy(now, open);
            return true;
        }

        (State, _connectUntil) = (CallState.Preparing, now + LargeRequests.ConnectLimit);
        _context.FlowRequests.Enqueue(new(FlowRequestKind.Connect, default, TransportProtocol.Tcp, _destination));
        return true;
    }

    // Whether it was about the connection for a large request.
    private bool TryHandleConnection(Instant now, FlowId flow, FlowChange change)
    {
        if (_connectUntil is null || State is not CallState.Preparing || !change.IsAbout(TransportProtocol.Tcp, _destination, null)) return false;

        if (change.Kind is FlowChangeKind.Opened) SendBy(now, flow);
        else if (change.Kind is FlowChangeKind.Refused) GoOnByUdp(now);
        return true;
    }

    // With another public address every connection from before leads nowhere, and the system finds that out minutes later:
    // requests of the dialog make a new one.
    private void GiveUpConnection(Instant now, FlowId? flow)
    {
        if (flow is not { } id || IsLocalPeer || !_context.Flows.TryGet(id, out var known) || !known.Transport.IsReliable) return;

        _journal.Note(now, "connection-given-up", $"The connection with {known.Remote} is from another public address than this host has now.");
        _context.Flows.GiveUp(now, id);
    }

    private void GoOnByUdp(Instant now)
    {
        _context.LargeRequests.NoteRefused(now, _destination);
        _journal.Note(now, "large-by-udp", $"{_destination} takes no connection: an INVITE of more than {LargeRequests.MaxOverUdp} bytes goes by UDP, in fragments.");
        SendBy(now, _flow!.Value);
    }

    private void SendBy(Instant now, FlowId flow)
    {
        (_flow, _connectUntil, State) = (flow, null, CallState.Calling);
        SendInvite(now);
    }

    private static IReadOnlyList<PayloadFormat> Trimmed(IReadOnlyList<PayloadFormat> formats)
    {
        var codecs = formats.Where(f => !f.IsSupplement).ToList();
        var kept = codecs.Take(MaxTrimmedCodecs).ToList();
        // What every telephone knows stays in, wherever it stood.
        if (!kept.Any(IsG711)) kept.AddRange(codecs.Where(IsG711).Take(1));
        return [.. formats.Where(f => f.IsSupplement || kept.Contains(f))];
    }

    private static bool IsG711(PayloadFormat format) => format == PayloadFormat.Pcmu || format == PayloadFormat.Pcma;
}
