using SipNat.Wire;

namespace SipNat.Traversal.Ice;

/// <summary>
/// Bounds the new checks towards each address that the peer named and that has not proved itself: a description with many
/// candidates of one victim must not become an attack on it (RFC 8445 §19.5.1).
/// </summary>
internal sealed class CheckBudget(int perSecond)
{
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(1);

    // By the address without its port. Its size is bounded by the candidates that are kept.
    private readonly Dictionary<TransportAddress, (Instant Since, int Count)> _spent = [];
    private readonly HashSet<TransportAddress> _proven = [];

    public bool TryTake(Instant now, TransportAddress remote)
    {
        var address = remote.WithPort(0);
        if (_proven.Contains(address)) return true;

        var (since, count) = _spent.TryGetValue(address, out var spent) && now - spent.Since < Window ? spent : (now, 0);
        if (count >= perSecond) return false;

        _spent[address] = (since, count + 1);
        return true;
    }

    /// <summary>The address has answered a check with the peer's password.</summary>
    public void Prove(TransportAddress remote) => _proven.Add(remote.WithPort(0));

    public void Clear()
    {
        _spent.Clear();
        _proven.Clear();
    }
}
