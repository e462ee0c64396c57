using SipNat.Wire;

namespace SipNat.Simulation.Accounts.Days;

/// <summary>Draws a day from a seed: the same one gives the same day.</summary>
public static class AccountDayDraw
{
    private const int MostAccounts = 3;
    private const int FewestFaults = 8;
    private const int MostFaults = 30;
    private const double MostLoss = 0.03;
    private const int ShortestKeep = 5;
    private const int LongestKeep = 60;

    private static readonly TimeSpan Reboot = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan[] Leases = [TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(30), TimeSpan.FromHours(1)];
    private static readonly TimeSpan[] Nonces = [TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(32), TimeSpan.FromMinutes(5), TimeSpan.FromHours(1)];

    public static AccountDay Draw(int seed)
    {
        var random = new Random(seed);
        var flows = new Random(~seed);
        var day = new AccountDay
        {
            Seed = seed,
            Nat = DrawNat(random),
            Transport = random.Next(5) == 0 ? TransportProtocol.Tcp : TransportProtocol.Udp,
            Accounts = random.Next(3) > 0 ? 1 : 1 + random.Next(MostAccounts),
            Flows = 1 + flows.Next(2),
            IsOutbound = flows.Next(3) > 0,
            Keep = flows.Next(3) == 0 ? flows.Next(ShortestKeep, LongestKeep + 1) : null,
            FixesNat = random.Next(2) == 0,
            Lease = Leases[random.Next(Leases.Length)],
            NonceLifetime = Nonces[random.Next(Nonces.Length)],
            Loss = random.Next(2) == 0 ? 0 : random.NextDouble() * MostLoss,
            Faults = [],
        };
        var faults = Enumerable.Range(0, random.Next(FewestFaults, MostFaults + 1)).Select(_ => DrawFault(random, day.Length)).OrderBy(static fault => fault.At);
        return day with { Faults = [.. faults] };
    }

    private static NatOptions DrawNat(Random random)
    {
        NatOptions[] kinds = [NatOptions.FullCone, NatOptions.AddressRestricted, NatOptions.PortRestricted, NatOptions.Symmetric];
        SipAlgKind[] gateways = [SipAlgKind.BothWays, SipAlgKind.OneWay];
        return kinds[random.Next(kinds.Length)] with
        {
            PortAssignment = random.Next(2) == 0 ? PortAssignment.Random : PortAssignment.Preserve,
            FreshLifetime = TimeSpan.FromSeconds(30),
            EstablishedLifetime = TimeSpan.FromSeconds(random.Next(2) == 0 ? 30 : 120),
            SipAlg = random.Next(5) == 0 ? gateways[random.Next(gateways.Length)] : SipAlgKind.None,
        };
    }

    private static AccountFault DrawFault(Random random, TimeSpan length)
    {
        var kinds = Enum.GetValues<AccountFaultKind>();
        var kind = kinds[random.Next(kinds.Length)];
        var lasts = kind switch
        {
            AccountFaultKind.Outage => Between(random, TimeSpan.FromSeconds(1), TimeSpan.FromHours(4)),
            AccountFaultKind.RouterReboot => Reboot,
            AccountFaultKind.Renumbered => TimeSpan.Zero,
            AccountFaultKind.Suspend => Between(random, TimeSpan.FromSeconds(10), TimeSpan.FromHours(4)),
            AccountFaultKind.RegistrarRestart => Between(random, TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(10)),
            AccountFaultKind.RegistrarDead => Between(random, TimeSpan.FromMinutes(1), TimeSpan.FromHours(6)),
            _ => Between(random, TimeSpan.FromSeconds(30), TimeSpan.FromHours(1)),
        };
        return new(kind, length * random.NextDouble(), lasts, random.Next(2))
        {
            RetryAfter = Between(random, TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(10)),
            IsNoticed = random.Next(2) == 0,
        };
    }

    // As many short ones as long ones.
    private static TimeSpan Between(Random random, TimeSpan least, TimeSpan most) => least * Math.Pow(most / least, random.NextDouble());
}
