using SipNat.Endpoint.Diagnosis;
using SipNat.Endpoint.Media;
using SipNat.Endpoint.Sessions;
using SipNat.Media.Codecs;
using SipNat.Sip.Messages;
using SipNat.Sip.Sdp;
using SipNat.Sip.Transactions;
using SipNat.Wire;

namespace SipNat.Endpoint.Siprec;

/// <summary>Offers and answers of a recording session: RFC 3264 as RFC 7866 §7.1 uses it.</summary>
internal sealed partial class RecordingSession
{
    private const string SdpType = "application/sdp";
    private const string MinSe = "Min-SE";

    /// <summary>
    /// Takes the offer of an INVITE or UPDATE, to be answered once its ports are open. Null where it can be; else the
    /// error response, and everything is as it was (RFC 3261 §14.2).
    /// </summary>
    private SipResponse? TakeOffer(Instant now, TransactionEvent.Request request, SiprecBody body, bool isFirst)
    {
        var message = request.Message;
        if (SessionTimer.Refuse(message) is { } tooSmall) return tooSmall;

        OfferReview? review = null;
        if (body.Sdp is { } sdp)
        {
            if (!SdpReader.TryRead(sdp.Span, out var offer, out var defect)) return Unrecordable(400, $"The session description cannot be read: {defect}");

            if (offer!.Media.Count == 0 && _streams.All.Any()) return Unrecordable(488, "The session description has no media");

            review = _offerAnswer.Review(offer);
            if (Explain(review) is { } why) return Unrecordable(488, why);
        }
        else if (message.Body.Length > 0 && body.Metadata is null)
        {
            return new(415) { Headers = [RecorderHeaders.Accept] };
        }

        if (review is null && isFirst && RefuseToOffer() is { } refusal) return refusal;

        TakeMetadata(now, message, body, isFirst);
        _metadata.Compare(now, review?.Media.Select(m => m.Label).ToList());
        if (review is not null) NoteRejections(now, review);

        // Without an offer in an INVITE the offer is ours (RFC 3261 §13.2.1): one stream, which the metadata cannot name yet.
        if (review is not null) _streams.Reserve(now, review);
        else if (isFirst) _streams.ReserveOurOffer(now, _context.Options.Srtp is SrtpMode.Required);
        if (!IsPlainUpdate(message, body)) _offer = new(request.Transaction, message, review);
        return null;
    }

