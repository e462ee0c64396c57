using SipNat.Wire;

namespace SipNat.Sip.Transactions;

/// <summary>One of the timers A, E and G: an interval that doubles up to a longest one. <c>default</c> never fires.</summary>
internal record struct Retransmission
{
    private TimeSpan _interval;
    private TimeSpan _longest;

    /// <summary>Null while stopped.</summary>
    public Instant? Due { get; private set; }

    public static Retransmission Start(Instant now, TimeSpan first, TimeSpan longest) =>
        new() { _interval = first, _longest = longest, Due = now + first };

    /// <summary>Whether it fires, once however late; the next time counts from when it was due, not from when it ran.</summary>
    public bool TakeDue(Instant now)
    {
        if (Due is not { } due || due > now) return false;

        _interval = _interval * 2 < _longest ? _interval * 2 : _longest;
        Due = due + _interval > now ? due + _interval : now + _interval;
        return true;
    }

    /// <summary>From its next firing on the longest interval holds (RFC 3261 §17.1.2.2, Proceeding).</summary>
    public void SlowDown() => _interval = _longest;
}
