using SipNat.Endpoint.Addressing;
using SipNat.Endpoint.Diagnosis;
using SipNat.Endpoint.Media;
using SipNat.Sip.Sdp;
using SipNat.Traversal.Ice;
using SipNat.Wire;

namespace SipNat.Endpoint.Sessions;

/// <summary>The media of one session, by m-line, with the ports that serve them.</summary>
/// <param name="random">Draws our keys.</param>
internal sealed class SessionStreams(Random random)
{
    private readonly SortedDictionary<int, SessionStream> _streams = [];
    private IReadOnlyList<MediaPortAddresses> _ports = [];

    /// <summary>Every stream of the session, removed ones too; not those of an offer that has no answer.</summary>
    public IEnumerable<SessionStream> All => _streams.Values.Where(s => s.IsOffered || s.Last is not null);

    /// <summary>Ports that the streams need by now.</summary>
    public int PortsWanted { get; private set; }

    public bool HasPorts => _ports.Count >= PortsWanted;

    /// <summary>Whether every port has begun what was asked of it, so that its description is the one to tell.</summary>
    public bool AreGathered => _streams.Values.All(s => s.IceAwaited is not { } former || (s.Port < _ports.Count && _ports[s.Port].IceVersion > former));

    /// <summary>Whether a stream that is to be answered has no relayed address, where no other may be told.</summary>
    public bool LacksRelay(AddressAdvisor advisor, TransportAddress peer) =>
        _streams.Values.Any(s => s.Port < _ports.Count && Advise(advisor, s, peer, default).Rtp.Address.IsNone);

    public int PortsMissing => PortsWanted - _ports.Count;

    /// <summary>Whether the media plane has answered at all.</summary>
    public bool ArePortsKnown { get; private set; }

    /// <summary>Gives streams that are met for the first time the next port. Nothing else changes before the answer.</summary>
    public void Reserve(Instant now, OfferReview review)
    {
        foreach (var media in review.Accepted)
        {
            if (!_streams.ContainsKey(media.Index)) _streams.Add(media.Index, new(media.Index, PortsWanted++, now));
        }
    }

    /// <summary>What the ports of an offer's media have to do before it can be answered: relays, and ICE where it is offered.</summary>
    /// <param name="mayUseIce">Whether an offer of ICE is taken up.</param>
    public IEnumerable<(int Port, PathNeeds Needs)> Gather(OfferReview review, bool mayUseIce, bool isLocalPeer)
    {
        foreach (var media in review.Accepted)
        {
            var stream = _streams[media.Index];
            var ice = mayUseIce ? IceNegotiation.Read(media.PeerAttributes, media.RemoteRtp, media.RemoteRtcp, out _) : null;
            var isNew = stream.Last is null;
            if (ice is null ? !isNew : ice.Credentials == stream.Ice?.Credentials) continue;

            if (ice is not null) stream.IceAwaited = stream.Port < _ports.Count ? _ports[stream.Port].IceVersion : 0;
            yield return (stream.Port, new(ice is null ? 0 : media.RtcpMux ? 1 : 2, IceRole.Controlled, isLocalPeer));
        }
    }

    /// <summary>The same for the first offer of the session where it is ours: whoever offers is controlling (RFC 8445 §6.1.1).</summary>
    /// <param name="offersIce">Whether ICE is offered.</param>
    public IEnumerable<(int Port, PathNeeds Needs)> GatherOurOffer(bool offersIce, bool isLocalPeer)
    {
        foreach (var stream in _streams.Values.Where(s => s.IsOffered && s.Last is null))
        {
            stream.OffersIce = offersIce;
            if (offersIce) stream.IceAwaited = 0;
            yield return (stream.Port, new(offersIce ? IceOptions.MaxComponents : 0, IceRole.Controlling, isLocalPeer));
        }
    }

    /// <summary>Takes in what was agreed on, for the streams that have a port.</summary>
    /// <param name="mayUseIce">Whether an offer of ICE is taken up.</param>
    public void Apply(OfferReview review, bool mayUseIce)
    {
        // A description with fewer m-lines than the last one breaks RFC 3264 §8; the missing ones are taken for removed.
        foreach (var stream in _streams.Values)
        {
            var accepted = stream.Index < review.Media.Count ? review.Media[stream.Index] as AcceptedMedia : null;
            stream.Agree(accepted, mayUseIce);
            if (accepted is null) continue;

            stream.Crypto.Agree(accepted.Crypto, random);
        }
    }

    /// <summary>What is known of the port of a stream that was answered; null for any other.</summary>
    public (SessionStream Stream, MediaPortAddresses Port)? Find(int index) =>
        _streams.TryGetValue(index, out var stream) && stream.Port < _ports.Count && stream.Rtp.Reason is not null ? (stream, _ports[stream.Port]) : null;

