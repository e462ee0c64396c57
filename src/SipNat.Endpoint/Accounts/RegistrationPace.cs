namespace SipNat.Endpoint.Accounts;

/// <summary>When registrations are refreshed and tried again.</summary>
internal static class RegistrationPace
{
    /// <summary>While no registrar answers at all, one is asked so often whether it is there.</summary>
    public static readonly TimeSpan ProbeInterval = TimeSpan.FromSeconds(5);

    /// <summary>How long a registrar may take to answer before the next one is tried; timer F alone would be 32 s.</summary>
    public static readonly TimeSpan TargetPatience = TimeSpan.FromSeconds(6);

    /// <summary>A question for the DNS that was not answered in so long is asked again.</summary>
    public static readonly TimeSpan LocatePatience = TimeSpan.FromSeconds(30);

    /// <summary>The same where an earlier answer is known, which serves then.</summary>
    public static readonly TimeSpan StalePatience = TimeSpan.FromSeconds(2);

    /// <summary>Records of the DNS that live for less are asked for again so often, and where it did not answer.</summary>
    public static readonly TimeSpan ShortestLocation = TimeSpan.FromMinutes(1);

    /// <summary>Records that live for longer are asked for again after so long.</summary>
    public static readonly TimeSpan LongestLocation = TimeSpan.FromDays(1);

    /// <summary>
    /// How long the answer to a keepalive may take before the flow counts as dead: it is sent four times until then (RFC 3261
    /// timer E). With <see cref="AnswerInterval"/> and a registration it is less than the 35 s after which calls arrive again.
    /// </summary>
    public static readonly TimeSpan KeepalivePatience = TimeSpan.FromSeconds(6);

    /// <summary>An answer that shows how we are seen, and that we are known, has to come so often: CRLF over UDP brings none.</summary>
    public static readonly TimeSpan AnswerInterval = TimeSpan.FromSeconds(25);

    /// <summary>Longest time that a registrar may have us wait with Retry-After.</summary>
    public static readonly TimeSpan LongestRetryAfter = TimeSpan.FromHours(1);

    // RFC 5626 §4.5: base-time where all flows have failed, where one stands, and max-time.
    private static readonly TimeSpan Base = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan BaseBesideAnother = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(30);
    private static readonly TimeSpan Margin = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan FirstAsymmetric = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan ShortestRetry = TimeSpan.FromSeconds(20);
    private const int MostDoublings = 10;
    private const double MostOfFirst = 0.5;
    private const double MostOfLater = 0.1;

    /// <summary>When a lease is refreshed: at 90 % of it, or 5 s before its end, whichever is sooner, and up to a tenth sooner than that, so that many do not come at once.</summary>
    /// <param name="isFirst">Up to half sooner: accounts that began within seconds of each other are spread over the lease.</param>
    public static TimeSpan Refresh(TimeSpan lease, bool isFirst, Random random)
    {
        var latest = lease * 0.9 < lease - Margin ? lease * 0.9 : lease - Margin;
        // Leases of a few seconds leave no room for a margin.
        if (latest < lease * 0.5) latest = lease * 0.5;
        return latest * (1 - ((isFirst ? MostOfFirst : MostOfLater) * random.NextDouble()));
    }

    /// <summary>The wait after a number of failures in a row, drawn from 50–100 % of what RFC 5626 §4.5 says.</summary>
    /// <param name="hasAnother">Whether another flow of the account is registered.</param>
    public static TimeSpan BackOff(int failures, bool hasAnother, Random random)
    {
        var wait = (hasAnother ? BaseBesideAnother : Base) * Math.Pow(2, Math.Min(failures, MostDoublings) - 1);
        return (wait < Longest ? wait : Longest) * (0.5 + (0.5 * random.NextDouble()));
    }

    /// <summary>The wait that a busy server asked for, or a little more: some ask for a second, or for none, again and again.</summary>
    public static TimeSpan Retry(TimeSpan asked, Random random)
    {
        var least = ShortestRetry * (1 + (0.5 * random.NextDouble()));
        return asked > least ? asked : least;
    }

    /// <summary>The wait before a Contact follows again what was seen, after so many answers in a row that each saw us elsewhere.</summary>
    public static TimeSpan Asymmetric(int answers) => FirstAsymmetric * Math.Pow(4, Math.Min(answers, MostDoublings));

    /// <summary>The time to the next keepalive: 80–100 % of the bound, never later (RFC 5626 §4.4.1).</summary>
    public static TimeSpan Keepalive(TimeSpan bound, Random random) => bound * (0.8 + (0.2 * random.NextDouble()));
}
