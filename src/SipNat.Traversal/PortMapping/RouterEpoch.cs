using SipNat.Wire;

namespace SipNat.Traversal.PortMapping;

/// <summary>
/// The router's seconds since it lost or began its table of mappings. A value that does not fit to our own clock means
/// that the table is gone.
/// </summary>
internal sealed class RouterEpoch(Func<TimeSpan, TimeSpan, TimeSpan, bool> fits)
{
    private Instant _at;
    private TimeSpan? _seconds;

    /// <summary>
    /// RFC 6887 §8.5: the router's clock may have gone back by a second, and may run faster or slower than ours by a
    /// sixteenth and two seconds.
    /// </summary>
    public static RouterEpoch Pcp() => new(static (previous, current, passed) =>
    {
        if (current + TimeSpan.FromSeconds(1) < previous) return false;

        var counted = current - previous;
        return passed + TimeSpan.FromSeconds(2) >= counted - (counted / 16)
            && counted + TimeSpan.FromSeconds(2) >= passed - (passed / 16);
    });

    /// <summary>RFC 6886 §3.6: not behind what was expected, by a clock that runs at 7/8 of ours, by more than two seconds.</summary>
    public static RouterEpoch NatPmp() => new(static (previous, current, passed) =>
        current + TimeSpan.FromSeconds(2) >= previous + (passed * 7 / 8));

    /// <summary>Takes the value of an answer; false where the router has lost its table since the one before.</summary>
    public bool Accept(Instant now, uint seconds)
    {
        var current = TimeSpan.FromSeconds(seconds);
        var isContinued = _seconds is not { } previous || fits(previous, current, now - _at);
        (_at, _seconds) = (now, current);
        return isContinued;
    }
}