    private void HandleOffer(Instant now, TransactionEvent.Request request)
    {
        if (IsEnding)
        {
            Respond(now, request.Transaction, new(481));
            return;
        }

        var body = MultipartReader.Read(request.Message);
        if (RefuseGlare(request.Message, body) is { } glare)
        {
            Respond(now, request.Transaction, glare);
            return;
        }

        if (TakeOffer(now, request, body, isFirst: false) is { } refusal)
        {
            _journal.Note(now, "offer-refused", $"{request.Message.Method.Name} answered with {refusal.Status} {refusal.Reason}.");
            Respond(now, request.Transaction, refusal);
            return;
        }

        if (IsPlainUpdate(request.Message, body))
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

    // What the answer, or our offer, has to tell of ICE, and relayed addresses, are made by the media plane.
    private void Gather()
    {
        if (_offer is not { } offer) return;

        var wanted = offer.Review is { } review
            ? _streams.Gather(review, _context.Options.UsesIce, IsLocalPeer)
            : _streams.GatherOurOffer(_context.Options.UsesIce, IsLocalPeer);
        foreach (var (port, needs) in wanted.ToList())
        {
            _context.Commands.Enqueue(new MediaCommand.Gather(Id, port, needs));
        }
    }

    // It is answered at once, whatever else waits for an answer.
    private static bool IsPlainUpdate(StoredSipMessage request, SiprecBody body) => request.Method is SipMethod.Update && body.Sdp is null;

    // An offer of ours waits for its answer, or the peer's last one for ours (RFC 3261 §14.2, RFC 3311 §5.2). An UPDATE
    // without an offer meets no glare.
    private SipResponse? RefuseGlare(StoredSipMessage request, SiprecBody body)
    {
        if (IsPlainUpdate(request, body)) return null;

        return DialogRequests.RefuseGlare(_offer is not null, _requests.HasOffer || _awaitedAck is { Offer: not null });
    }

    // Answers the offer that waits, as soon as its ports are open and mapped, or have had the time for it.
    private void TryAnswer(Instant now)
    {
        if (_offer is not { } offer || !CanAnswer) return;

        if (MappingDeadline is { } due && now < due) return;

        if (_streams.LacksRelay(_context.Advisor, Source))
        {
            RefuseWithoutRelay(now);
            return;
        }

        if (MappingDeadline is not null && !IsLocalPeer)
        {
            _journal.Find(now, FindingCode.MappingUnknown, "No STUN server has answered for a media port; the answer names the address that is known best.");
        }

        _offer = null;
        var review = offer.Review is { } taken ? _offerAnswer.Review(taken.Offer, WantedDirection(_isPaused)) : null;
        if (review is not null) Apply(now, review);
        var sdp = DescribeMedia(review);
        Accept(now, offer.Transaction, offer.Request, sdp);
        TellAddresses(now);
        if (offer.Request.Method is SipMethod.Invite)
        {
            _awaitedAck = new(offer.Transaction, offer.Request.CSeqNumber, offer.Review is null ? sdp : null);
            if (_state is SessionState.Opening) _state = SessionState.Answered;
        }

        _journal.Note(now, "answered", $"{offer.Request.Method.Name} answered: {DescribeDirections()}.");
        Configure(now);
    }

    private bool CanAnswer => _offer is not null && _streams.ArePortsKnown && _streams.HasPorts && _streams.AreGathered;

    // Nat:RelayOnly: rather no recording than an address of ours.
    private void RefuseWithoutRelay(Instant now)
    {
        const string Why = "Nat:RelayOnly is set, and no TURN server lends an address";
        _journal.Find(now, FindingCode.RelayUnavailable, $"{Why}; the offer was answered with 503. Look at Nat:TurnServers: address, credentials, and whether its port is reached from here.");
        RefuseOffer(now, new(503) { Headers = [RecorderHeaders.RetryAfter(30), RecorderHeaders.Warning(399, _context.Options.ServerName, Why)] });
        if (_state is SessionState.Opening) Close(now, $"{Why}.");
    }

    private void Accept(Instant now, TransactionId transaction, StoredSipMessage request, SdpSession? sdp)
    {
        _timer.Negotiate(now, request);
        Dialog.LocalContact = CurrentContact;
        SipResponse response = new(200) { Headers = [new(SipHeader.Contact, Dialog.LocalContact), .. _timer.AnswerHeaders(RecorderHeaders.Capabilities)] };
        Respond(now, transaction, sdp is null ? response : response with { ContentType = SdpType, Body = SdpWriter.Write(sdp) });
    }

    private static SdpDirection WantedDirection(bool isPaused) => isPaused ? SdpDirection.Inactive : SdpDirection.RecvOnly;

    private SdpSession DescribeMedia(OfferReview? review)
    {
        var local = _streams.Advertise(_context.Advisor, Source, LastKnownAddress);
        _isToldPaused = _isPaused;
        return review is not null ? _offerAnswer.Answer(review, local) : _offerAnswer.Offer(local, WantedDirection(_isPaused));
    }

    private bool TakeAnswer(Instant now, SdpSession offer, StoredSipMessage ack)
    {
        var body = MultipartReader.Read(ack);
        TakeMetadata(now, ack, body);
        if (body.Sdp is not { } sdp || !SdpReader.TryRead(sdp.Span, out var answer, out _)) return false;

        var review = _offerAnswer.ReviewAnswer(offer, answer!, WantedDirection(_isToldPaused));
        if (!review.Accepted.Any()) return false;

        Apply(now, review);
        _metadata.Compare(now, [.. review.Media.Select(m => m.Label)]);
        _journal.Note(now, "offer-answered", $"Our offer was answered: {DescribeDirections()}.");
        return true;
    }

    // Tells the media plane what was agreed on; before the ACK it sends to the signalling source only.
    private void Configure(Instant now)
    {
        _changed = true;
        foreach (var stream in _streams.All)
        {
            // Of a peer with ICE the candidates count.
            if (stream.Ice is null && stream.Current is { } media && _context.Advisor.LocalNetworks.Judge(media.RemoteRtp ?? default, Source) is var unusable
                && unusable is Addressing.UnusableAddress.PrivateOutside or Addressing.UnusableAddress.Loopback or Addressing.UnusableAddress.Multicast)
            {
                _journal.Find(now, FindingCode.AddressNotSentTo, $"Stream {stream.Index + 1}: the peer at {Source.AddressText} wrote {media.RemoteRtp}, which cannot be its address from here ({Explain(unusable)}); packets go to {Source.AddressText} instead.");
            }
        }

        _context.Commands.Enqueue(new MediaCommand.Configure(Id, _streams.Settings(Source, _state is SessionState.Confirmed, _isPaused)));
    }

    private static string Explain(Addressing.UnusableAddress unusable) => unusable switch
    {
        Addressing.UnusableAddress.PrivateOutside => "it is private, and the peer is outside of our local networks",
        Addressing.UnusableAddress.Loopback => "it is the loopback address of another machine",
        _ => "it is a group or broadcast address",
    };

    private Instant? MappingDeadline => IsLocalPeer ? null : _streams.MappingDeadline(
        _context.Advisor.IsRelayOnly ? _context.Options.RelayWait : _context.Options.MappingWait);

    private bool IsLocalPeer => _context.Advisor.LocalNetworks.IsInside(Source);

    private TransportAddress LastKnownAddress => _context.Flows.LastKnown(_context.MediaAddressFor(Flow));

    private static TransportProtocol TransportOf(SignallingContext context, FlowId flow) =>
        context.Flows.TryGet(flow, out var known) ? known.Transport : TransportProtocol.Udp;

    // Null where the flow is closed.
    private static string? ContactFor(SignallingContext context, FlowId flow, TransportAddress peer, bool wantsSecured)
    {
        if (!context.Flows.TryAdvertise(flow, peer, out var advertised)) return null;

        var transport = TransportOf(context, flow);
        return $"<{ContactText.UriOf("recorder", advertised.Address, transport, wantsSecured && transport.IsEncrypted)}>;+sip.srs";
    }

    private void TellAddresses(Instant now)
    {
        foreach (var stream in _streams.All.Where(s => s.Current is not null))
        {
            _context.Tell(new SignallingNotice.Advertised(Id, $"stream {stream.Index + 1}", stream.Rtp.Address, stream.Rtp.Explain()));
            if (stream.Rtp.Reason is Addressing.AddressReason.MappingVaries)
            {
                _journal.Find(now, FindingCode.MappingVaries, $"Stream {stream.Index + 1}: {stream.Rtp.Explain()}. Forward the ports and set Nat:ForwardedPorts, or use a peer that latches.");
            }
        }
    }

    private void NoteRejections(Instant now, OfferReview review)
    {
        foreach (var rejected in review.Rejected.Where(r => r.Reason is not MediaRejection.PortZero))
        {
            _journal.Find(now, FindingCode.MediaRefused, $"Medium {rejected.Index + 1} is not recorded: {Explain(rejected)}.");
        }
    }

    private void Apply(Instant now, OfferReview review)
    {
        _streams.Apply(review, _context.Options.UsesIce);
        foreach (var stream in _streams.All)
        {
            if (ExplainMismatch(stream) is not { } mismatch) continue;

            _journal.Find(now, FindingCode.IceMismatch, $"Stream {stream.Index + 1}: {mismatch}: something between us, such as a SIP ALG or an SBC, rewrote one and not the other. ICE is not used; media is taken from the peer's address.");
        }

        foreach (var media in review.Accepted)
        {
            if (media.Crypto is not null) NoteKeys(now);
            if (media.KeptCodec is not { } codec) continue;

            _journal.Find(now, FindingCode.CodecKeptAsPackets, $"Stream {media.Index + 1}: {ExplainKept(codec)}");
        }
    }

    private static string ExplainKept(PayloadFormat codec) => PayloadDecoder.Of(codec.Name, codec.ClockRate, codec.Channels) is null
        ? $"{codec.Name} is not decoded here; its RTP packets are kept as they come, in a file that ends in .rtpdump. Offer PCMU or PCMA to have audio."
        : $"{codec.Name} is kept as RTP packets as they come, in a file that ends in .rtpdump; 'recordings export' makes audio of them.";

    private static string? ExplainMismatch(SessionStream stream) =>
        stream.IsIceMismatched ? $"the peer's media address {stream.Last?.RemoteRtp} is none of its ICE candidates"
        : stream.IsMismatchTold ? "the peer says that our media address is none of our ICE candidates"
        : null;

    private SipResponse Unrecordable(int status, string why) =>
        new(status) { Headers = [RecorderHeaders.Warning(399, _context.Options.ServerName, why), RecorderHeaders.Accept] };

    // Null where something can be recorded, now or after a later offer.
    private static string? Explain(OfferReview review) =>
        review.Accepted.Any() || review.Rejected.All(r => r.Reason is MediaRejection.PortZero)
            ? null
            : string.Join("; ", review.Rejected.Select(r => $"medium {r.Index + 1}: {Explain(r)}"));

    private static string Explain(RejectedMedia rejected) => RejectionText.Explain(rejected, "no audio codec that has a name");

    private string DescribeDirections() =>
        string.Join(", ", _streams.All.Select(s => $"stream {s.Index + 1} {Describe(s)}").DefaultIfEmpty("no media"));

    private static string Describe(SessionStream stream) => stream.Current switch
    {
        null => stream.IsOffered ? "offered" : "refused",
        { IsHeld: true, Direction.Text: var direction } => $"{direction} (held)",
        { Direction.Text: var direction } => direction,
    };

    private void TakeMetadata(Instant now, StoredSipMessage message, SiprecBody body, bool isFirst = false)
    {
        _metadata.Take(now, message, body, isFirst);
        _changed = true;
        NoteSnapshot(now);
        NoteLinks(now);
    }
}
