using SipNat.Traversal.Stun;
using SipNat.Wire;

namespace SipNat.Traversal.Turn;

/// <summary>
/// When a server was last heard, and when to ask whether it and the allocation are still there: after a second and a half
/// without a packet where packets came, then after twice as long each time, up to the bound of the keepalive. The question
/// is a Refresh, which a server that has restarted answers with 437; a server that does not answer it soon is in doubt,
/// long before it is given up. RFC 8656 leaves all of this to the client.
/// </summary>
internal sealed class TurnLiveness(TimeSpan bound)
{
    /// <summary>Silence after a packet that is worth a question.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(1.5);

    /// <summary>Without an answer for so long others are asked for a relay: longer than two round trips of nearly any path.</summary>
    public static readonly TimeSpan DoubtTime = TimeSpan.FromMilliseconds(750);

    private static readonly StunSchedule OverUdp = new() { MaxRto = TimeSpan.FromSeconds(1), FinalWaitFactor = 3 };
    private static readonly StunSchedule OverConnection = new() { MaxSends = 1, FinalWaitFactor = 14 };

    private Instant _heardAt;
    private Instant? _askedAt;
    private TimeSpan _patience = Patience;

    /// <summary>When to ask next; null while an answer is awaited.</summary>
    public Instant? Due => _askedAt is null ? _heardAt + _patience : null;

    /// <summary>When the server will be in doubt; null while nothing is asked, or something came since.</summary>
    public Instant? DoubtAt => !IsDoubted && _heardAt <= _askedAt ? _askedAt + DoubtTime : null;

    /// <summary>Whether a question has gone without an answer for <see cref="DoubtTime"/>, and nothing came since.</summary>
    public bool IsDoubted { get; private set; }

    /// <summary>Seven sends in 5.5 s, or one over a connection; given up after 7 s. The path was alive a moment ago.</summary>
    public static StunSchedule ScheduleFor(TransportProtocol transport) => transport.IsReliable ? OverConnection : OverUdp;

    public void Reset(Instant now) => (_heardAt, _askedAt, _patience, IsDoubted) = (now, null, Patience, false);

    public void HandlePacket(Instant now) => (_heardAt, _patience, IsDoubted) = (now, Patience, false);

    public void HandleAsked(Instant now) => _askedAt = now;

    public void HandleAnswer(Instant now)
    {
        if (_askedAt is not null) _patience = _patience * 2 < bound ? _patience * 2 : bound;
        (_heardAt, _askedAt, IsDoubted) = (now, null, false);
    }

    public void HandleDoubt() => IsDoubted = true;

    /// <summary>The question was not answered; true where nothing else came since.</summary>
    public bool HandleSilence()
    {
        var isDead = _heardAt <= _askedAt;
        (_askedAt, IsDoubted) = (null, false);
        return isDead;
    }
}
