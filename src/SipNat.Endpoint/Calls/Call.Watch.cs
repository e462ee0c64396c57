using SipNat.Endpoint.Diagnosis;
using SipNat.Endpoint.Media;
using SipNat.Endpoint.Sessions;
using SipNat.Sip.Sdp;
using SipNat.Traversal.Ice;
using SipNat.Wire;

namespace SipNat.Endpoint.Calls;

/// <summary>Notices that a direction has no audio, does what may help, and says what became of it.</summary>
internal sealed partial class Call
{
    private const int MaxRecoveries = 64;
    private static readonly TimeSpan WatchInterval = TimeSpan.FromMilliseconds(500);

    // Providers hang up legs without RTP after 20 s at the least; 60 s and 600 s on hold are usual.
    private static readonly TimeSpan LongestUnheard = TimeSpan.FromSeconds(20);

    private readonly CallWatch _watch = new();
    private readonly List<CallRecovery> _recovered = [];
    private Instant? _watchAt;
    private TransportAddress _lostAddress;
    private bool _hasRefusedAddress;
    private long _audioSent;
    private Instant? _audioSentAt;
    private bool _isRefusalNamed;

    private void Watch(Instant now)
    {
        _watchAt = now + WatchInterval;
        if (_streams.All.FirstOrDefault() is not { Current: { } media } stream) return;

        if (stream.Report?.Audio is { Stages.Sent: var sent } && sent > _audioSent) (_audioSent, _audioSentAt) = (sent, now);
        var step = _watch.Look(now, SituationOf(now, stream, media));
        NameRefusal(now, stream);
        switch (step)
        {
            case CallStep.OpenPath:
                _lostAddress = stream.Rtp.Address;
                _journal.Note(now, _watch.IsOutbound ? "outbound-lost" : "inbound-lost", $"{DescribeLoss(now, stream)} A packet that opens the way is sent, and STUN servers are asked how the port is seen.");
                _context.Commands.Enqueue(new MediaCommand.KeepOpen(Id));
                break;
            case CallStep.OtherDestination:
                _journal.Note(now, "other-destination", $"{DescribeLoss(now, stream)} It is sent to {media.RemoteRtp}, where the other side said that it listens, and not to {stream.Report?.Remote}, where its own comes from.");
                Redirect(now, stream, keepsToDescription: true);
                break;
            case CallStep.OtherAddress:
                Redirect(now, stream, keepsToDescription: false);
                TellOtherAddress(now, stream);
                break;
            case CallStep.Name:
                Redirect(now, stream, keepsToDescription: false);
                NameLoss(now, stream);
                break;
            case CallStep.Recovered:
                NoteRecovery(now, stream);
                break;
        }
    }

    // What ICMP says is looked at as soon as it is old enough, and not in its turn.
    private void HastenWatch()
    {
        if (_watch.IsRefusedByIcmp || _streams.All.FirstOrDefault()?.Report?.RefusedByIcmp is not { } refusal) return;
        if (_watchAt > refusal.Since + IcmpRefusal.LeastAge) _watchAt = refusal.Since + IcmpRefusal.LeastAge;
    }

    // It has the cause in it: whatever is tried then, this is said at once.
    private void NameRefusal(Instant now, SessionStream stream)
    {
        if (_watch.IsRefusedByIcmp && !_isRefusalNamed && stream.Report?.RefusedByIcmp is { Error: var error })
        {
            _journal.Find(now, FindingCode.PeerHearsNothing, $"Our audio does not arrive at {error.Destination}: {error.Explain(stream.Local)} The other side does not hear us.");
        }

        _isRefusalNamed = _watch.IsRefusedByIcmp;
    }

    private CallSituation SituationOf(Instant now, SessionStream stream, AcceptedMedia media)
    {
        var (report, audio) = (stream.Report, stream.Report?.Audio);
        return new()
        {
            MayReceive = media is { IsHeld: false, Direction.Receives: true },
            HeardAt = report?.LastHeardAt,
            MediaHeardAt = report?.LastPacketAt,
            Arrived = audio?.Stages.Arrived ?? 0,
            PeerSent = report?.PeerSent,
            MaySend = media.Direction.Sends,
            Sent = audio?.Stages.Sent ?? 0,
            ReceivedByPeer = audio?.Stages.ReceivedByPeer,
            ReportedAt = audio?.PeerReportedAt,
            SendsFailed = report?.SendsFailed ?? 0,
            RefusedByIcmpAt = report?.RefusedByIcmp is { } refusal && now - refusal.Since >= IcmpRefusal.LeastAge ? refusal.At : null,
            // Of hosts that have proved to be there; any other would get no more than a trickle.
            IsSentElsewhere = stream.Ice is null && !stream.KeepsToDescription && report is { Remote: { IsNone: false } followed }
                && media.RemoteRtp is { } described && followed != described && (described.HasSameAddress(followed) || described.HasSameAddress(Peer)),
            HasRefused = _hasRefusedAddress,
            IsNegotiating = IsNegotiating || State is not CallState.Established,
        };
    }

    // A peer that sends from one port and listens on another does not hear what goes back to the first.
    private void Redirect(Instant now, SessionStream stream, bool keepsToDescription)
    {
        if (stream.KeepsToDescription == keepsToDescription) return;

        stream.KeepsToDescription = keepsToDescription;
        Configure(now);
    }

