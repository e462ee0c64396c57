using SipNat.Wire;

namespace SipNat.Endpoint.Dns;

/// <summary>
/// Servers that failed lately (RFC 3263 §4.3): a transport error, no answer in time, or a 503. Others are tried before
/// them, for as long as they were named or may be in trouble; one memory serves everybody who asks for servers.
/// </summary>
public sealed class FailedServers
{
    /// <summary>Servers that are remembered; the one that is over first makes room.</summary>
    public const int MaxServers = 1024;

    /// <summary>How long a server stands behind the others where it does not say so itself: as long as a restart takes, and not a day.</summary>
    public static readonly TimeSpan Avoidance = TimeSpan.FromMinutes(5);

    /// <summary>A longer Retry-After is not believed: who is forgotten by a mistake of his would be forgotten for good.</summary>
    public static readonly TimeSpan LongestAvoidance = TimeSpan.FromHours(1);

    private readonly Dictionary<LocatedServer, Instant> _until = [];

    /// <summary>Remembers a failure.</summary>
    /// <param name="retryAfter">What a 503 asked for (RFC 3261 §20.33); null where it did not.</param>
    public void Add(Instant now, LocatedServer server, TimeSpan? retryAfter = null)
    {
        var span = retryAfter is not { } asked ? Avoidance : asked < LongestAvoidance ? asked : LongestAvoidance;
        var key = KeyOf(server);
        if (_until.Count == MaxServers && !_until.ContainsKey(key)) _until.Remove(_until.MinBy(static entry => (entry.Value, entry.Key.Address.ToString())).Key);
        _until[key] = now + span;
    }

    /// <summary>The server has answered.</summary>
    public void Remove(LocatedServer server) => _until.Remove(KeyOf(server));

    /// <summary>
    /// The servers in their order, those that failed behind the others, the one that is over first before the rest: where
    /// all have failed, they are tried all the same.
    /// </summary>
    /// <param name="serverOf">What each of them is.</param>
    public IReadOnlyList<T> Order<T>(Instant now, IReadOnlyList<T> servers, Func<T, LocatedServer> serverOf) =>
        [.. servers.OrderBy(server => _until.TryGetValue(KeyOf(serverOf(server)), out var until) && until > now ? until : new(long.MinValue))];

    // Another name on its certificate does not make it another server.
    private static LocatedServer KeyOf(LocatedServer server) => server with { TlsName = null };
}