    /// <summary>What is known of a stream that brings nothing, to be explained; null where it was never answered.</summary>
    /// <param name="source">Where the peer's requests come from.</param>
    /// <param name="signallingLocal">The socket that they come to; none where it is closed.</param>
    /// <param name="signallingMapped">How that is seen from outside; none where nobody has told.</param>
    public SilenceEvidence? EvidenceOf(
        StreamSilence silence, TransportAddress source, bool isLocalPeer, TransportAddress signallingLocal, TransportAddress signallingMapped) =>
        Find(silence.Index) is not var (stream, port) ? null : new()
        {
            Silence = silence,
            SignallingSource = source,
            PeerIsLocal = isLocalPeer,
            Described = stream.Last?.RemoteRtp is { IsUnspecified: false } described ? described : default,
            SessionConnection = stream.Last?.SessionConnection ?? default,
            Advertised = stream.Rtp,
            Local = port.Rtp.Local,
            Mapping = port.Rtp.Mapping,
            StunIsSilent = port.MappingAwaited && port.Rtp.LastMapped.IsNone,
            SignallingLocal = signallingLocal,
            SignallingMapped = signallingMapped,
        };

    /// <summary>Offers without keys from here on.</summary>
    public void ForgetKeys()
    {
        foreach (var stream in _streams.Values) stream.Crypto.Agree(null, random);
    }

    /// <summary>Forgets ports that could not be had, with the streams that wanted them.</summary>
    public void DropUnserved()
    {
        foreach (var stream in _streams.Values.Where(s => s.Port >= _ports.Count).ToList()) _streams.Remove(stream.Index);

        PortsWanted = _ports.Count;
    }

    /// <summary>Makes room for the one stream of an offer that will be ours.</summary>
    /// <param name="isEncrypted">It is to be encrypted.</param>
    public void ReserveOurOffer(Instant now, bool isEncrypted)
    {
        SessionStream stream = new(0, PortsWanted++, now) { IsOffered = true };
        if (isEncrypted) stream.Crypto.Offer(random);
        _streams.Add(0, stream);
    }

    public void SetPorts(IReadOnlyList<MediaPortAddresses> ports) => (_ports, ArePortsKnown) = (ports, true);

    /// <summary>Takes what is known of a port now; true where the public address of this host has become another one.</summary>
    public bool SetPort(int port, MediaPortAddresses addresses)
    {
        if (port >= _ports.Count) return false;

        var hasMoved = _ports[port].Rtp.Mapping is { Mapped: var before } && addresses.Rtp.Mapping is { Mapped: var now } && !before.HasSameAddress(now);
        _ports = [.. _ports.Select((known, i) => i == port ? addresses : known)];
        return hasMoved;
    }

    /// <summary>
    /// Until when an answer may wait for STUN servers; null where nothing is awaited or every port had its time already.
    /// </summary>
    public Instant? MappingDeadline(TimeSpan wait)
    {
        Instant? latest = null;
        foreach (var port in _ports)
        {
            if (port.MappingAwaited && (latest is null || port.OpenedAt + wait > latest)) latest = port.OpenedAt + wait;
        }

        return latest;
    }

    /// <summary>Whether our descriptions have as few candidates as can be.</summary>
    public bool TrimsOffers { get; set; }

    /// <summary>The addresses that a peer is told for each accepted medium; they are remembered with their reasons.</summary>
    public IReadOnlyList<LocalMedia> Advertise(AddressAdvisor advisor, TransportAddress peer, TransportAddress lastKnown)
    {
        var local = new List<LocalMedia>();
        foreach (var stream in _streams.Values.Where(s => s.IsOffered))
        {
            (stream.Rtp, stream.Rtcp) = Advise(advisor, stream, peer, lastKnown);
            stream.Local = _ports[stream.Port].Rtp.Local;
            local.Add(new(stream.Index, stream.Rtp.Address, stream.Rtcp.Address) { Attributes = [.. Describe(stream), .. stream.Crypto.Lines] });
        }

        return local;
    }

    /// <summary>Whether the peer would be told something else by now.</summary>
    public bool HasStaleAddress(AddressAdvisor advisor, TransportAddress peer, TransportAddress lastKnown) =>
        _streams.Values.Any(stream => stream.Current is not null && (stream.Ice is not null
            ? _ports[stream.Port].IceVersion != stream.IceTold
            : Advise(advisor, stream, peer, lastKnown) is var (rtp, rtcp)
                && (rtp.Address != stream.Rtp.Address || rtcp.Address != stream.Rtcp.Address)));

    /// <param name="audio">What a call sends and hears; null where nothing is sent.</param>
    public MediaSettings Settings(
        TransportAddress source, bool acknowledged, bool paused, Func<SessionStream, CallAudioSettings?>? audio = null) => new(
        source,
        acknowledged,
        paused,
        // The pause of a recording keeps nobody from talking in a call.
        [.. _streams.Values.Where(s => s.Last is not null).Select(s => new MediaStreamSettings(
            s.Index,
            s.Port,
            s.Last!.PayloadMap,
            s.Last.RemoteRtp ?? default,
            s.Last.RemoteRtcp ?? default,
            s.Last.RtcpMux,
            s.ShouldSend && (!paused || audio is not null),
            s.Ice,
            s.Rtp.Kind is AddressKind.Relayed,
            s.Crypto.Keys) { Audio = audio?.Invoke(s), KeepsToDescription = s.KeepsToDescription })]);

