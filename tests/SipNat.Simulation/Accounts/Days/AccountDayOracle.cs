namespace SipNat.Simulation.Accounts.Days;

/// <summary>
/// When a call has to arrive on a day, from its faults alone: where the machine has had the internet, and one registrar
/// that the DNS names has stood ready, for <see cref="Grace"/> without anything happening meanwhile. Where accounts have a
/// flow with each registrar, what happens to one of them is of no matter.
/// </summary>
public sealed class AccountDayOracle
{
    /// <summary>How long whoever lost its way may take to be found again: a keepalive interval (25 s), the wait for its answer, and a registration.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromSeconds(35);

    /// <summary>How long a flow may take to be with a registrar again that was not to be used: its turn comes when the DNS names it, or it answers a question.</summary>
    public static readonly TimeSpan Return = TimeSpan.FromMinutes(5);

    /// <summary>How long a record of the DNS lives.</summary>
    public static readonly TimeSpan DnsLifetime = TimeSpan.FromSeconds(60);

    // It is asked again up to a tenth later than that.
    private static readonly TimeSpan DnsSlack = TimeSpan.FromSeconds(6);

    // The shell's own limit for a question that nobody answers.
    private static readonly TimeSpan DnsLimit = TimeSpan.FromSeconds(16);

    private readonly bool _hasFlows;
    private readonly List<(TimeSpan From, TimeSpan Until)> _cutOff = [];
    private readonly List<(TimeSpan From, TimeSpan Until)> _forgotten = [];
    private readonly List<(TimeSpan From, TimeSpan Until)>[] _unusable = [[], []];
    private readonly List<(TimeSpan From, TimeSpan Until)>[] _restarted = [[], []];

    public AccountDayOracle(AccountDay day)
    {
        // The first registration has the same time.
        _cutOff.Add((TimeSpan.Zero, TimeSpan.Zero));
        _hasFlows = day is { IsOutbound: true, Flows: > 1 };
        foreach (var fault in day.Faults) Add(day, fault);
    }

    /// <summary>Whether a call that begins then has to arrive.</summary>
    public bool HasToArrive(TimeSpan at) =>
        (!_cutOff.Exists(span => Touches(span, at, Grace)) && !_forgotten.Exists(span => Touches(span, at, Grace)) && Array.Exists(_unusable, spans => !spans.Exists(span => Touches(span, at, Grace))))
        || (_hasFlows && !_cutOff.Exists(span => Touches(span, at, Return)) && (IsLeftAlone(0, at) || IsLeftAlone(1, at)));

    private bool IsLeftAlone(int registrar, TimeSpan at) =>
        !_unusable[registrar].Exists(span => Touches(span, at, Return)) && !_restarted[registrar].Exists(span => Touches(span, at, Return));

    private void Add(AccountDay day, AccountFault fault)
    {
        switch (fault.Kind)
        {
            case AccountFaultKind.Outage or AccountFaultKind.RouterReboot or AccountFaultKind.Renumbered or AccountFaultKind.Suspend:
                _cutOff.Add((fault.At, fault.Ends));
                break;
            case AccountFaultKind.RegistrarRestart:
                _forgotten.Add((fault.At, fault.Ends));
                _restarted[fault.Registrar].Add((fault.At, fault.Ends));
                break;
            case AccountFaultKind.RegistrarDead:
                // Who was there has to move, and who could have moved there has to go elsewhere.
                _forgotten.Add((fault.At, fault.At));
                _unusable[fault.Registrar].Add((fault.At, fault.Ends));
                break;
            case AccountFaultKind.RegistrarBusy:
                // It is obeyed for as long as it asked for at last.
                _unusable[fault.Registrar].Add((fault.At, fault.Ends + fault.RetryAfter));
                break;
            case AccountFaultKind.DnsNamesOne:
                _unusable[1 - fault.Registrar].Add((fault.At, HeardAfter(day, fault.Ends) + DnsLifetime + DnsSlack));
                break;
        }
    }

    // What the DNS says is heard when it answers.
    private static TimeSpan HeardAfter(AccountDay day, TimeSpan at)
    {
        foreach (var fault in day.Faults.Where(static fault => fault.Kind is AccountFaultKind.DnsSilent or AccountFaultKind.DnsEmpty).OrderBy(static fault => fault.At))
        {
            if (fault.At - DnsLimit <= at && at <= fault.Ends) at = fault.Ends + DnsLimit;
        }

        return at;
    }

    private static bool Touches((TimeSpan From, TimeSpan Until) span, TimeSpan at, TimeSpan slack) => span.From <= at && at <= span.Until + slack;
}
