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

    private readonly CallWatch _watch = new();
    private readonly List<CallRecovery> _recovered = [];
    private Instant? _watchAt;
    private TransportAddress _lostAddress;
    private long _sendsFailed;

    private void Watch(Instant now)
    {
        _watchAt = now + WatchInterval;
        if (_streams.All.FirstOrDefault() is not { Current: { } media } stream) return;

        var lostSince = _watch.LostSince;
        switch (_watch.Look(now, SituationOf(stream, media)))
        {
            case CallStep.OpenPath:
                _lostAddress = stream.Rtp.Address;
                _journal.Note(now, _watch.IsOutbound ? "outbound-lost" : "inbound-lost", $"{DescribeLoss(stream)} A packet that opens the way is sent, and STUN servers are asked how the port is seen.");
                _context.Commands.Enqueue(new MediaCommand.KeepOpen(Id));
                break;
            case CallStep.OtherAddress:
                TellOtherAddress(now, stream);
                break;
            case CallStep.Name:
                NameLoss(now, stream);
                break;
            case CallStep.Recovered when lostSince is { } since:
                NoteRecovery(now, since, stream);
                break;
        }
    }

    private CallSituation SituationOf(SessionStream stream, AcceptedMedia media)
    {
        var (report, audio) = (stream.Report, stream.Report?.Audio);
        var failed = report?.SendsFailed ?? 0;
        var hasFailed = failed > _sendsFailed;
        _sendsFailed = failed;
        return new(
            media is { IsHeld: false, Direction.Receives: true },
            report?.LastHeardAt,
            media.Direction.Sends,
            audio?.Stages.Sent ?? 0,
            audio?.Stages.ReceivedByPeer,
            audio?.Peer?.ReceivedAt,
            hasFailed);
    }

    // The address that was told does not work: ICE looks for paths anew, or the next address by order is told, a relay at
    // last.
    private void TellOtherAddress(Instant now, SessionStream stream)
    {
        if (IsNegotiating || State is not CallState.Established) return;

        if (stream.Ice is not null)
        {
            _watch.SkipAddress();
            _journal.Note(now, "ice-restart", $"{DescribeLoss(stream)} ICE looks for a path anew.");
            _context.Commands.Enqueue(new MediaCommand.Gather(Id, stream.Port, new(stream.Last!.RtcpMux ? 1 : IceOptions.MaxComponents, IceRole.Controlling, IsLocalPeer)));
            return;
        }

        stream.Avoided = stream.Avoided.With(stream.Rtp.Kind);
        if (_streams.HasStaleAddress(_context.Advisor, Peer, LastKnownAddress))
        {
            _journal.Note(now, "other-address", $"{DescribeLoss(stream)} The other side is told another address.");
            TellPeer(now);
        }
        else if (!_isRelayWanted)
        {
            // Told as soon as a server lends it.
            _isRelayWanted = true;
            _journal.Note(now, "relay-wanted", $"{DescribeLoss(stream)} TURN servers are asked for an address.");
            _context.Commands.Enqueue(new MediaCommand.Gather(Id, stream.Port, new(0, IceRole.Controlling, IsLocalPeer) { WantsRelay = true }));
        }
        else
        {
            _watch.SkipAddress();
        }
    }

    private void NameLoss(Instant now, SessionStream stream)
    {
        if (_watch.IsOutbound)
        {
            _journal.Find(now, FindingCode.PeerHearsNothing, $"The other side reports that it receives none of our audio, which goes to {stream.Report?.Remote.ToString() ?? "nowhere"}: a firewall or NAT on its side, or between, does not let it through. Where it says that it sends from an address of a private network, let it use STUN, ICE or its provider's relay.");
            return;
        }

        if (stream.Report is not { } report) return;

        var since = _watch.LostSince ?? now;
        StreamSilence silence = new(stream.Index, now, now - since, report.LastHeardAt - _answeredAt, report.SendsFailed == 0, default, null, report.Stream.Sources);
        var local = _context.Flows.TryGet(Flow, out var flow) ? flow.Local : default;
        if (_streams.EvidenceOf(silence, Peer, IsLocalPeer, local, LastKnownAddress) is not { } evidence) return;

        // What only who registers knows.
        var seen = _identity.Account is { } account && _context.Accounts.RoutesOf(account).FirstOrDefault(route => route.Flow == Flow) is { } way ? way.Seen : default;
        evidence = evidence with { SeenByProvider = seen, StunIsKnown = _context.Flows.HasStunServers };
        foreach (var finding in SilenceDiagnosis.Explain(evidence)) _journal.Find(finding);
    }

    private void NoteRecovery(Instant now, Instant since, SessionStream stream)
    {
        _changed = true;
        _isRelayWanted = false;
        var to = stream.Report?.Path?.Local ?? stream.Rtp.Address;
        _journal.Note(now, "recovered", $"Audio is back after {(now - since).TotalSeconds:F1} s{(to == _lostAddress ? "" : $": {_lostAddress} gave way to {to}")}.");
        if (_recovered.Count < MaxRecoveries) _recovered.Add(new(now, _lostAddress, to, now - since));
    }

    private string DescribeLoss(SessionStream stream) => _watch.IsOutbound
        ? $"The other side reports none of our {stream.Report?.Audio?.Stages.Sent ?? 0} packets."
        : stream.Report?.LastHeardAt is { } at ? $"Nothing of the other side has come for {(_watchAt!.Value - WatchInterval - at).TotalSeconds:F1} s." : "Nothing of the other side has come yet.";
}
