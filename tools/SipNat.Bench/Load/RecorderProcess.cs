using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace SipNat.Bench.Load;

/// <summary>A recorder that a load run starts for itself: on loopback, with free ports and a folder of its own.</summary>
internal sealed class RecorderProcess : IAsyncDisposable
{
    private const string Sip = "127.0.0.1";
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(3);

    // Ids of one command.
    private const int MaxDeleted = 500;

    private readonly ProcessStartInfo _start;
    private readonly IReadOnlyList<string> _settings;
    private readonly DirectoryInfo _data;
    private readonly bool _keep;
    private Process _process;

    private RecorderProcess(ProcessStartInfo start, IReadOnlyList<string> settings, DirectoryInfo data, string recordings, bool keep, int sipPort, int apiPort)
    {
        Recordings = recordings;
        (_start, _settings, _process, _data, _keep) = (start, settings, Process.Start(start)!, data, keep);
        Server = new(IPAddress.Parse(Sip), sipPort);
        Api = new($"http://127.0.0.1:{apiPort}");
    }

    public IPEndPoint Server { get; }

    public Uri Api { get; }

    public int Id => _process.Id;

    public string Recordings { get; }

    public string Log => Path.Combine(_data.FullName, "log");

    /// <param name="recordings">Where it records; null for a folder of its own, which goes with it.</param>
    /// <param name="program">The program to start; null for the one that is built here.</param>
    /// <exception cref="InvalidDataException">The program is not built, or did not come up.</exception>
    public static async Task<RecorderProcess> StartAsync(
        IReadOnlyList<string> settings, bool keep, int? core, CancellationToken stop, string? recordings = null, string? program = null)
    {
        var data = Directory.CreateTempSubdirectory("sipnat-load-");
        recordings ??= Path.Combine(data.FullName, "recordings");
        var (sipPort, apiPort) = (FreePort(SocketType.Dgram), FreePort(SocketType.Stream));
        string[] all =
        [
            $"Sip:Listen:0=udp://{Sip}:{sipPort}",
            $"Http:Listen=http://127.0.0.1:{apiPort}",
            $"Recording:Directory={recordings}",
            $"Recording:Database=Data Source={Path.Combine(data.FullName, "catalogue.db")}",
            "Recording:DrainTimeout=00:00:05",
            .. settings,
        ];
        string[] pinned = core is { } one ? ["taskset", "-c", $"{one}", "dotnet"] : ["dotnet"];
        var start = new ProcessStartInfo(pinned[0], [.. pinned.Skip(1), program ?? Program(), "serve", .. Arguments(all)])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        var recorder = new RecorderProcess(start, all, data, recordings, keep, sipPort, apiPort);
        try
        {
            await recorder.WaitUntilUpAsync(stop);
            return recorder;
        }
        catch
        {
            await recorder.DisposeAsync();
            throw;
        }
    }

    /// <summary>Ends it as a power switch would.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync(CancellationToken.None);
    }

    /// <summary>Starts it once more on the same folder and ports.</summary>
    /// <exception cref="InvalidDataException">It did not come up.</exception>
    public async Task StartAgainAsync(CancellationToken stop)
    {
        _process.Dispose();
        _process = Process.Start(_start)!;
        await WaitUntilUpAsync(stop);
    }

    /// <summary>Deletes recordings that are over, as a user does: by the program's command.</summary>
    /// <returns>What it said where it did not delete them; null where it did.</returns>
    public async Task<string?> DeleteAsync(IReadOnlyList<string> ids, CancellationToken stop)
    {
        for (var at = 0; at < ids.Count; at += MaxDeleted)
        {
            var start = new ProcessStartInfo("dotnet", [Program(), "recordings", "delete", .. ids.Skip(at).Take(MaxDeleted), .. Arguments(_settings)])
            {
                UseShellExecute = false,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
            using var process = Process.Start(start)!;
            var (output, error) = (process.StandardOutput.ReadToEndAsync(stop), process.StandardError.ReadToEndAsync(stop));
            await process.WaitForExitAsync(stop);
            await output;
            if (process.ExitCode != 0) return (await error).ReplaceLineEndings(" ").Trim();
        }

        return null;
    }

    private static IEnumerable<string> Arguments(IEnumerable<string> settings) => settings.SelectMany(setting => new[] { "--set", setting });

    private async Task WaitUntilUpAsync(CancellationToken stop)
    {
        var log = KeepLogAsync();
        if (!await WaitForReadyAsync(stop)) throw new InvalidDataException($"The recorder did not start: {await log}");
    }

    /// <summary>Asks it to drain and does not wait long: whatever was to be looked at has been looked at.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            using var terminate = Process.Start("kill", ["-TERM", _process.Id.ToString()]);
            using var limit = new CancellationTokenSource(EndLimit);
            try
            {
                await _process.WaitForExitAsync(limit.Token);
            }
            catch (OperationCanceledException)
            {
                _process.Kill();
                await _process.WaitForExitAsync(CancellationToken.None);
            }
        }

        _process.Dispose();
        if (!_keep) _data.Delete(recursive: true);
    }

    private async Task<string> KeepLogAsync()
    {
        await using (var file = File.Create(Log)) await _process.StandardError.BaseStream.CopyToAsync(file);
        return await File.ReadAllTextAsync(Log);
    }

    private async Task<bool> WaitForReadyAsync(CancellationToken stop)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(StartLimit);
        while (await _process.StandardOutput.ReadLineAsync(limit.Token) is { } line)
        {
            if (line.StartsWith("ready", StringComparison.Ordinal)) return true;
        }

        return false;
    }

    // This program stands in tools/SipNat.Bench/bin/CONFIGURATION/net10.0 of the tree.
    private static string Program()
    {
        var configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;
        var program = SourceTree.PathOf("src", "SipNat.Server", "bin", configuration, "net10.0", "sipnat.dll");
        return File.Exists(program) ? program : throw new InvalidDataException($"{program} is not built; wanted: dotnet build SipNat.sln -c {configuration}");
    }

    private static int FreePort(SocketType type)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, type, type is SocketType.Dgram ? ProtocolType.Udp : ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
