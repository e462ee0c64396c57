using System.Text.Json;
using SipNat.NatLab.Processes;
using SipNat.NatLab.Servers;

namespace SipNat.NatLab.Ice;

/// <summary>Whose ICE agent it is.</summary>
public enum IceMake
{
    /// <summary>The one of this project: <c>NatLab ice</c>.</summary>
    Ours,

    /// <summary>python3-aioice.</summary>
    Aioice,

    /// <summary>libnice, by a small program in C.</summary>
    Libnice,
}

/// <summary>One ICE agent that runs on a host of the laboratory, ours or of another make; all print the same lines.</summary>
public sealed class IcePeer : IAsyncDisposable
{
    /// <summary>For a TURN server with <see cref="TurnArguments"/>.</summary>
    private const string User = "alice";

    private const string Password = "secret";
    private static readonly TimeSpan CompileLimit = TimeSpan.FromSeconds(60);

    private readonly LabProcess _process;

    private IcePeer(LabProcess process) => _process = process;

    /// <summary>What coturn is started with, so that agents get relays.</summary>
    public static IReadOnlyList<string> TurnArguments { get; } = ["--no-tls", "--lt-cred-mech", "--user", $"{User}:{Password}", "--realm", "example.org"];

    /// <summary>Everything that it printed, line by line.</summary>
    public IReadOnlyList<JsonElement> Lines =>
        [.. _process.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => line.StartsWith('{')).Select(line => JsonSerializer.Deserialize<JsonElement>(line))];

    /// <summary>What a make needs on this machine, as <see cref="LabRequirements.CheckAsync"/> takes it.</summary>
    public static IReadOnlyList<string> RequirementsOf(IceMake make) => make switch
    {
        IceMake.Aioice => ["/usr/bin/python3", LabRequirements.Aioice],
        IceMake.Libnice => ["gcc", "pkg-config", LabRequirements.LibniceHeader],
        _ => [],
    };

    /// <summary>Starts an agent that asks the laboratory's STUN server.</summary>
    /// <param name="make">Whose.</param>
    /// <param name="host">Where it runs.</param>
    /// <param name="isControlling">Its role.</param>
    /// <param name="folder">By which it exchanges descriptions with its peer.</param>
    /// <param name="usesTurn">Whether it asks for a relay too.</param>
    /// <param name="stop">Ends the wait for the compiler.</param>
    /// <param name="arguments">Beside those.</param>
    public static async Task<IcePeer> StartAsync(IceMake make, LabHost host, bool isControlling, string folder, bool usesTurn, CancellationToken stop, params IEnumerable<string> arguments)
    {
        string[] common =
        [
            "--role", isControlling ? "controlling" : "controlled", "--exchange", folder, "--bind", host.Address.ToString(), "--stun", CoturnServer.Address,
            .. usesTurn ? ["--turn", CoturnServer.Address, "--user", User, "--password", Password] : (string[])[],
            .. arguments,
        ];
        return new(make switch
        {
            IceMake.Aioice => host.Start("/usr/bin/python3", [Source("aioice_peer.py"), .. common]),
            IceMake.Libnice => host.Start(await CompileAsync(stop), common),
            _ => host.Start(LabRequirements.Find("dotnet") ?? "dotnet", [Path.Combine(AppContext.BaseDirectory, "SipNat.NatLab.dll"), "ice", .. common]),
        });
    }

    /// <summary>Waits until it says that something happened, and gives that line.</summary>
    /// <exception cref="LabException">It did not in time.</exception>
    public async Task<JsonElement> WaitForAsync(string what, TimeSpan limit, CancellationToken stop)
    {
        await _process.WaitForTextAsync($"\"event\":\"{what}\"", limit, stop);
        return Find(what) ?? throw _process.Failure($"did not say '{what}'");
    }

    /// <summary>Waits for its end and gives its last line.</summary>
    public async Task<JsonElement> SummaryAsync(TimeSpan limit, CancellationToken stop)
    {
        await _process.WaitForExitAsync(limit, stop);
        return Find("summary") ?? throw _process.Failure("printed no summary");
    }

    /// <summary>The first line that says so; null where there is none.</summary>
    public JsonElement? Find(string what)
    {
        foreach (var line in Lines)
        {
            if (line.GetProperty("event").GetString() == what) return line;
        }

        return null;
    }

    /// <summary>Ends it as a power cut would.</summary>
    public void Kill() => _process.Kill();

    public ValueTask DisposeAsync() => _process.DisposeAsync();

    private static string Source(string name) => Path.Combine(AppContext.BaseDirectory, "Ice", "Peers", name);

    // Once for each user and build of this program.
    private static async Task<string> CompileAsync(CancellationToken stop)
    {
        var source = Source("libnice_peer.c");
        var program = Path.Combine(Path.GetTempPath(), $"sipnat-libnice-peer-{Environment.UserName}-{File.GetLastWriteTimeUtc(source).Ticks:x}");
        if (File.Exists(program)) return program;

        var draft = $"{program}.{Environment.ProcessId}";
        await using var compiler = LabProcess.Start("sh", ["-c", $"gcc -O1 -Wall -o '{draft}' '{source}' $(pkg-config --cflags --libs nice)"]);
        if (await compiler.WaitForExitAsync(CompileLimit, stop) != 0) throw compiler.Failure("failed");

        File.Move(draft, program, overwrite: true);
        return program;
    }
}
