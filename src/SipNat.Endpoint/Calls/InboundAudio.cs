using SipNat.Wire;

namespace SipNat.Endpoint.Calls;

/// <summary>Judges whether the other side is heard, and what is to be done where it is not.</summary>
internal sealed class InboundAudio
{
    /// <summary>Without RTP, RTCP or comfort noise for so long, a direction that should bring them is lost.</summary>
    public static readonly TimeSpan SilenceLimit = TimeSpan.FromSeconds(2);

    /// <summary>Another address is tried so often: reflexive, relayed, and the local one.</summary>
    public const int MaxAddresses = 3;

    /// <summary>So many packets more has the peer sent by its own count than came: a second of them.</summary>
    private const int FewestWithheld = 50;

    /// <summary>So many packets that come and cannot be used prove that the way is open.</summary>
    private const int FewestUnusable = 10;

    private Instant? _expectedSince;
    private uint? _peerSentBefore;
    private bool _isWithheld;
    private bool _hasOpened;
    private bool _isNamed;
    private int _addresses;
    private long _arrivedBefore;

    /// <summary>Since when it brings nothing; null where nothing is missed.</summary>
    public Instant? LostSince { get; private set; }

    /// <summary>Whether packets come all the while of which none can be used: of a stranger, or under another key.</summary>
    public bool IsUnusable { get; private set; }

    /// <summary>Whether everything was done that could help.</summary>
    public bool IsExhausted => _isNamed;

    /// <summary>Looks at the call; true where what was missed is heard again.</summary>
    public bool TakeRecovered(Instant now, in CallSituation situation)
    {
        _expectedSince = situation.MayReceive ? _expectedSince ?? now : null;
        NotePeer(situation);
        var since = Judge(now, situation);
        if (since is null)
        {
            // A hold ends the loss as well, and proves nothing.
            var isBack = LostSince is not null && situation.MayReceive;
            (LostSince, IsUnusable, _hasOpened, _isNamed, _addresses) = (null, false, false, false, 0);
            return isBack;
        }

        if (LostSince is null) (LostSince, _arrivedBefore) = (since, situation.Arrived);
        IsUnusable = situation.Arrived - _arrivedBefore >= FewestUnusable;
        return false;
    }

    /// <param name="isEvident">Something else shows that the path between the two sides is broken.</param>
    public CallStep NextStep(in CallSituation situation, bool isEvident)
    {
        if (!_hasOpened)
        {
            _hasOpened = true;
            return CallStep.OpenPath;
        }

        // Never any packet, or the peer says that it sends: silence alone proves nothing. Where something comes the address
        // that was told is not at fault.
        var mayAsk = !IsUnusable && !situation.HasRefused && (isEvident || _isWithheld || situation.HeardAt is null);
        if (mayAsk && _addresses < MaxAddresses)
        {
            if (situation.IsNegotiating) return CallStep.None;

            _addresses++;
            return CallStep.OtherAddress;
        }

        if (_isNamed) return CallStep.None;

        _isNamed = true;
        return CallStep.Name;
    }

    /// <summary>There is no other address to be told.</summary>
    public void SkipAddress() => _addresses = MaxAddresses;

    // Since when it is lost; null where it is not.
    private Instant? Judge(Instant now, in CallSituation situation)
    {
        if (_expectedSince is not { } expected) return null;

        // A report alone is no audio: it does not end what has begun.
        if (LostSince is { } lost) return situation.MediaHeardAt > lost ? null : lost;

        var silentSince = situation.HeardAt > expected ? situation.HeardAt.Value : expected;
        if (now - silentSince >= SilenceLimit) return silentSince;

        var withheldSince = situation.MediaHeardAt > expected ? situation.MediaHeardAt.Value : expected;
        return _isWithheld && now - withheldSince >= SilenceLimit ? withheldSince : null;
    }

    // By two sender reports since its last packet, or by one where none ever came (RFC 3550 §6.4.1). What it says before
    // the first of the two may have come.
    private void NotePeer(in CallSituation situation)
    {
        if (_expectedSince is null || situation.PeerSent is not { } sent || situation.MediaHeardAt >= sent.At)
        {
            (_peerSentBefore, _isWithheld) = (null, false);
            return;
        }

        _peerSentBefore ??= situation.MediaHeardAt is null ? 0 : sent.Packets;
        _isWithheld = unchecked((int)(sent.Packets - _peerSentBefore.Value)) >= FewestWithheld;
    }
}
