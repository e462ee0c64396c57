using System.Text.Json;
using SipNat.Lab.Tests.Scene;
using SipNat.NatLab;
using SipNat.NatLab.Audio;
using SipNat.NatLab.Calls;
using SipNat.NatLab.Processes;
using SipNat.NatLab.Servers;
using SipNat.NatLab.Topology;

namespace SipNat.Lab.Tests.Calls;

/// <summary>A client of ours behind a NAT, its provider, a telephone of another make at the provider, and who watches the audio of both.</summary>
internal sealed class CallScene : IAsyncDisposable
{
    public const string TestUri = $"sip:{Provider.TestNumber}@{Provider.Address}";
    public const int TelephoneSignal = 2;

    private static readonly TimeSpan UpLimit = TimeSpan.FromSeconds(40);
    private static readonly TimeSpan SignalLength = TimeSpan.FromSeconds(60);
    private static readonly string[] TurnArguments = ["--no-tls", "--lt-cred-mech", "--user", "lab:lab", "--realm", "lab"];

    private readonly Stack<IAsyncDisposable> _parts = new();
    private (LabProcess First, LabProcess Other)? _turn;

    private CallScene(NatLaboratory lab) => Lab = lab;

    public NatLaboratory Lab { get; }

    public Provider Provider { get; private set; } = null!;

    public BaresipPhone Telephone { get; private set; } = null!;

    public SipNatClient Client { get; private set; } = null!;

    /// <summary>At the client's interface.</summary>
    public MediaWatch Near { get; private set; } = null!;

    /// <summary>At the telephone's interface.</summary>
    public MediaWatch Far { get; private set; } = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <param name="telephone">Parameters of the telephone's account.</param>
    public static async Task<CallScene> CreateAsync(
        TopologyOptions topology, ProviderOptions provider, string telephone = "", params IEnumerable<(string, string)> settings)
    {
        var lab = await Laboratory.CreateAsync(topology with { Right = NatBehaviour.Open }, [.. CallRunner.Programs]);
        var scene = new CallScene(lab);
        try
        {
            scene._parts.Push(scene.Provider = await Provider.StartAsync(lab, provider, Cancel));
            await scene.StartTurnAsync();
            scene._parts.Push(scene.Near = await MediaWatch.StartAsync(lab.Host("hostA"), Cancel));
            scene._parts.Push(scene.Far = await MediaWatch.StartAsync(lab.Host("hostB"), Cancel));
            scene._parts.Push(scene.Telephone = await BaresipPhone.StartAsync(lab.Host("hostB"), scene.Provider, new("200", TelephoneSignal) { Length = SignalLength, Further = telephone }, Cancel));
            scene._parts.Push(scene.Client = new(lab, scene.Provider, new(topology.Left, provider.Kind, CallTransport.Udp, IsEncrypted: false), settings));
            return scene;
        }
        catch
        {
            await scene.DisposeAsync();
            throw;
        }
    }

    /// <summary>Kills the TURN server whose relay the telephone gets its audio from.</summary>
    public void KillTurn()
    {
        var relay = Far.Sightings.Last(seen => seen is { IsPause: false, Way: MediaWay.In }).From.Split(':')[0];
        (CoturnServer.Address.StartsWith(relay + ":", StringComparison.Ordinal) ? _turn!.Value.First : _turn!.Value.Other).Kill();
    }

    /// <summary>Calls the telephone and waits until both talk.</summary>
    public async Task<LabProcess> CallAsync(TimeSpan talk)
    {
        var call = Client.StartCall(TestUri, talk, "--json");
        await Telephone.WaitForTextAsync("Call established", UpLimit, Cancel);
        return call;
    }

    /// <summary>Waits for the end of a call and gives what the program says of it.</summary>
    public async Task<(JsonElement Report, ClientCall Call)> FinishAsync(LabProcess process)
    {
        var call = await Client.ReadCallAsync(process, Cancel);
        using var report = JsonDocument.Parse(process.Output);
        return (report.RootElement.Clone(), call);
    }

    /// <summary>What was heard against what the other side played.</summary>
    public static AudioComparison Compare(WaveFile? heard, int channel, int signal) => heard is null
        ? AudioComparison.Of(new SpeechSignal(signal).Samples(8000, TimeSpan.FromSeconds(1)), [], 8000)
        : AudioComparison.Of(new SpeechSignal(signal).Samples(heard.Rate, SignalLength), heard.Channels[channel], heard.Rate);

    public static void AssertHeard(AudioComparison found, double seconds, LabProcess process) =>
        Assert.True(found.IsHeard(TimeSpan.FromSeconds(seconds)), $"{found}\n{process.Output}\n{process.Error}");

    private async Task StartTurnAsync()
    {
        _turn = await CoturnServer.StartTwoAsync(Lab, Cancel, TurnArguments);
        _parts.Push(_turn.Value.First);
        _parts.Push(_turn.Value.Other);
    }

    public async ValueTask DisposeAsync()
    {
        while (_parts.TryPop(out var part)) await part.DisposeAsync();
        await Lab.DisposeAsync();
    }
}
