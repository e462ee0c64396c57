using SipNat.Simulation.Accounts.Days;

namespace SipNat.Tests.Endpoint.Accounts;

/// <summary>Whole days of accounts behind routers, with everything that goes wrong on them, against an oracle.</summary>
public sealed class AccountDayTests
{
    // `NatLab simulate-accounts` runs as many more as one likes.
    // On the day of 1324 copies of a REGISTER that was given up arrived after the next one, with the Contact of before. On that
    // of 1783 a gateway made the binding of before look like the new one, so that its rest was taken for the lease.
    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 10), 1324, 1783];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void On_a_day_of_faults_calls_arrive_for_99_9_percent_of_the_time_that_the_network_allows(int seed)
    {
        var result = AccountDayRun.Run(AccountDayDraw.Draw(seed));

        Assert.True(result.IsRight, result.Describe());
        Assert.True(result.Expected > 0, result.Describe());
    }
}
