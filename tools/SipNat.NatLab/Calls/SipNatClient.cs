using System.Text.Json;
using SipNat.NatLab.Audio;
using SipNat.NatLab.Processes;
using SipNat.NatLab.Servers;

namespace SipNat.NatLab.Calls;

/// <summary><c>sipnat call</c> and <c>sipnat answer</c> with an account, and a STUN and TURN server.</summary>
public sealed class SipNatClient : ICallClient
{
    private const int Rate = 8000;
    private static readonly TimeSpan SignalLength = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan ReadyLimit = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(60);

    private readonly LabHost _host;
    private readonly string[] _settings;
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("sipnat-client-");
    private LabProcess? _listening;

    /// <param name="lab">Where it runs: on <c>hostA</c>.</param>
    /// <param name="settings">Keys and values beside those of the account.</param>
    public SipNatClient(NatLaboratory lab, Provider provider, CallCase tried, params IEnumerable<(string Key, string Value)> settings)
    {
        _host = lab.Host(LabNetwork.LeftHost);
        WaveFile.Write(PathOf("signal.wav"), Rate, new SpeechSignal(ICallClient.Signal).Samples(Rate, SignalLength));
        _settings = [.. Settings(provider, tried).Concat(settings).SelectMany(setting => new[] { "--set", $"{setting.Key}={setting.Value}" })];
    }

    public static Task<ICallClient> StartAsync(NatLaboratory lab, Provider provider, CallCase tried, CancellationToken stop) =>
        Task.FromResult<ICallClient>(new SipNatClient(lab, provider, tried));

    /// <summary>The built program, beside this one.</summary>
    public static string ServerPath => Path.Combine(AppContext.BaseDirectory, "sipnat.dll");

    public async Task<ClientCall> CallAsync(string uri, TimeSpan talk, CancellationToken stop)
    {
        await using var process = StartCall(uri, talk);
        return await ReadCallAsync(process, stop);
    }

    /// <summary>Calls somebody and hangs up after so long; <see cref="ReadCallAsync"/> waits for it.</summary>
    public LabProcess StartCall(string uri, TimeSpan talk, params string[] further) => Start(["call", uri, .. further], talk, "out.wav");

    public Task<ClientCall> ReadCallAsync(LabProcess process, CancellationToken stop) => ReadAsync(process, "out.wav", stop);

    public async Task ListenAsync(TimeSpan talk, CancellationToken stop)
    {
        // The other side hangs up; this is for the case that its BYE is lost.
        _listening = Start(["answer"], talk * 2, "in.wav");
        await _listening.WaitForTextAsync("waits for a call", ReadyLimit, stop);
    }

    public async Task<ClientCall> FinishAsync(CancellationToken stop)
    {
        await using var process = _listening ?? throw new InvalidOperationException("Nobody listens.");
        _listening = null;
        return await ReadAsync(process, "in.wav", stop);
    }

    public async ValueTask DisposeAsync()
    {
        if (_listening is not null) await _listening.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    // One codec, so that its error is known, and no resampling between what is played and what is kept.
    private static IEnumerable<(string Key, string Value)> Settings(Provider provider, CallCase tried)
    {
        yield return ("Accounts:0:Uri", $"sip:{ICallClient.User}@{Provider.Address}");
        yield return ("Accounts:0:Password", Provider.Password);
        yield return ("Accounts:0:Transport", tried.Transport.ToString());
        yield return ("Accounts:0:Ca", provider.Certificate);
        yield return ("Accounts:0:Codecs", "PCMU");
        yield return ("Accounts:0:Srtp", tried.IsEncrypted ? "Offered" : "Off");
        yield return ("Nat:StunServers:0", CoturnServer.Address);
        yield return ("Nat:StunServers:1", CoturnServer.OtherAddress);
        yield return ("Nat:TurnServers:0:Uri", $"turn:{CoturnServer.Address}?transport=udp");
        yield return ("Nat:TurnServers:0:Username", "lab");
        yield return ("Nat:TurnServers:0:Password", "lab");
        yield return ("Nat:TurnServers:1:Uri", $"turn:{CoturnServer.Address}?transport=tcp");
        yield return ("Nat:TurnServers:1:Username", "lab");
        yield return ("Nat:TurnServers:1:Password", "lab");
    }

    private LabProcess Start(string[] command, TimeSpan talk, string record) => _host.Start(
        LabRequirements.Find("dotnet") ?? "dotnet",
        [ServerPath, .. command, "--play", PathOf("signal.wav"), "--record", PathOf(record), "--duration", $"{talk.TotalSeconds:F0}", .. _settings]);

    /// <summary>Starts the server with the account.</summary>
    public LabProcess StartServer(params IEnumerable<(string Key, string Value)> further) => _host.Start(
        LabRequirements.Find("dotnet") ?? "dotnet",
        [
            ServerPath, "serve", .. _settings, "--set", $"Recording:Directory={PathOf("recordings")}", "--set", $"Recording:Database=Data Source={PathOf("catalogue.db")}",
            .. further.SelectMany(setting => new[] { "--set", $"{setting.Key}={setting.Value}" }),
        ]);

    /// <summary>What the client plays in its calls.</summary>
    public string SignalFile => PathOf("signal.wav");

    /// <summary>The one recording of the server, both directions as 16-bit samples; null while it is not complete.</summary>
    public async Task<WaveFile?> ExportAsync(CancellationToken stop)
    {
        using var list = JsonDocument.Parse(await RunAsync(["recordings", "list", "--json"], stop));
        var recording = list.RootElement.EnumerateArray().FirstOrDefault();
        if (recording.ValueKind is JsonValueKind.Undefined || recording.GetProperty("state").GetString() != "complete") return null;

        var file = PathOf("exported.wav");
        await RunAsync(["recordings", "export", recording.GetProperty("id").GetString()!, "--output", file, "--force"], stop);
        return WaveFile.Read(file);
    }

    private async Task<string> RunAsync(string[] command, CancellationToken stop)
    {
        await using var process = _host.Start(
            LabRequirements.Find("dotnet") ?? "dotnet",
            [ServerPath, .. command, "--set", $"Recording:Directory={PathOf("recordings")}", "--set", $"Recording:Database=Data Source={PathOf("catalogue.db")}"]);
        await process.WaitForExitAsync(EndLimit, stop);
        return process.Output;
    }

    private async Task<ClientCall> ReadAsync(LabProcess process, string record, CancellationToken stop)
    {
        await process.WaitForExitAsync(EndLimit, stop);
        var told = string.Join("; ", (process.Output + process.Error).Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
        return new(File.Exists(PathOf(record)) ? WaveFile.Read(PathOf(record)) : null, 1, told);
    }

    private string PathOf(string file) => Path.Combine(_folder.FullName, file);
}