    // The address that was told does not work: ICE looks for paths anew, or the next address by order is told, a relay at
    // last. Where it is ours that does not arrive only a relay is another way: it leaves from there.
    private void TellOtherAddress(Instant now, SessionStream stream)
    {
        if (stream.Ice is not null)
        {
            _watch.SkipAddress();
            _journal.Note(now, "ice-restart", $"{DescribeLoss(now, stream)} ICE looks for a path anew.");
            _context.Commands.Enqueue(new MediaCommand.Gather(Id, stream.Port, new(stream.Last!.RtcpMux ? 1 : IceOptions.MaxComponents, IceRole.Controlling, IsLocalPeer)));
            return;
        }

        if (_watch.IsOutbound) stream.PrefersRelay = true;
        else stream.Avoided = stream.Avoided.With(stream.Rtp.Kind);
        if (_streams.HasStaleAddress(_context.Advisor, Peer, LastKnownAddress))
        {
            _journal.Note(now, "other-address", $"{DescribeLoss(now, stream)} The other side is told another address.");
            TellPeer(now);
        }
        else if (!_isRelayWanted)
        {
            // Told as soon as a server lends it.
            _isRelayWanted = true;
            _journal.Note(now, "relay-wanted", $"{DescribeLoss(now, stream)} TURN servers are asked for an address.");
            _context.Commands.Enqueue(new MediaCommand.Gather(Id, stream.Port, new(0, IceRole.Controlling, IsLocalPeer) { WantsRelay = true }));
        }
        else
        {
            _watch.SkipAddress();
        }
    }

    private void NameLoss(Instant now, SessionStream stream)
    {
        if (stream.Report is not { } report) return;
        if (_watch.IsOutbound)
        {
            if (_watch.IsRefusedByIcmp) return;

            _journal.Find(now, FindingCode.PeerHearsNothing, _watch.IsRefused
                ? $"{report.SendsFailed} packets to {DestinationOf(stream)} were refused: a firewall or a missing route on this machine. The other side does not hear us."
                : $"The other side reports that it receives none of our audio, which goes to {DestinationOf(stream)}: a firewall or NAT on its side, or between, does not let it through. Where it says that it sends from an address of a private network, let it use STUN, ICE or its provider's relay.");
            return;
        }

        // Packets come, and are not genuine: there is a finding for that, and nothing is missing on the way.
        if (_watch.IsUnusable && report is { Srtp: not null, Stream.Strays: 0 }) return;

        StreamSilence silence = new(
            stream.Index, now, now - _watch.Since, report.LastPacketAt - _answeredAt, report.SendsFailed < _audioSent, report.ControlFrom, report.PeerSent?.Packets, report.Stream.Sources);
        var local = _context.Flows.TryGet(Flow, out var flow) ? flow.Local : default;
        if (_streams.EvidenceOf(silence, Peer, IsLocalPeer, local, LastKnownAddress) is not { } evidence) return;

        // What only who registers knows.
        var seen = _identity.Account is { } account && _context.Accounts.RoutesOf(account).FirstOrDefault(route => route.Flow == Flow) is { } way ? way.Seen : default;
        evidence = evidence with { SeenByProvider = seen, StunIsKnown = _context.Flows.HasStunServers };
        foreach (var finding in SilenceDiagnosis.Explain(evidence)) _journal.Find(finding);
    }

    // Providers hang up a leg that brings no RTP, and say no more than that the call is over.
    private void NameHangUp(Instant now)
    {
        if (!IsUp) return;
        if (_watch.UnheardSince is { } unheardSince)
        {
            _journal.Find(now, FindingCode.HungUpUnheard, $"The other side hung up after {(now - unheardSince).TotalSeconds:F0} s in which, by its reports or ICMP, none of our audio reached it.");
        }
        else if ((_audioSentAt ?? _answeredAt) is { } sentAt && now - sentAt >= LongestUnheard)
        {
            _journal.Find(now, FindingCode.HungUpUnheard, $"The other side hung up {(now - sentAt).TotalSeconds:F0} s after {(_audioSentAt is null ? "the answer, and we had sent no audio at all" : "our last packet of audio")}{(IsHeldByPeer ? ", while it held us" : "")}. Providers hang up calls that bring them no RTP for a time (rtp timeout, rtp hold timeout).");
        }
    }

    private void NoteRecovery(Instant now, SessionStream stream)
    {
        _changed = true;
        _isRelayWanted = false;
        var after = now - _watch.Since;
        var to = stream.Report?.Path?.Local ?? stream.Rtp.Address;
        _journal.Note(now, "recovered", $"{(_watch.IsOutbound ? "Our audio arrives again, as far as is known," : "Audio is back")} after {after.TotalSeconds:F1} s{(to == _lostAddress ? "" : $": {_lostAddress} gave way to {to}")}.");
        if (_recovered.Count < MaxRecoveries) _recovered.Add(new(now, _lostAddress, to, after) { IsOutbound = _watch.IsOutbound });
    }

    private string DescribeLoss(Instant now, SessionStream stream) => _watch.IsOutbound
        ? _watch.IsRefused ? $"Our packets to {DestinationOf(stream)} are refused{(_watch.IsRefusedByIcmp ? ", by ICMP" : "")}." : $"The other side reports that none of our audio arrives ({stream.Report?.Audio?.Stages.Sent ?? 0} packets were sent)."
        : _watch.IsUnusable ? "What comes cannot be used."
        : stream.Report is not { LastHeardAt: { } at } report ? "Nothing of the other side has come yet."
        : report.LastPacketAt is { } last && last < at ? $"No audio of the other side has come for {(now - last).TotalSeconds:F1} s."
        : report.LastPacketAt is null ? "No audio of the other side has come yet, and it says that it sends." : $"Nothing of the other side has come for {(now - at).TotalSeconds:F1} s.";

    private static string DestinationOf(SessionStream stream) => stream.Report?.Remote is { IsNone: false } followed && !stream.KeepsToDescription
        ? followed.ToString()
        : stream.Current?.RemoteRtp?.ToString() ?? "nowhere";
}
