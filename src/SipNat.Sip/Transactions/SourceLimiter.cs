using SipNat.Wire;

namespace SipNat.Sip.Transactions;

/// <summary>
/// So many answers a second for each source address, so that nobody can use us to flood somebody with
/// refusals, nor fill a log. Its memory is bounded: when too many sources are known in one second, the rest shares one
/// budget.
/// </summary>
internal sealed class SourceLimiter(int perSecond)
{
    private const int MaxSources = 4_096;
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(1);

    private readonly Dictionary<TransportAddress, int> _counts = [];
    private Instant _windowEnds;

    public bool TryTake(Instant now, TransportAddress source)
    {
        if (now >= _windowEnds)
        {
            _counts.Clear();
            _windowEnds = now + Window;
        }

        var key = _counts.Count < MaxSources ? source.WithPort(0) : default;
        var count = _counts.GetValueOrDefault(key);
        if (count >= perSecond) return false;

        _counts[key] = count + 1;
        return true;
    }
}
