namespace SipNat.Server.Tests.Durability;

public sealed class KillTests
{
    [Fact]
    public async Task Three_recordings_of_a_killed_server_lack_a_second_at_most_and_are_interrupted_after_the_next_start()
    {
        using var round = new KillRound(Repository.ServerProgram, recordings: 3, killAfter: TimeSpan.FromMilliseconds(2300));

        Assert.InRange(await round.RunAsync(TestContext.Current.CancellationToken), -0.1, 1);
    }
}
