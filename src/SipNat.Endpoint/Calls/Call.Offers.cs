using SipNat.Endpoint.Addressing;
using SipNat.Endpoint.Diagnosis;
using SipNat.Endpoint.Media;
using SipNat.Endpoint.Sessions;
using SipNat.Endpoint.Siprec;
using SipNat.Sip.Messages;
using SipNat.Sip.Sdp;
using SipNat.Sip.Transactions;
using SipNat.Wire;

namespace SipNat.Endpoint.Calls;

/// <summary>Offers and answers of a call (RFC 3264).</summary>
internal sealed partial class Call
{
    private const string SdpType = "application/sdp";
    private const string ReportsAttribute = "rtcp-xr";
    private const string VoipMetrics = "voip-metrics";

    private LateOffer? _lateOffer;

    /// <summary>
    /// Takes the offer of an INVITE or UPDATE, to be answered once its ports are open. Null where it can be; else the
    /// error response, and everything is as it was (RFC 3261 §14.2).
    /// </summary>
    private SipResponse? TakeOffer(Instant now, TransactionEvent.Request request, bool isFirst)
    {
        var message = request.Message;
        if (SessionTimer.Refuse(message) is { } tooSmall) return tooSmall;

        OfferReview? review = null;
        var body = MultipartReader.Read(message);
        if (body.Sdp is { } sdp)
        {
            if (!SdpReader.TryRead(sdp.Span, out var offer, out var defect)) return Unacceptable(400, $"The session description cannot be read: {defect}");

            review = _offerAnswer.Review(offer!, _wanted);
            if (Explain(review) is { } why) return Unacceptable(488, why);
        }
        else if (message.Body.Length > 0)
        {
            return new(415) { Headers = [CallHeaders.Accept] };
        }

        if (review is null && isFirst && _terms.Srtp is SrtpMode.Required && !IsFlowEncrypted(request.Flow))
        {
            return Unacceptable(488, "SRTP is required here, and an INVITE without an offer asks for our key over SIP that is not encrypted");
        }

        if (review is not null) _streams.Reserve(now, review);
        else if (isFirst) _streams.ReserveOurOffer(now, OffersKeys(IsFlowEncrypted(request.Flow)));
        if (!IsPlainUpdate(message)) _offer = new(request.Transaction, message, review);
        return null;
    }

    private void HandleOffer(Instant now, CallDialog dialog, TransactionEvent.Request request)
    {
        if (IsEnding)
        {
            Respond(now, request.Transaction, new(481));
            return;
        }

        if (RefuseGlare(dialog, request.Message) is { } glare)
        {
            Respond(now, request.Transaction, glare);
            return;
        }

        _dialog = dialog;
        if (TakeOffer(now, request, isFirst: false) is { } refusal)
        {
            _journal.Note(now, "offer-refused", $"{request.Message.Method.Name} answered with {refusal.Status} {refusal.Reason}.");
            Respond(now, request.Transaction, refusal);
            return;
        }

        if (IsPlainUpdate(request.Message))
        {
            Accept(now, request.Transaction, request.Message, sdp: null);
            Configure(now);
            TellPeer(now);
            return;
        }

        if (!_streams.HasPorts) _context.Commands.Enqueue(new MediaCommand.AddPorts(Id, _streams.PortsMissing));
        Gather();
        TryAnswer(now);
    }

    private void Gather()
    {
        if (_offer is not { } offer) return;
        if (offer.Review is not { } review)
        {
            GatherOurOffer();
            return;
        }

        foreach (var (port, needs) in _streams.Gather(review, _context.Options.UsesIce, IsLocalPeer).ToList())
        {
            _context.Commands.Enqueue(new MediaCommand.Gather(Id, port, needs));
        }
    }

    // An offer of ours waits for its answer, or the peer's last one for ours (RFC 3261 §14.2, RFC 3311 §5.2). An UPDATE
    // without an offer meets no glare.
    private SipResponse? RefuseGlare(CallDialog dialog, StoredSipMessage request)
    {
        if (IsPlainUpdate(request)) return null;

        var isOurFirstUnanswered = Direction is CallDirection.Outgoing && _answeredAt is null && dialog.Answer is null;
        return DialogRequests.RefuseGlare(_offer is not null, isOurFirstUnanswered || dialog.Requests.HasOffer || _awaitedAck is { Offer: not null });
    }

