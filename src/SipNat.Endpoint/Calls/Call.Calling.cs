using System.Text;
using SipNat.Endpoint.Accounts;
using SipNat.Endpoint.Media;
using SipNat.Endpoint.Sessions;
using SipNat.Sip.Dialogs;
using SipNat.Sip.Digest;
using SipNat.Sip.Messages;
using SipNat.Sip.Sdp;
using SipNat.Sip.Transactions;
using SipNat.Wire;

namespace SipNat.Endpoint.Calls;

/// <summary>A call of ours: from the wish to the answer (RFC 3261 §13.2).</summary>
internal sealed partial class Call
{
    private const int MaxRedirects = 5;
    private const int MaxForks = 16;
    private const int MaxChallenges = 3;
    private static readonly TimeSpan LocatePatience = TimeSpan.FromSeconds(15);

    private readonly List<CallDialog> _forks = [];
    private readonly string _callId = "";
    private readonly string _localTag = "";
    private CallRequest? _request;
    private DigestSession? _digest;
    private SipUri? _target;
    private IReadOnlyList<SipTarget> _places = [];
    private int _place;
    private FlowId? _flow;
    private TransportAddress _destination;
    private string? _tlsName;
    private SipRequest? _sentInvite;
    private SdpSession? _sentOffer;
    private TransactionId? _invite;
    private uint _sequence;
    private int _redirects;
    private int _challenges;
    private bool _offersPlain;
    private bool _isCancelled;
    private Instant? _ringUntil;
    private Instant? _patience;

    private Call(Instant now, SignallingContext context, CallIdentity identity, CallRequest request)
        : this(now, context, CallDirection.Outgoing, identity, request.Terms)
    {
        (_request, _target, _remote) = (request, request.Target, request.Target.Text);
        (_callId, _localTag) = (SipToken.Next(context.Random) + SipToken.Next(context.Random), SipToken.Next(context.Random));
        if (identity.Credentials is { } credentials) _digest = new(credentials, identity.AllowMd5, context.Random);
    }

    /// <summary>Begins a call of ours.</summary>
    public static Call Place(Instant now, SignallingContext context, CallIdentity identity, CallRequest request)
    {
        var call = new Call(now, context, identity, request);
        call._journal.Note(now, "placed", $"Calls {request.Target}.");
        call.Begin(now);
        return call;
    }

    /// <summary>What the DNS made of the target; none where it knows nothing.</summary>
    public void HandleLocated(Instant now, IReadOnlyList<SipTarget> places)
    {
        if (State is not CallState.Preparing || _patience is null) return;

        _patience = null;
        (_places, _place) = (places, 0);
        if (places.Count == 0) Fail(now, new CallFailure.NotLocated(_target!.Host));
        else Connect(now);
    }

    /// <summary>A flow was opened, refused or closed.</summary>
    public void HandleFlow(Instant now, FlowId flow, FlowChange change)
    {
        foreach (var dialog in AllDialogs.Where(d => d.Requests.IsConnecting).ToList())
        {
            foreach (var unsent in dialog.Requests.HandleFlow(now, flow, change)) HandleOutcome(now, dialog, unsent, 503, null);
        }

        if (TryHandleConnection(now, flow, change)) return;
        if (State is not CallState.Preparing || _flow is not null || _places.Count == 0) return;

        var place = _places[_place];
        if (!change.IsAbout(place.Transport, place.Address, place.TlsName)) return;
        if (change.Kind is FlowChangeKind.Opened) Prepare(now, flow, place.Address);
        else if (change.Kind is FlowChangeKind.Refused) TryNextPlace(now, new CallFailure.Unreachable($"{place.Address} takes no connection{(change.Reason is { } reason ? $": {reason}" : "")}"));
    }

    private void Begin(Instant now)
    {
        if (_identity.Account is { } account)
        {
            // By the socket of its registration, which the provider's NAT handling knows.
            if (_context.Accounts.RoutesOf(account).FirstOrDefault() is { } route) Take(now, route);
            else Fail(now, new CallFailure.NotRegistered(account));
            return;
        }

        _patience = now + LocatePatience;
        _context.Locates.Enqueue(new(Id.Value, _target!, null));
    }

