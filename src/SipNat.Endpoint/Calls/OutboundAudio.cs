using SipNat.Wire;

namespace SipNat.Endpoint.Calls;

/// <summary>Judges whether what we send arrives, by the peer's reports, by what the system refuses to send, and by ICMP.</summary>
internal sealed class OutboundAudio
{
    /// <summary>So many packets have left since a report before the next one that counts none of them is believed: a second of them.</summary>
    private const int FewestSent = 50;

    /// <summary>So many packets are refused, with less than <see cref="RefusalMemory"/> between them, before it is no chance.</summary>
    private const int FewestRefused = 5;

    // Less than a step has to show an effect, and more than there is between two messages of a host that goes on.
    private static readonly TimeSpan FreshIcmp = TimeSpan.FromSeconds(1.5);

    private static readonly TimeSpan RefusalMemory = TimeSpan.FromSeconds(2);

    private Instant? _reportedAt;
    private Instant? _refusedAt;
    private long _sentBefore;
    private long _receivedByPeer;
    private long _failedBefore;
    private long _refused;
    private bool _isReported;
    private bool _hasNews;
    private bool _hasOpened;
    private bool _isRedirected;
    private bool _isRelayTried;
    private bool _isNamed;
    private Instant? _icmpAt;
    private Instant? _icmpSince;
    private long? _receivedSinceIcmp;
    private bool _isContradicted;

    /// <summary>Since when nothing arrives, as far as is known; null where it does.</summary>
    public Instant? LostSince { get; private set; }

    /// <summary>Whether packets are refused here, or there by ICMP, and do not only go astray.</summary>
    public bool IsRefused => _refused >= FewestRefused || IsRefusedByIcmp;

    /// <summary>Whether it is ICMP that says so, and the peer has not said otherwise since.</summary>
    public bool IsRefusedByIcmp { get; private set; }

    /// <summary>Looks at the call; true where what was lost arrives again.</summary>
    public bool TakeRecovered(Instant now, in CallSituation situation)
    {
        NoteReport(situation);
        NoteRefusals(now, situation);
        NoteIcmp(now, situation);
        if (situation.MaySend && (_isReported || IsRefused))
        {
            LostSince ??= now;
            return false;
        }

        var isBack = LostSince is not null && situation.MaySend;
        LostSince = null;
        (_hasOpened, _isRedirected, _isRelayTried, _isNamed) = (false, false, false, false);
        return isBack;
    }

    /// <summary>
    /// Whether it is certain enough to ask the peer for something. A route that changes is refused for a moment, and works
    /// long before ICMP is forgotten.
    /// </summary>
    public bool IsEvident(Instant now) => LostSince is not null && (_isReported || _refused >= FewestRefused || (IsRefusedByIcmp && now - _icmpAt < FreshIcmp));

    public CallStep NextStep(Instant now, in CallSituation situation)
    {
        if (!_hasOpened)
        {
            // Whether that has helped is no matter of a report: it shows where we are seen, if that is elsewhere.
            _hasOpened = true;
            return CallStep.OpenPath;
        }

        // What a later step has done shows with the next report.
        if (_isNamed || !(_hasNews || IsRefused) || !IsEvident(now)) return CallStep.None;
        if (!_isRedirected && situation.IsSentElsewhere) return Take(ref _isRedirected, CallStep.OtherDestination);
        if (!_isRelayTried && !situation.HasRefused) return situation.IsNegotiating ? CallStep.None : Take(ref _isRelayTried, CallStep.OtherAddress);

        return Take(ref _isNamed, CallStep.Name);
    }

    /// <summary>There is no other way: the next step needs no report.</summary>
    public void SkipAddress() => (_isRelayTried, _hasNews) = (true, true);

    private CallStep Take(ref bool isTaken, CallStep step)
    {
        (isTaken, _hasNews) = (true, false);
        return step;
    }

    // One report that covers a second of audio and counts none of it; any later one that counts more takes it back.
    private void NoteReport(in CallSituation situation)
    {
        if (situation.ReportedAt is not { } at || at == _reportedAt || situation.ReceivedByPeer is not { } received) return;

        _reportedAt = at;
        if (received <= _receivedByPeer && situation.Sent - _sentBefore < FewestSent) return;

        _isReported = received <= _receivedByPeer;
        _hasNews = true;
        (_sentBefore, _receivedByPeer) = (situation.Sent, received);
    }

    private void NoteRefusals(Instant now, in CallSituation situation)
    {
        if (situation.SendsFailed > _failedBefore) (_refused, _refusedAt) = (_refused + situation.SendsFailed - _failedBefore, now);
        else if (now - _refusedAt >= RefusalMemory) _refused = 0;
        _failedBefore = situation.SendsFailed;
    }

    // ICMP can be forged, and its word stands against the peer's: a second of audio that it counts between two reports that
    // came since shows that it hears us. That its own audio comes shows nothing, as a firewall may let out what it keeps in.
    private void NoteIcmp(Instant now, in CallSituation situation)
    {
        _icmpAt = situation.RefusedByIcmpAt;
        if (_icmpAt is null)
        {
            (IsRefusedByIcmp, _icmpSince, _receivedSinceIcmp, _isContradicted) = (false, null, null, false);
            return;
        }

        _icmpSince ??= now;
        if (situation.ReportedAt > _icmpSince && situation.ReceivedByPeer is { } received)
        {
            _receivedSinceIcmp ??= received;
            _isContradicted |= received - _receivedSinceIcmp >= FewestSent;
        }

        IsRefusedByIcmp = !_isContradicted;
    }
}
