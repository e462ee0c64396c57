using SipNat.Wire;

namespace SipNat.Endpoint.Siprec;

/// <summary>So many requests of one dialog each second: no client needs more, and each one takes a transaction that other dialogs need.</summary>
internal sealed class RequestBudget
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