    // Answers the offer that waits, as soon as somebody wants the call and its ports are open and mapped.
    private void TryAnswer(Instant now)
    {
        if (_offer is not { } offer || !CanAnswer) return;
        if (MappingDeadline is { } due && now < due) return;

        if (_streams.LacksRelay(_context.Advisor, Peer))
        {
            const string Why = "Nat:RelayOnly is set, and no TURN server lends an address";
            _journal.Find(now, FindingCode.RelayUnavailable, $"{Why}; the offer was answered with 503. Look at Nat:TurnServers: address, credentials, and whether its port is reached from here.");
            RefuseOffer(now, new(503) { Headers = [RecorderHeaders.RetryAfter(30), RecorderHeaders.Warning(399, _context.Options.ServerName, Why)] });
            if (_answeredAt is null) Close(now, $"{Why}.");
            return;
        }

        if (MappingDeadline is not null && !IsLocalPeer)
        {
            _journal.Find(now, FindingCode.MappingUnknown, "No STUN server has answered for a media port; the answer names the address that is known best.");
        }

        _offer = null;
        var review = offer.Review is { } taken ? _offerAnswer.Review(taken.Offer, _wanted) : null;
        if (review is not null) Apply(now, review);
        var local = Advertise(Peer);
        _told = _wanted;
        var sdp = review is not null ? _offerAnswer.Answer(review, local) : _offerAnswer.Offer(local, _wanted);
        Accept(now, offer.Transaction, offer.Request, sdp);
        TellAddresses(now, Peer);
        if (offer.Request.Method is SipMethod.Invite)
        {
            _awaitedAck = new(offer.Transaction, offer.Request.CSeqNumber, offer.Review is null ? sdp : null);
            if (State is CallState.Ringing) (State, _answeredAt, _status, _reason) = (CallState.Answered, now, 200, "OK");
        }

        _journal.Note(now, "answered", $"{offer.Request.Method.Name} answered: {DescribeDirection()}.");
        Configure(now);
    }

    private bool CanAnswer => _offer is not null && (_isWanted || _answeredAt is not null)
        && _streams.ArePortsKnown && _streams.HasPorts && _streams.AreGathered;

    private void Accept(Instant now, TransactionId transaction, StoredSipMessage request, SdpSession? sdp)
    {
        _timer.Negotiate(now, request);
        _dialog!.Dialog.LocalContact = CurrentContact;
        SipResponse response = new(200) { Headers = [new(SipHeader.Contact, _dialog.Dialog.LocalContact), .. _timer.AnswerHeaders(CallHeaders.Capabilities)] };
        Respond(now, transaction, sdp is null ? response : response with { ContentType = SdpType, Body = SdpWriter.Write(sdp) });
    }

    // The answer to our offer in the ACK (RFC 3261 §13.2.2.4).
    private bool TakeAnswer(Instant now, SdpSession offer, StoredSipMessage ack) => ReadSdp(ack) is { } answer && TakeAnswer(now, offer, answer);

    private bool TakeAnswer(Instant now, SdpSession offer, SdpSession answer)
    {
        var review = _offerAnswer.ReviewAnswer(offer, answer, _told);
        if (!review.Accepted.Any()) return false;

        Apply(now, review);
        _journal.Note(now, "offer-answered", $"Our offer was answered: {DescribeDirection()}.");
        return true;
    }

    // The 2xx to an INVITE without an offer brings one, and its ACK the answer (RFC 3261 §13.2.1), once the ports are known.
    private void TakeLateOffer(Instant now, CallDialog dialog, AcceptedInvite invite, SdpSession? offer)
    {
        var review = offer is null ? null : _offerAnswer.Review(offer, _wanted);
        if (review is null || Explain(review) is not null)
        {
            dialog.SendAck(now, review is null ? invite : invite with { Answer = SdpWriter.Write(_offerAnswer.Answer(review, [])) });
            _failure = new CallFailure.NoCommonAudio(review is null ? "the 200 has no offer" : Explain(review)!);
            HangUp(now, "The offer in the 200 has no audio that can be taken.");
            return;
        }

        _streams.Reserve(now, review);
        _lateOffer = new(dialog, invite, review);
        foreach (var (port, needs) in _streams.Gather(review, _context.Options.UsesIce, IsLocalPeer).ToList()) _context.Commands.Enqueue(new MediaCommand.Gather(Id, port, needs));
        TryAnswerLate(now);
    }

    private bool IsReadyToAnswerLate => _lateOffer is not null && _streams.HasPorts && _streams.AreGathered;

    private void TryAnswerLate(Instant now)
    {
        if (!IsReadyToAnswerLate || (MappingDeadline is { } due && now < due)) return;

        var late = _lateOffer!;
        _lateOffer = null;
        Apply(now, late.Review);
        _told = _wanted;
        var sdp = _offerAnswer.Answer(late.Review, Advertise(Peer));
        late.Dialog.SendAck(now, late.Invite with { Answer = SdpWriter.Write(sdp) });
        TellAddresses(now, Peer);
        Establish(now);
        Configure(now);
        TellPeer(now);
    }