    private void Connect(Instant now)
    {
        var place = _places[_place];
        var open = place.Transport.IsReliable
            ? _context.Flows.FindConnection(place.Transport, place.Address, place.TlsName)
            : _context.Flows.FindUdp(place.Local, place.Address);
        _tlsName = place.TlsName;
        if (open is { } flow) Prepare(now, flow, place.Address);
        else if (!place.Transport.IsReliable) TryNextPlace(now, new CallFailure.Unreachable($"no socket of ours reaches {place.Address}"));
        else
        {
            _patience = now + RegistrationPace.TargetPatience;
            _context.FlowRequests.Enqueue(new(FlowRequestKind.Connect, default, place.Transport, place.Address) { TlsName = place.TlsName });
        }
    }

    private void TryNextPlace(Instant now, CallFailure failure)
    {
        (_flow, _patience) = (null, null);
        if (++_place < _places.Count) Connect(now);
        else Fail(now, failure);
    }

    // Opens what the offer will tell; the INVITE follows when the ports are known.
    private void Prepare(Instant now, FlowId flow, TransportAddress destination)
    {
        (_flow, _destination, _patience) = (flow, destination, null);
        var isEncrypted = IsFlowEncrypted(flow);
        if (!isEncrypted && ContactText.IsSecured(_target))
        {
            Fail(now, new CallFailure.Unsecured(_target!.Text));
            return;
        }

        if (_terms.Srtp is SrtpMode.Required && !isEncrypted)
        {
            Fail(now, new CallFailure.KeysUnprotected());
            return;
        }

        if (_mediaIsOpen)
        {
            TryInvite(now);
            return;
        }

        (_mediaIsOpen, _mediaUntil) = (true, now + MediaLimit);
        var offersKeys = OffersKeys(isEncrypted);
        if (!_request!.OffersLater) _streams.ReserveOurOffer(now, offersKeys);
        _context.Commands.Enqueue(new MediaCommand.Open(Id, _context.MediaAddressFor(flow), 1));
        if (!_request.OffersLater) GatherOurOffer();
    }

    // Keys are told over encrypted SIP only; RFC 4568 has a medium offered as SAVP or as AVP, and who takes the one only
    // refuses the other.
    private bool OffersKeys(bool isEncrypted) => !_offersPlain && _terms.Srtp switch
    {
        SrtpMode.Required => true,
        SrtpMode.Offered or SrtpMode.BestEffort => isEncrypted,
        _ => false,
    };

    private void GatherOurOffer()
    {
        foreach (var (port, needs) in _streams.GatherOurOffer(_context.Options.UsesIce, IsLocalPeer).ToList())
        {
            _context.Commands.Enqueue(new MediaCommand.Gather(Id, port, needs));
        }
    }

    // Whether nothing but a mapping is awaited: its deadline counts from here on only, as nothing is done at it before.
    private bool IsReadyToInvite => Direction is CallDirection.Outgoing && State is CallState.Preparing && _flow is not null && _invite is null && _connectUntil is null
        && _streams.ArePortsKnown && (_request!.OffersLater || (_streams.HasPorts && _streams.AreGathered));

    // As soon as the ports are open and mapped, or have had the time for it.
    private void TryInvite(Instant now)
    {
        if (!IsReadyToInvite) return;
        if (MappingDeadline is { } due && now < due) return;

        if (!_request!.OffersLater && _streams.LacksRelay(_context.Advisor, _destination))
        {
            Fail(now, new CallFailure.Unreachable("Nat:RelayOnly is set, and no TURN server lends an address"));
            return;
        }

        State = CallState.Calling;
        _ringUntil = now + _request.RingTimeout;
        SendInvite(now);
    }

