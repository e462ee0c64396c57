using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using SipNat.Simulation.Accounts.Days;

namespace SipNat.NatLab.Commands;

/// <summary><c>simulate-accounts</c>: days of accounts behind routers, drawn at random, on the simulated internet, against an oracle.</summary>
internal static class SimulateAccountsCommand
{
    private const int MaxJobs = 256;
    private static readonly TimeSpan ReportInterval = TimeSpan.FromSeconds(10);

    private static readonly Option<int> From = new("--from") { Description = "the first seed", DefaultValueFactory = _ => 1 };
    private static readonly Option<int> Count = new("--count") { Description = "how many days", DefaultValueFactory = _ => 200 };
    private static readonly Option<int> Jobs = new("--jobs") { Description = "threads", DefaultValueFactory = _ => 1 };
    private static readonly Option<bool> Show = new("--show") { Description = "print each day, and not only those that went wrong" };

    public static Command Create()
    {
        var command = new Command("simulate-accounts", "Keeps accounts registered for random simulated days. Exit code 1: on one of them calls did not arrive as the oracle says.") { From, Count, Jobs, Show };
        command.SetAction((parsed, stop) => Task.FromResult(Run(parsed, stop)));
        return command;
    }

    private static int Run(ParseResult parsed, CancellationToken stop)
    {
        var (from, count, jobs) = (parsed.GetValue(From), parsed.GetValue(Count), parsed.GetValue(Jobs));
        if (count < 1 || jobs is < 1 or > MaxJobs || from < 0 || from > int.MaxValue - count)
        {
            Console.Error.WriteLine($"--count is at least 1, --jobs 1 to {MaxJobs}, and --from and the last seed are 0 to {int.MaxValue}.");
            return 2;
        }

        var sum = new Sum(parsed.GetValue(Show));
        var watch = Stopwatch.StartNew();
        using var progress = new Timer(_ => Console.Error.WriteLine($"{sum.Days} of {count}, {sum.Wrong} wrong, {watch.Elapsed.TotalSeconds:F0} s"), null, ReportInterval, ReportInterval);
        try
        {
            Parallel.For(from, from + count, new() { MaxDegreeOfParallelism = jobs, CancellationToken = stop }, seed => sum.Add(AccountDayRun.Run(AccountDayDraw.Draw(seed))));
        }
        catch (OperationCanceledException)
        {
            Console.Out.WriteLine("Interrupted.");
        }

        sum.Print(from, watch.Elapsed);
        return sum.Wrong == 0 && sum.Days == count ? 0 : 1;
    }

    /// <summary>What many days came to; the wrong ones are printed as they come.</summary>
    private sealed class Sum(bool showsAll)
    {
        private readonly Lock _gate = new();
        private long _expected;
        private long _missed;
        private long _registers;
        private long _fetches;
        private AccountDayResult? _worst;

        public int Days { get; private set; }

        public int Wrong { get; private set; }

        public void Add(AccountDayResult result)
        {
            lock (_gate)
            {
                Days++;
                if (!result.IsRight) Wrong++;
                _expected += result.Expected;
                _missed += result.Missed;
                _registers += result.Registers.Sum();
                _fetches += result.Fetches;
                if (_worst is null || result.Reachable < _worst.Reachable) _worst = result;
                if (showsAll || !result.IsRight) Console.Out.Write(result.Describe());
            }
        }

        public void Print(int from, TimeSpan elapsed)
        {
            lock (_gate)
            {
                FormattableString[] lines =
                [
                    $"{Days} days from seed {from}: {Days - Wrong} right, {Wrong} wrong, in {elapsed.TotalSeconds:F1} s.",
                    $"{_expected} calls had to arrive, {_missed} did not ({(_expected == 0 ? 0 : 100.0 * _missed / _expected):F4} %); the worst day had {100 * (_worst?.Reachable ?? 1):F3} % (seed {_worst?.Day.Seed ?? 0}).",
                    $"{_registers} registrations and {_fetches} questions for the bindings.",
                ];
                foreach (var line in lines) Console.Out.WriteLine(line.ToString(CultureInfo.InvariantCulture));
            }
        }
    }
}
