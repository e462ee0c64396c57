namespace SipNat.Simulation.Accounts.Days;

/// <summary>Something that goes wrong on a day.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="At">When it begins, since the day did.</param>
/// <param name="Lasts">How long; zero where it is over at once.</param>
/// <param name="Registrar">The registrar that it happens to, 0 or 1; the others have no meaning for it.</param>
public sealed record AccountFault(AccountFaultKind Kind, TimeSpan At, TimeSpan Lasts, int Registrar)
{
    /// <summary>What a busy registrar asks for.</summary>
    public TimeSpan RetryAfter { get; init; }

    /// <summary>Whether the machine notices by itself that its network is back, as by a cable that is plugged in.</summary>
    public bool IsNoticed { get; init; }

    public TimeSpan Ends => At + Lasts;
}

/// <summary>What may go wrong.</summary>
public enum AccountFaultKind
{
    /// <summary>Nothing passes between the machine and the internet.</summary>
    Outage,

    /// <summary>The router restarts: nothing passes, its table is empty afterwards, and the port is something else's.</summary>
    RouterReboot,

    /// <summary>The router has another public address.</summary>
    Renumbered,

    /// <summary>The machine sleeps; its monotonic clock stands still.</summary>
    Suspend,

    /// <summary>A registrar does not answer for a moment, and has forgotten everything afterwards.</summary>
    RegistrarRestart,

    /// <summary>A registrar's machine is gone, for minutes or hours, and has forgotten everything when it is back.</summary>
    RegistrarDead,

    /// <summary>A registrar answers REGISTER with 503 and Retry-After; what it knows it keeps.</summary>
    RegistrarBusy,

    /// <summary>The DNS names this registrar alone.</summary>
    DnsNamesOne,

    /// <summary>The DNS names both, in the other order.</summary>
    DnsTurned,

    /// <summary>The DNS does not answer; the system's resolver gives up after some seconds.</summary>
    DnsSilent,

    /// <summary>The DNS says that there is no such name.</summary>
    DnsEmpty,
}