    private void SendInvite(Instant now)
    {
        var invite = CreateInvite(now);
        if (!_isTrimmed && IsTooLarge(invite))
        {
            Trim(now);
            invite = CreateInvite(now);
        }

        if (TryConnectFor(now, invite)) return;

        (_sentInvite, _sequence, _changed) = (invite, invite.CSeq, true);
        _invite = _context.Transactions.Request(now, _flow!.Value, _destination, invite);
        if (NextRoute is not null) _patience = now + RegistrationPace.TargetPatience;
    }

    private SipRequest CreateInvite(Instant now)
    {
        var sdp = _request!.OffersLater ? null : DescribeOurOffer(now);
        _sentOffer = sdp;
        var uri = RequestUri(_target!);
        List<SipHeaderField> headers = [new(SipHeader.Contact, CurrentContact), .. CallHeaders.Capabilities, new(SipHeader.SessionExpires, _timer.Proposal ?? CallHeaders.SessionExpires)];
        if (_timer.MinimumValue is { } minimum) headers.Add(new(SipHeader.MinSE, minimum));
        if (_request.Replaces is { } replaces) headers.Add(new(SipHeader.Replaces, replaces));
        if (_request.ReferredBy is { } referrer) headers.Add(new(SipHeader.ReferredBy, referrer));
        if (_digest is { } digest) headers.AddRange(digest.Authorize(SipMethod.Invite, uri));
        return new()
        {
            Method = SipMethod.Invite,
            Uri = uri,
            From = $"{_identity.NameAddress(ContactUri)};tag={_localTag}",
            To = $"<{_target}>",
            CallId = _callId,
            CSeq = _sequence + 1,
            Routes = _routes,
            OffersKeep = true,
            Headers = headers,
            ContentType = sdp is null ? null : SdpType,
            Body = sdp is null ? default : SdpWriter.Write(sdp),
        };
    }

    private SdpSession DescribeOurOffer(Instant now)
    {
        var local = Advertise(_destination);
        TellAddresses(now, _destination);
        _told = _wanted;
        return _offerAnswer.Offer(local, _wanted);
    }

    private void HandleInviteResponse(Instant now, TransactionEvent.Response response)
    {
        var message = response.Message;
        (_status, _reason, _changed) = (message.StatusCode, ReasonOf(message), true);
        if (!_isCancelled) _patience = null;
        NoteKeep(message);
        if (message.StatusCode == 100) return;
        if (message.StatusCode < 200) HandleProvisional(now, message);
        else if (message.StatusCode < 300) HandleAccepted(now, response);
        else HandleRefusal(now, response);
    }

    private void HandleProvisional(Instant now, StoredSipMessage message)
    {
        if (State is CallState.Calling && message.StatusCode is 180 or 183) State = CallState.Ringing;
        _journal.Note(now, "progress", $"{message.StatusCode} {ReasonOf(message)}");
        if (message.ToTag.Length == 0 || _isCancelled || FindFork(message, create: true) is not { } fork) return;

        fork.Note(message);
        var isReliable = message.HasToken(SipHeader.Require, "100rel") && uint.TryParse(message.Header(SipHeader.RSeq), out var sequence) && sequence > 0;
        if (isReliable && !TakeReliable(now, fork, message)) return;

        _dialog ??= fork;
        if (ReadSdp(message) is not { } answer || _sentOffer is null) return;

        fork.Answer = answer;
        _dialog = fork;
        _isProved = true;
        _journal.Note(now, "early-media", "The answer names media before the call is accepted.");
        TakeAnswer(now, _sentOffer, answer);
        Configure(now);
    }

    // RFC 3262 §4: each once and in order; one that comes before its turn is left to be sent again.
    private bool TakeReliable(Instant now, CallDialog fork, StoredSipMessage message)
    {
        var sequence = uint.Parse(message.Header(SipHeader.RSeq)!, System.Globalization.CultureInfo.InvariantCulture);
        if (fork.LastReliable is { } last && sequence != last + 1) return false;

        fork.LastReliable = sequence;
        var prack = fork.Dialog.CreateRequest(SipMethod.Prack);
        Send(now, fork, RequestPurpose.Prack, prack with { Headers = [.. prack.Headers, new(SipHeader.RAck, $"{sequence} {message.CSeqNumber} INVITE")] });
        return true;
    }

