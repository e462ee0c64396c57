using SipNat.Traversal.Stun;
using SipNat.Wire;

namespace SipNat.Traversal.Turn;

/// <summary>
/// When a server was last heard, and when to ask whether it and the allocation are still there: after two seconds
/// without a packet where packets came, then after twice as long each time, up to the bound of the keepalive. The
/// question is a Refresh, which a server that has restarted answers with 437. RFC 8656 leaves all of this to the client.
/// </summary>
internal sealed class TurnLiveness(TimeSpan bound)
{
    /// <summary>Silence after a packet that is worth a question.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private static readonly StunSchedule OverUdp = new() { MaxRto = TimeSpan.FromSeconds(1), FinalWaitFactor = 3 };
    private static readonly StunSchedule OverConnection = new() { MaxSends = 1, FinalWaitFactor = 14 };

    private Instant _heardAt;
    private Instant? _askedAt;
    private TimeSpan _patience = Patience;

    /// <summary>When to ask next; null while an answer is awaited.</summary>
    public Instant? Due => _askedAt is null ? _heardAt + _patience : null;

    /// <summary>Seven sends in 5.5 s, or one over a connection; given up after 7 s. The path was alive a moment ago.</summary>
    public static StunSchedule ScheduleFor(TransportProtocol transport) => transport.IsReliable ? OverConnection : OverUdp;

    public void Reset(Instant now) => (_heardAt, _askedAt, _patience) = (now, null, Patience);

    public void HandlePacket(Instant now) => (_heardAt, _patience) = (now, Patience);

    public void HandleAsked(Instant now) => _askedAt = now;

    public void HandleAnswer(Instant now)
    {
        if (_askedAt is not null) _patience = _patience * 2 < bound ? _patience * 2 : bound;
        (_heardAt, _askedAt) = (now, null);
    }

    /// <summary>The question was not answered; true where nothing else came since.</summary>
    public bool HandleSilence()
    {
        var isDead = _heardAt <= _askedAt;
        _askedAt = null;
        return isDead;
    }
}
