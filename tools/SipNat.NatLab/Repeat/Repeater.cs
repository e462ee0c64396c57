using System.Collections.Concurrent;
using System.Text.Json;
using SipNat.NatLab.Processes;
using SipNat.NatLab.Servers;

namespace SipNat.NatLab.Repeat;

/// <summary>Runs <c>sipnat nat</c> again and again, each time in a laboratory of its own, several at the same time.</summary>
/// <param name="program">The built <c>sipnat.dll</c>.</param>
/// <param name="loss">Packets in a hundred that are lost on their way to a host.</param>
internal sealed class Repeater(string program, int loss)
{
    private static readonly TimeSpan Grace = TimeSpan.FromMinutes(3);

    /// <param name="cases">What is measured.</param>
    /// <param name="runs">How often each.</param>
    /// <param name="jobs">Laboratories at the same time.</param>
    /// <param name="tell">Told of each run when it is over.</param>
    public async Task<IReadOnlyList<RepeatRun>> RunAsync(IReadOnlyList<RepeatCase> cases, int runs, int jobs, Action<RepeatRun> tell, CancellationToken stop)
    {
        var waiting = new ConcurrentQueue<(RepeatCase Case, int Run)>(
            cases.OrderByDescending(one => one.Duration).SelectMany(one => Enumerable.Range(1, runs).Select(run => (one, run))));
        var done = new ConcurrentBag<RepeatRun>();
        await Task.WhenAll(Enumerable.Range(0, jobs).Select(_ => WorkAsync()));
        return [.. done.OrderBy(run => run.Number)];

        async Task WorkAsync()
        {
            while (waiting.TryDequeue(out var next))
            {
                var run = await RunAsync(next.Case, next.Run, stop);
                done.Add(run);
                tell(run);
            }
        }
    }

    private async Task<RepeatRun> RunAsync(RepeatCase one, int number, CancellationToken stop)
    {
        try
        {
            await using var lab = await NatLaboratory.CreateAsync(one.Topology with { LossPercent = loss }, stop);
            await using var stun = await CoturnServer.StartAsync(lab, stop);
            await using var sip = one.HasSip ? await KamailioServer.StartAsync(lab, stop) : null;
            await using var nat = lab.Host(LabNetwork.LeftHost).Start(
                LabRequirements.Find("dotnet") ?? "dotnet",
                [program, "nat", "--stun", CoturnServer.Address, "--stun", CoturnServer.OtherAddress, "--json", .. one.Arguments]);
            await nat.WaitForExitAsync(one.Duration + Grace, stop);
            if (nat.Output.Length == 0) throw nat.Failure("gave no report");

            using var report = JsonDocument.Parse(nat.Output);
            var (outcome, objections) = one.Judge(report.RootElement);
            return new(one, number, outcome, string.Join("; ", objections), nat.Output.Trim());
        }
        catch (Exception failure) when (failure is LabException or JsonException)
        {
            return new(one, number, RepeatOutcome.Failed, failure.Message, "");
        }
    }
}

/// <summary>One run.</summary>
/// <param name="Objection">What was not right, in words; empty where all was.</param>
/// <param name="Report">What the program printed.</param>
internal sealed record RepeatRun(RepeatCase Case, int Number, RepeatOutcome Outcome, string Objection, string Report);
