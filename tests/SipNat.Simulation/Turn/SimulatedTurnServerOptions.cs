namespace SipNat.Simulation.Turn;

/// <summary>How a simulated TURN server behaves.</summary>
public sealed record SimulatedTurnServerOptions
{
    public string Realm { get; init; } = "example.org";

    public string Username { get; init; } = "user";

    public string Password { get; init; } = "password";

    /// <summary>Whether it speaks RFC 8489: a nonce cookie, PASSWORD-ALGORITHMS with SHA-256 first, MESSAGE-INTEGRITY-SHA256.</summary>
    public bool UsesSha256 { get; init; }

    /// <summary>Whether it wants USERHASH in place of USERNAME; with <see cref="UsesSha256"/> only.</summary>
    public bool HidesUsernames { get; init; }

    /// <summary>Whether somebody on the way takes PASSWORD-ALGORITHMS out of its challenges.</summary>
    public bool StripsAlgorithms { get; init; }

    public TimeSpan NonceLifetime { get; init; } = TimeSpan.FromHours(24);

    /// <summary>What it grants, whatever is asked for.</summary>
    public TimeSpan Lifetime { get; init; } = TimeSpan.FromSeconds(600);
}