    private void HandleAccepted(Instant now, TransactionEvent.Response response)
    {
        var message = response.Message;
        var fork = FindFork(message, create: true);
        if (fork is null) return;
        if (fork.AcceptedInvite is { } accepted)
        {
            AcknowledgeAgain(now, fork, accepted);
            return;
        }

        if (_lateOffer?.Dialog == fork) return;

        // The route set of the 2xx is the one that counts (RFC 3261 §13.2.2.4).
        var confirmed = Confirm(fork, message, response);
        AcceptedInvite invite = new(response.Transaction, _sentInvite!.CSeq, AuthorizationOf(_sentInvite), default);
        if (_isCancelled || IsEnding || _answeredAt is not null)
        {
            // Another branch was accepted before, or nobody wants the call any more.
            _patience = null;
            confirmed.SendAck(now, invite);
            SendBye(now, confirmed);
            return;
        }

        (_dialog, _isProved, _answeredAt, _ringUntil, State) = (confirmed, true, now, null, CallState.Answered);
        _digest?.HandleResponse(_sentInvite!, message.View);
        _timer.Begin(now, message.Header(SipHeader.SessionExpires));
        _journal.Note(now, "accepted", $"{message.StatusCode} {ReasonOf(message)}");
        if (_sentOffer is null)
        {
            TakeLateOffer(now, confirmed, invite, ReadSdp(message));
            return;
        }

        confirmed.SendAck(now, invite);
        TakeFinalAnswer(now, confirmed, ReadSdp(message));
    }

    private CallDialog Confirm(CallDialog fork, StoredSipMessage message, TransactionEvent.Response response)
    {
        var dialog = new CallDialog(_context, Dialog.AsClient(_sentInvite!, message, CurrentContact, fork.Dialog.LocalSequence)) { Answer = fork.Answer, LastReliable = fork.LastReliable };
        (dialog.Requests.Flow, dialog.Requests.Source, dialog.Requests.Transport) = (response.Flow, _destination, TransportOf(response.Flow));
        dialog.Note(message);
        _forks.Remove(fork);
        _forks.Add(dialog);
        return dialog;
    }

    private void TakeFinalAnswer(Instant now, CallDialog dialog, SdpSession? answer)
    {
        if ((answer ?? dialog.Answer) is not { } described || !TakeAnswer(now, _sentOffer!, described))
        {
            _failure = new CallFailure.NoCommonAudio("the answer to our offer has none");
            HangUp(now, "The answer has no audio that can be taken.");
            return;
        }

        Establish(now);
        Configure(now);
        TellPeer(now);
    }

    private CallDialog? FindFork(StoredSipMessage message, bool create)
    {
        var key = DialogKey.ForResponse(message);
        if (_forks.Find(f => f.Dialog.Key == key) is { } known) return known;
        if (!create || _sentInvite is null || _forks.Count >= MaxForks) return null;

        var fork = new CallDialog(_context, Dialog.AsClient(_sentInvite, message, CurrentContact));
        (fork.Requests.Flow, fork.Requests.Source, fork.Requests.Transport) = (_flow!.Value, _destination, TransportOf(_flow.Value));
        _forks.Add(fork);
        return fork;
    }

    private void GiveUpRinging(Instant now)
    {
        _ringUntil = null;
        _failure = new CallFailure.NoAnswer(_request!.RingTimeout);
        HangUp(now, "Nobody answered.");
    }

    private static IReadOnlyList<SipHeaderField> AuthorizationOf(SipRequest request) =>
        [.. request.Headers.Where(h => h.Name == SipHeader.Authorization.Name || h.Name == SipHeader.ProxyAuthorization.Name)];

    private static string RequestUri(SipUri uri)
    {
        var question = uri.Text.IndexOf('?', StringComparison.Ordinal);
        return question < 0 ? uri.Text : uri.Text[..question];
    }

    private static string ReasonOf(StoredSipMessage answer) => SipText.Clean(Encoding.UTF8.GetString(answer.View.ReasonPhrase));
}
