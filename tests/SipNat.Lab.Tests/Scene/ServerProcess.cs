using System.Diagnostics;
using SipNat.NatLab;
using SipNat.NatLab.Processes;

namespace SipNat.Lab.Tests.Scene;

/// <summary>The built recorder, serving on a host of the laboratory, with a data folder of its own.</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    public const int SipPort = 5060;
    public const int FirstMediaPort = 10_000;
    public const int LastMediaPort = 10_099;

    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan CommandLimit = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan RecordingLimit = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(200);

    private readonly LabHost _host;
    private readonly DirectoryInfo _data;
    private readonly string[] _settings;
    private LabProcess? _process;

    private ServerProcess(LabHost host, IReadOnlyDictionary<string, string> settings)
    {
        _host = host;
        _data = Directory.CreateTempSubdirectory("sipnat-lab-");
        var all = new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            ["Sip:Listen:0"] = $"udp://{host.Address}:{SipPort}",
            ["Sip:Listen:1"] = $"tcp://{host.Address}:{SipPort}",
            ["Sip:AllowedNetworks:0"] = "0.0.0.0/0",
            ["Media:FirstPort"] = $"{FirstMediaPort}",
            ["Media:LastPort"] = $"{LastMediaPort}",
            ["Recording:Directory"] = Path.Combine(_data.FullName, "recordings"),
            ["Recording:Database"] = $"Data Source={Path.Combine(_data.FullName, "catalogue.db")}",
            ["Recording:DrainTimeout"] = "00:00:01",
        };
        foreach (var (key, value) in settings) all[key] = value;
        _settings = [.. all.SelectMany(pair => new[] { "--set", $"{pair.Key}={pair.Value}" })];
    }

    /// <summary>What the recorder has logged so far.</summary>
    public string Log => _process!.Error;

    public static async Task<ServerProcess> StartAsync(LabHost host, IReadOnlyDictionary<string, string> settings)
    {
        var server = new ServerProcess(host, settings);
        try
        {
            server._process = host.Start(DotnetPath, [BuiltPrograms.Server, "serve", .. server._settings]);
            await server._process.WaitForTextAsync("ready", StartLimit, TestContext.Current.CancellationToken);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Waits until the log holds a text; without a limit for 20 s.</summary>
    public Task WaitForLogAsync(string text, TimeSpan? limit = null) => _process!.WaitForTextAsync(text, limit ?? StartLimit, TestContext.Current.CancellationToken);

    public string PathOf(RecordedFile file) => Path.Combine(_data.FullName, "recordings", file.File);

    /// <summary>The recording of a dialog once it is complete; without a limit within 10 s.</summary>
    public async Task<RecordedSession> WaitForRecordingAsync(string callId, TimeSpan? limit = null)
    {
        var clock = Stopwatch.StartNew();
        while (true)
        {
            var sessions = await ListAsync();
            if (sessions.FirstOrDefault(session => session.CallId == callId) is { State: "complete" } found) return found;
            if (clock.Elapsed > (limit ?? RecordingLimit))
            {
                throw _process!.Failure($"has no complete recording of {callId}, but {string.Join(", ", sessions.Select(session => $"{session.CallId} {session.State}"))}");
            }

            await Task.Delay(Poll, TestContext.Current.CancellationToken);
        }
    }

    public async Task<IReadOnlyList<RecordedSession>> ListAsync()
    {
        await using var list = _host.Start(DotnetPath, [BuiltPrograms.Server, "recordings", "list", "--json", .. _settings]);
        if (await list.WaitForExitAsync(CommandLimit, TestContext.Current.CancellationToken) != 0) throw list.Failure("failed");

        return RecordedSession.ReadList(list.Output);
    }

    /// <summary>Asks the recorder to drain, as SIGTERM does; sessions that still run get their BYE after a second.</summary>
    public void Terminate() => _process!.Terminate();

    public Task<int> WaitForExitAsync() => _process!.WaitForExitAsync(CommandLimit, TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        if (_process is not null) await _process.DisposeAsync();
        _data.Delete(recursive: true);
    }

    public static string DotnetPath => Environment.ProcessPath is { } path && Path.GetFileName(path) == "dotnet" ? path : LabRequirements.Find("dotnet") ?? "dotnet";
}
