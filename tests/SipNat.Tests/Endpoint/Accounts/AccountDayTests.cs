using SipNat.Simulation.Accounts.Days;

namespace SipNat.Tests.Endpoint.Accounts;

/// <summary>Whole days of accounts behind routers, with everything that goes wrong on them, against an oracle.</summary>
public sealed class AccountDayTests
{
    // `NatLab simulate-accounts` runs as many more as one likes.
    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 10)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void On_a_day_of_faults_calls_arrive_for_99_9_percent_of_the_time_that_the_network_allows(int seed)
    {
        var result = AccountDayRun.Run(AccountDayDraw.Draw(seed));

        Assert.True(result.IsRight, result.Describe());
        Assert.True(result.Expected > 0, result.Describe());
    }
}