    // Tells the media plane what was agreed on; before the other side has proved that it is there packets go to the
    // signalling source only.
    private void Configure(Instant now)
    {
        _changed = true;
        foreach (var stream in _streams.All)
        {
            // Of a peer with ICE the candidates count.
            if (stream.Ice is null && stream.Current is { RemoteRtp: { } described } && IsUnusable(described, stream.Local))
            {
                _journal.Find(now, FindingCode.AddressNotSentTo, $"The other side at {Peer.AddressText} wrote {described}, which cannot be its address from here; packets go to {Peer.AddressText} instead.");
            }
        }

        if (IsKept) _recordedSince ??= now;
        _context.Commands.Enqueue(new MediaCommand.Configure(Id, _streams.Settings(Peer, _isProved, IsPaused, AudioOf)));
    }

    private bool IsUnusable(TransportAddress described, TransportAddress local) =>
        (described.Family != local.Family && Peer.Family == local.Family)
        || _context.Advisor.LocalNetworks.Judge(described, Peer) is UnusableAddress.PrivateOutside or UnusableAddress.Loopback or UnusableAddress.Multicast;

    private CallAudioSettings? AudioOf(SessionStream stream)
    {
        if (stream.Last is not { } media || media.PeerMap.FirstOrDefault(m => !m.Format.IsSupplement) is not { } codec) return null;

        return new(codec.PayloadType, codec.Format)
        {
            PacketTime = PacketTimeOf(media.Ptime),
            TelephoneEvent = media.PeerMap.FirstOrDefault(m => m.Format.Name.Equals(PayloadFormat.TelephoneEvent.Name, StringComparison.OrdinalIgnoreCase)) is { } events
                ? new(events.PayloadType, events.Format.ClockRate)
                : null,
            MaySend = stream.Current?.Direction.Sends ?? false,
            Receives = stream.Current?.Direction.Receives ?? false,
            ComfortNoise = NoiseOf(media, codec.Format),
            SendsMetrics = media.PeerAttributes.Any(a => a.Name == ReportsAttribute && a.Value?.Split(' ').Any(report => report.StartsWith(VoipMetrics, StringComparison.Ordinal)) is true),
            IsKept = IsKept,
        };
    }

    // Codecs with a silence of their own have no use for it.
    private static int? NoiseOf(AcceptedMedia media, PayloadFormat codec) => codec.Name.ToUpperInvariant() is not ("PCMU" or "PCMA" or "G722" or "L16")
        ? null
        : media.PeerMap.FirstOrDefault(m => m.Format.Name.Equals(PayloadFormat.ComfortNoise.Name, StringComparison.OrdinalIgnoreCase) && m.Format.ClockRate == codec.ClockRate)?.PayloadType;

    // In whole tens; 20 ms are what everybody sends (RFC 3551 §4.2).
    private static TimeSpan PacketTimeOf(int? ptime) => TimeSpan.FromMilliseconds(ptime is { } wish ? Math.Clamp(wish / 10 * 10, 10, 60) : 20);

    private Instant? MappingDeadline => IsLocalPeer ? null : _streams.MappingDeadline(
        _context.Advisor.IsRelayOnly ? _context.Options.RelayWait : _context.Options.MappingWait);

    private bool IsLocalPeer => _context.Advisor.LocalNetworks.IsInside(Peer);

    private TransportAddress Peer => _dialog?.Requests.Source ?? _destination;

    private FlowId Flow => _dialog?.Requests.Flow ?? _flow!.Value;

    private TransportAddress LastKnownAddress => _context.Flows.LastKnown(_context.MediaAddressFor(Flow));

    // What the other side hears is asked for (RFC 3611 §5.1), and whoever is recorded is told so (RFC 7866 §5.3).
    private IReadOnlyList<LocalMedia> Advertise(TransportAddress peer)
    {
        _toldRecord = RecordText;
        List<SdpAttribute> more = [new(ReportsAttribute, VoipMetrics)];
        if (_toldRecord is { } record) more.Add(new(RecordAttribute, record));
        return [.. _streams.Advertise(_context.Advisor, peer, LastKnownAddress).Select(m => m with { Attributes = [.. m.Attributes, .. more] })];
    }

