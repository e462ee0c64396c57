using SipNat.Wire;

namespace SipNat.Endpoint.Dns;

/// <summary>Answers for as long as they hold, and the absence of names too (RFC 2308).</summary>
internal sealed class DnsCache
{
    /// <summary>Questions whose answers are kept.</summary>
    public const int MaxEntries = 1024;

    /// <summary>No answer is kept for longer, whatever the server says.</summary>
    public static readonly TimeSpan MaxLifetime = TimeSpan.FromHours(1);

    /// <summary>The absence of a name is kept for so long at most: it may be about to appear.</summary>
    public static readonly TimeSpan MaxNegativeLifetime = TimeSpan.FromMinutes(5);

    private readonly Dictionary<DnsQuestion, DnsResult> _entries = [];

    public bool TryGet(Instant now, DnsQuestion question, out DnsResult result) =>
        _entries.TryGetValue(question, out result!) && result.ExpiresAt > now;

    public void Add(Instant now, DnsResult result)
    {
        if (result.ExpiresAt <= now) return;

        if (_entries.Count == MaxEntries && !_entries.ContainsKey(result.Question)) _entries.Remove(_entries.MinBy(static entry => entry.Value.ExpiresAt).Key);
        _entries[result.Question] = result;
    }

    public void Clear() => _entries.Clear();
}
