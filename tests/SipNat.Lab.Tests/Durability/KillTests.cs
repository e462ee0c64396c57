using System.Globalization;
using SipNat.Lab.Tests.Scene;
using SipNat.Server.Tests.Durability;

namespace SipNat.Lab.Tests.Durability;

[Collection(nameof(Alone))]
public sealed class KillTests
{
    /// <summary>The environment variable that asks for more rounds: 200 take half an hour.</summary>
    public const string RoundsVariable = "SIPNAT_KILL_ROUNDS";

    private const int DefaultRounds = 5;
    private const int Recordings = 10;

    [Fact]
    public async Task Ten_recordings_lack_a_second_at_most_whenever_their_server_is_killed()
    {
        var rounds = int.TryParse(Environment.GetEnvironmentVariable(RoundsVariable), CultureInfo.InvariantCulture, out var asked) ? asked : DefaultRounds;
        var longest = 0.0;
        for (var seed = 1; seed <= rounds; seed++)
        {
            var killAfter = TimeSpan.FromMilliseconds(new Random(seed).Next(2000, 5000));
            using var round = new KillRound(BuiltPrograms.Server, Recordings, killAfter);
            longest = Math.Max(longest, await round.RunAsync(TestContext.Current.CancellationToken));
            TestContext.Current.TestOutputHelper?.WriteLine($"round {seed} of {rounds}: killed after {killAfter.TotalSeconds:F3} s, at most {longest:F3} s missing so far");
        }

        Assert.InRange(longest, 0, 1);
    }
}
