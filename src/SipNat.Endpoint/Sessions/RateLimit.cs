using SipNat.Wire;

namespace SipNat.Endpoint.Sessions;

/// <summary>
/// Twenty a second. Of requests in one dialog no client needs more, and each one takes a transaction that other dialogs
/// need; of sessions that end for want of ports more would only fill the catalogue.
/// </summary>
internal sealed class RateLimit
{
    public const int PerSecond = 20;

    private static readonly TimeSpan Window = TimeSpan.FromSeconds(1);

    private Instant _windowEnds;
    private int _taken;

    public bool TryTake(Instant now)
    {
        if (now >= _windowEnds) (_windowEnds, _taken) = (now + Window, 0);
        return ++_taken <= PerSecond;
    }
}