    public void Report(IReadOnlyList<MediaStreamReport> reports)
    {
        foreach (var report in reports)
        {
            if (_streams.TryGetValue(report.Index, out var stream)) stream.Report = report;
        }
    }

    private List<SdpAttribute> Describe(SessionStream stream)
    {
        if (stream.IsIceMismatched) return [IceNegotiation.Mismatch];
        if ((stream.Ice is null && !stream.OffersIce) || _ports[stream.Port] is not { Ice: { } ours } port) return [];

        (stream.IceTold, stream.IceAwaited) = (port.IceVersion, null);
        return [.. IceNegotiation.Describe(ours, port, stream.Rtp, stream.Rtcp, stream.Current?.RtcpMux ?? stream.Last?.RtcpMux ?? false, TrimsOffers)];
    }

    private (AdvertisedAddress Rtp, AdvertisedAddress Rtcp) Advise(
        AddressAdvisor advisor, SessionStream stream, TransportAddress peer, TransportAddress lastKnown)
    {
        var port = _ports[stream.Port];
        return (Advise(advisor, stream, port.Rtp, peer, lastKnown), Advise(advisor, stream, port.Rtcp, peer, lastKnown));
    }

    private static AdvertisedAddress Advise(
        AddressAdvisor advisor, SessionStream stream, SocketAddresses socket, TransportAddress peer, TransportAddress lastKnown) =>
        advisor.Advise(new()
        {
            Use = AddressUse.Media,
            Peer = peer,
            Local = socket.Local,
            Relayed = socket.Relayed,
            Mapping = socket.Mapping,
            LastKnown = socket.LastMapped.IsNone ? lastKnown : socket.LastMapped,
            Avoided = stream.Avoided,
            PrefersRelay = stream.PrefersRelay,
        });
}

/// <summary>One medium of a session.</summary>
internal sealed class SessionStream(int index, int port, Instant startedAt)
{
    /// <summary>Its place among the m-lines, from 0.</summary>
    public int Index { get; } = index;

    /// <summary>Its place among the ports of the session.</summary>
    public int Port { get; } = port;

    public Instant StartedAt { get; } = startedAt;

    public string Label { get; private set; } = string.Empty;

    /// <summary>What was agreed on; null where the medium is refused or was removed.</summary>
    public AcceptedMedia? Current { get; private set; }

    /// <summary>What was agreed on last, also after the medium was removed.</summary>
    public AcceptedMedia? Last { get; private set; }

    public TransportAddress Local { get; set; }

    public AdvertisedAddress Rtp { get; set; }

    public AdvertisedAddress Rtcp { get; set; }

    /// <summary>Kinds of addresses that the peer's media were found not to reach us at.</summary>
    public AddressKindSet Avoided { get; set; }

    /// <summary>Whether a relay is told before any other address that is not local: by another way our media may get through.</summary>
    public bool PrefersRelay { get; set; }

    /// <summary>Whether media go where the peer's description says, not where its own come from.</summary>
    public bool KeepsToDescription { get; set; }

    public MediaStreamReport? Report { get; set; }

    /// <summary>What protects its packets.</summary>
    public StreamCrypto Crypto { get; } = new();

    /// <summary>Agreed on, or part of an offer of ours that has no answer.</summary>
    public bool IsOffered { get; set; }

    /// <summary>Whether silence would be a fault: agreed on and neither held nor paused.</summary>
    public bool ShouldSend => Current is { IsHeld: false, Direction.Receives: true };

    /// <summary>What the peer tells by ICE; null where it is not used.</summary>
    public IceDescription? Ice { get; private set; }

    /// <summary>ICE is part of an offer of ours that has no answer.</summary>
    public bool OffersIce { get; set; }

    /// <summary>The peer speaks ICE, and its address is none of its candidates.</summary>
    public bool IsIceMismatched { get; private set; }

    /// <summary>The peer says that our address is none of our candidates.</summary>
    public bool IsMismatchTold { get; private set; }

    /// <summary>The version of our own ICE description that the peer was told last; 0 where none was.</summary>
    public int IceTold { get; set; }

    /// <summary>The version of our own ICE description that is no longer the one to tell; null where nothing is awaited.</summary>
    public int? IceAwaited { get; set; }

    /// <summary>Takes what came of the medium; null where it is refused or removed.</summary>
    public void Agree(AcceptedMedia? accepted, bool mayUseIce)
    {
        (Current, IsOffered, OffersIce) = (accepted, accepted is not null, false);
        if (accepted is null) return;

        // What was found out of the former address says nothing of another one.
        if (accepted.RemoteRtp != Last?.RemoteRtp) KeepsToDescription = false;
        Last = accepted;
        var isMismatched = false;
        Ice = mayUseIce ? IceNegotiation.Read(accepted.PeerAttributes, accepted.RemoteRtp, accepted.RemoteRtcp, out isMismatched) : null;
        (IsIceMismatched, IsMismatchTold) = (isMismatched, mayUseIce && accepted.PeerAttributes.Has(IceNegotiation.Mismatch.Name));
        Label = accepted.Label ?? Label;
    }
}
