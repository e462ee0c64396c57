using SipNat.Wire;

namespace SipNat.Sip.Transactions;

public sealed record TransactionOptions
{
    public SipTimers Timers { get; init; } = new();

    /// <summary>
    /// Whether a UDP request without <c>rport</c> is answered at its source where its Via names a private address, or a
    /// name, that is not its source: the sender is behind a NAT and does not know of it.
    /// </summary>
    public bool ForceRport { get; init; } = true;

    /// <summary>An INVITE that is not answered by then gets 100 (RFC 3261 §17.2.1); null for never.</summary>
    public TimeSpan? TryingAfter { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>Transactions alive at once, client and server; above it requests get 503, without state.</summary>
    public int MaxTransactions { get; init; } = 20_000;

    /// <summary>
    /// So many more for requests inside dialogs: what runs can be ended and refreshed while what would begin is refused.
    /// </summary>
    public int ReservedForDialogs { get; init; } = 5_000;

    /// <summary>
    /// Where requests are expected from; everybody else is a stranger. Null where the two numbers below limit nobody.
    /// </summary>
    public IReadOnlyList<NetworkPrefix>? KnownNetworks { get; init; }

    /// <summary>Messages in a second of one source in these networks that are answered without state; the rest is dropped.</summary>
    public int AnswersPerSecond { get; init; } = 2_000;

    /// <summary>The same for one stranger.</summary>
    public int StrangerAnswersPerSecond { get; init; } = 5;

    /// <summary>What that 503 and a 500 of ours ask the peer to wait; whole seconds.</summary>
    public TimeSpan RetryAfter { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Server and User-Agent of our messages; null for none.</summary>
    public string? Product { get; init; }
}
