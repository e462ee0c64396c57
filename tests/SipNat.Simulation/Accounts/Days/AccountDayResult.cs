using System.Text;

namespace SipNat.Simulation.Accounts.Days;

/// <summary>What became of a day.</summary>
public sealed record AccountDayResult
{
    /// <summary>Of the time that the network allowed, the share in which accounts were registered and calls arrived: the promise.</summary>
    public const double LeastReachable = 0.999;

    public required AccountDay Day { get; init; }

    /// <summary>Calls that had to arrive.</summary>
    public required int Expected { get; init; }

    /// <summary>Those of them that did not, or whose account did not count as registered.</summary>
    public required int Missed { get; init; }

    /// <summary>The first of these, for people.</summary>
    public required IReadOnlyList<string> Misses { get; init; }

    /// <summary>REGISTER requests with a Contact that arrived, by hour of the day.</summary>
    public required IReadOnlyList<int> Registers { get; init; }

    /// <summary>The same without a Contact: questions for the bindings.</summary>
    public required int Fetches { get; init; }

    /// <summary>Packets that the machine has sent.</summary>
    public required long Packets { get; init; }

    /// <summary>Transactions that were left a minute after all accounts had been unregistered.</summary>
    public required int TransactionsLeft { get; init; }

    /// <summary>Buffers that were rented and not released.</summary>
    public required bool IsRented { get; init; }

    public double Reachable => Expected == 0 ? 1 : 1 - ((double)Missed / Expected);

    /// <summary>Hours in which more was registered than leases, challenges and faults explain.</summary>
    public IReadOnlyList<int> LoopingHours => [.. Enumerable.Range(0, Registers.Count).Where(hour => Registers[hour] > MostRegisters(hour))];

    public bool IsRight => Reachable >= LeastReachable && LoopingHours.Count == 0 && TransactionsLeft == 0 && !IsRented;

    public string Describe()
    {
        var text = new StringBuilder();
        text.AppendLine(FormattableString.Invariant($"{(IsRight ? "right" : "WRONG")} {Day.Describe()}: {Missed} of {Expected} calls missed, {Registers.Sum()} REGISTERs (most in an hour {Registers.Max()}), {Fetches} fetches, {Packets} packets, {TransactionsLeft} transactions left{(IsRented ? ", buffers left" : "")}"));
        if (IsRight) return text.ToString();

        foreach (var hour in LoopingHours) text.AppendLine(FormattableString.Invariant($"  hour {hour}: {Registers[hour]} REGISTERs, at most {MostRegisters(hour)} were expected"));
        foreach (var miss in Misses) text.AppendLine(FormattableString.Invariant($"  {miss}"));
        foreach (var fault in Day.Faults) text.AppendLine(FormattableString.Invariant($"  {fault.At:hh\\:mm\\:ss}–{fault.Ends:hh\\:mm\\:ss} {fault.Kind} {fault.Registrar} {(fault.Kind is AccountFaultKind.RegistrarBusy ? $"retry {fault.RetryAfter.TotalSeconds:F0}" : "")}{(fault.IsNoticed ? " noticed" : "")}"));
        return text.ToString();
    }

    // A refresh within 81–90 % of the lease, each with a challenge at worst; for every fault a registration at each registrar
    // with its challenge and its second Contact, a few times over where messages are lost or a server has to be found.
    private int MostRegisters(int hour)
    {
        const int ForEachFault = 16;
        // A busy registrar that asks for a few seconds is asked three times a minute, where there is no other one.
        const int WhileBusy = 180;
        var (from, until) = (TimeSpan.FromHours(hour) - TimeSpan.FromMinutes(5), TimeSpan.FromHours(hour + 1));
        var faults = Day.Faults.Count(fault => fault.At < until && (fault.Ends + fault.RetryAfter) > from);
        var isBusy = Day.Faults.Any(fault => fault.Kind is AccountFaultKind.RegistrarBusy && fault.At < until && (fault.Ends + fault.RetryAfter) > from);
        var refreshes = (int)Math.Ceiling(TimeSpan.FromHours(1) / (Day.Lease * 0.8));
        return Day.Accounts * Day.Flows * ((2 * refreshes) + (ForEachFault * (1 + faults)) + (isBusy ? WhileBusy : 0));
    }
}