    private void TellAddresses(Instant now, TransportAddress peer)
    {
        foreach (var stream in _streams.All.Where(s => s.IsOffered))
        {
            _context.Tell(new SignallingNotice.Advertised(Id, "audio", stream.Rtp.Address, stream.Rtp.Explain()));
            if (stream.Rtp.Reason is AddressReason.MappingVaries)
            {
                _journal.Find(now, FindingCode.MappingVaries, $"{peer.AddressText} was told {stream.Rtp.Address}: {stream.Rtp.Explain()}. Forward the ports and set Nat:ForwardedPorts, use a TURN server, or a provider that latches.");
            }
        }
    }

    private void Apply(Instant now, OfferReview review)
    {
        _streams.Apply(review, _context.Options.UsesIce);
        TakePreference(now, review);
        foreach (var stream in _streams.All.Where(s => s.IsIceMismatched || s.IsMismatchTold))
        {
            _journal.Find(now, FindingCode.IceMismatch, $"{(stream.IsIceMismatched ? $"The other side's media address {stream.Last?.RemoteRtp} is none of its ICE candidates" : "The other side says that our media address is none of our ICE candidates")}: something between us, such as a SIP ALG or an SBC, rewrote one and not the other. ICE is not used; media is taken from the other side's address.");
        }

        foreach (var clash in review.Accepted.SelectMany(m => m.Clashes))
        {
            _journal.Find(now, FindingCode.PayloadTypeClash, $"Payload type {clash.PayloadType} stands for two formats: {clash.First.EncodingName}/{clash.First.ClockRate} and {clash.Second.EncodingName}/{clash.Second.ClockRate}. Packets with it may be taken for the wrong one: give each format a number of its own in the device that wrote the description.");
        }

        if (review.Accepted.Any(m => m.Crypto is not null) && !IsFlowEncrypted(Flow))
        {
            _journal.Find(now, FindingCode.SrtpKeysUnencrypted, "The audio is encrypted, and its keys were told over SIP that is not: whoever reads that on the way can read the audio too. Use an account with Transport tls.");
        }
    }

    private bool IsFlowEncrypted(FlowId flow) => TransportOf(flow).IsEncrypted;

    private string ContactUri
    {
        get
        {
            var (flow, peer) = (Flow, Peer);
            var account = _identity.Account is { } name ? _context.Accounts.Find(name) : null;
            var transport = TransportOf(flow);
            var isSecured = transport.IsEncrypted && (_wantsSecured || ContactText.IsSecured(_target));
            // It leads to us wherever we are by then (RFC 5627 §4.4); to where TLS is asked for one has to ask for it, too.
            if (account?.Gruu is { } gruu && (!isSecured || gruu.StartsWith("sips:", StringComparison.OrdinalIgnoreCase))) return gruu;

            var routes = account?.Routes.Where(route => route.Flow == flow).ToList() ?? [];
            var address = (routes.Find(route => route.Registrar.HasSameAddress(peer)) ?? routes.FirstOrDefault()) is { } way
                ? way.Contact
                : _context.Flows.TryAdvertise(flow, peer, out var advertised) ? advertised.Address : default;
            // Requests of the dialog are to come by the flow that it was begun on (RFC 5626 §4.3).
            return $"{ContactText.UriOf(_identity.User, address, transport, isSecured)}{(account is { IsOutbound: true } ? ";ob" : "")}";
        }
    }

    private string CurrentContact => _context.Flows.TryGet(Flow, out _) || _dialog is null ? $"<{ContactUri}>" : _dialog.Dialog.LocalContact;

    private SipResponse Unacceptable(int status, string why) =>
        new(status) { Headers = [RecorderHeaders.Warning(399, _context.Options.ServerName, why), CallHeaders.Accept] };

    private string DescribeDirection() => _streams.All.FirstOrDefault()?.Current is { } media ? $"{media.Direction.Text}{(media.IsHeld ? " (held)" : "")}" : "no audio";

    private static bool IsPlainUpdate(StoredSipMessage request) => request.Method is SipMethod.Update && request.Body.Length == 0;

    // Null where something can be heard.
    private static string? Explain(OfferReview review) =>
        review.Accepted.Any() ? null : string.Join("; ", review.Rejected.Select(r => RejectionText.Explain(r, "no codec in common")).DefaultIfEmpty("the session description has no media"));

    private static SdpSession? ReadSdp(StoredSipMessage message) =>
        MultipartReader.Read(message).Sdp is { } sdp && SdpReader.TryRead(sdp.Span, out var session, out _) ? session : null;

    /// <summary>An offer in the 2xx to our INVITE that waits for our ports.</summary>
    private sealed record LateOffer(CallDialog Dialog, AcceptedInvite Invite, OfferReview Review);
}
