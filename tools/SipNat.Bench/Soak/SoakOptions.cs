namespace SipNat.Bench.Soak;

/// <summary>What a soak does.</summary>
public sealed record SoakOptions
{
    /// <summary>Sessions that are up at one time, on average.</summary>
    public int Sessions { get; init; } = 500;

    /// <summary>How long sessions are begun; what runs then is still ended and looked at.</summary>
    public TimeSpan Duration { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Of a hundred sessions, how many are broken off: no packet more, no BYE, no answer.</summary>
    public int BrokenPercent { get; init; } = 5;

    /// <summary>What lengths, arrivals and breaks are drawn from.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>The core that the recorder is held to; null for all of them.</summary>
    public int? Core { get; init; }

    /// <summary>Settings of the recorder, each <c>KEY=VALUE</c>.</summary>
    public IReadOnlyList<string> Settings { get; init; } = [];

    /// <summary>Whether the log of the recorder is kept, with the recordings that are left.</summary>
    public bool Keep { get; init; }
}
