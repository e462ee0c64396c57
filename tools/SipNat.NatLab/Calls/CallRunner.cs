using System.Collections.Concurrent;
using SipNat.NatLab.Audio;
using SipNat.NatLab.Processes;
using SipNat.NatLab.Servers;
using SipNat.NatLab.Topology;

namespace SipNat.NatLab.Calls;

/// <summary>Puts a client behind each kind of NAT, calls out and in through a provider, and compares what was heard with what was played.</summary>
public sealed class CallRunner(CallRunner.StartClient startClient)
{
    private const string FarUser = "200";
    private const int FarSignal = 2;
    private const int MostAttempts = 2;
    private static readonly TimeSpan Talk = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan SignalLength = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan CaseLimit = TimeSpan.FromSeconds(60);
    private static readonly string[] TurnArguments = ["--no-tls", "--lt-cred-mech", "--user", "lab:lab", "--realm", "lab"];

    /// <summary>Starts the program that is tried, on <c>hostA</c>.</summary>
    public delegate Task<ICallClient> StartClient(NatLaboratory lab, Provider provider, CallCase tried, CancellationToken stop);

    /// <summary>What it needs beside a laboratory.</summary>
    public static IReadOnlyList<string> Programs { get; } = [.. Provider.Programs, BaresipPhone.Program, MediaWatch.Program, CoturnServer.Program];

    /// <param name="jobs">Laboratories at the same time.</param>
    /// <param name="tell">Told of each case when it is over.</param>
    public async Task<IReadOnlyList<CallOutcome>> RunAsync(IReadOnlyList<CallCase> cases, int jobs, Action<CallOutcome> tell, CancellationToken stop)
    {
        var waiting = new ConcurrentQueue<IGrouping<(NatBehaviour, ProviderKind), CallCase>>(cases.GroupBy(tried => (tried.Nat, tried.Provider)));
        var done = new ConcurrentDictionary<CallCase, CallOutcome>();
        await Task.WhenAll(Enumerable.Range(0, jobs).Select(_ => WorkAsync()));
        return [.. cases.Select(tried => done[tried])];

        async Task WorkAsync()
        {
            while (waiting.TryDequeue(out var group)) await RunLaboratoryAsync([.. group], outcome => tell(done[outcome.Case] = outcome), stop);
        }
    }

    /// <summary>Runs the cases of one NAT and one provider in one laboratory, one after the other.</summary>
    public async Task RunLaboratoryAsync(IReadOnlyList<CallCase> cases, Action<CallOutcome> done, CancellationToken stop)
    {
        await using var lab = await NatLaboratory.CreateAsync(new() { Left = cases[0].Nat, Right = NatBehaviour.Open }, stop);
        await using var provider = await Provider.StartAsync(lab, new(cases[0].Provider) { TestUser = FarUser }, stop);
        await using var coturn = await CoturnServer.StartAsync(lab, stop, TurnArguments);
        await using var near = await MediaWatch.StartAsync(lab.Host(LabNetwork.LeftHost), stop);
        await using var far = await MediaWatch.StartAsync(lab.Host(LabNetwork.RightHost), stop);
        foreach (var tried in cases)
        {
            var outcome = await TryAsync(lab, provider, tried, near, far, stop);
            for (var attempt = 2; attempt <= MostAttempts && !outcome.IsAsPredicted; attempt++)
            {
                outcome = await TryAsync(lab, provider, tried, near, far, stop) with { Attempts = attempt };
            }

            done(outcome);
        }
    }

    // What a program does wrong here is a result, and not the end of the other cases.
    private async Task<CallOutcome> TryAsync(NatLaboratory lab, Provider provider, CallCase tried, MediaWatch near, MediaWatch far, CancellationToken stop)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(CaseLimit);
        var (called, answered) = (CallResult.None, CallResult.None);
        try
        {
            var options = new BaresipOptions(FarUser, FarSignal) { Transport = tried.Transport, IsEncrypted = tried.IsEncrypted, Length = SignalLength };
            await using var phone = await BaresipPhone.StartAsync(lab.Host(LabNetwork.RightHost), provider, options, limit.Token);
            await using var client = await startClient(lab, provider, tried, limit.Token);
            var scene = new Scene(phone, client, near, far);
            called = await scene.CallOutAsync(limit.Token);
            answered = await scene.CallInAsync(limit.Token);
            return new(tried, called, answered, null);
        }
        catch (LabException error)
        {
            return new(tried, called, answered, error.Message);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return new(tried, called, answered, $"not over within {CaseLimit.TotalSeconds:F0} s");
        }
    }

    /// <summary>Both ends of the calls of one case.</summary>
    private sealed class Scene(BaresipPhone phone, ICallClient client, MediaWatch near, MediaWatch far)
    {
        public async Task<CallResult> CallOutAsync(CancellationToken stop)
        {
            var begun = MediaWatch.Now;
            var call = await client.CallAsync($"sip:{Provider.TestNumber}@{Provider.Address}", Talk, stop);
            return await JudgeAsync(call, begun, stop);
        }

        public async Task<CallResult> CallInAsync(CancellationToken stop)
        {
            await client.ListenAsync(Talk, stop);
            var begun = MediaWatch.Now;
            await phone.DialAsync($"sip:{ICallClient.User}@{Provider.Address}", stop);
            await Task.Delay(Talk, stop);
            await phone.HangUpAsync(stop);
            return await JudgeAsync(await client.FinishAsync(stop), begun, stop);
        }

        private async Task<CallResult> JudgeAsync(ClientCall call, TimeSpan begun, CancellationToken stop)
        {
            var heard = await phone.TakeHeardAsync(stop);
            return new(
                new(Compare(heard, 0, ICallClient.Signal), far.UntilHeard(begun)),
                new(Compare(call.Heard, call.Channel, FarSignal), near.UntilHeard(begun)),
                call.Told);
        }

        private static AudioComparison? Compare(WaveFile? heard, int channel, int signal) =>
            heard is null ? null : AudioComparison.Of(new SpeechSignal(signal).Samples(heard.Rate, SignalLength), heard.Channels[channel], heard.Rate);
    }
}
