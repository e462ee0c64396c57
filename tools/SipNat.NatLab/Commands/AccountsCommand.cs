using System.CommandLine;
using System.Text.Json;
using SipNat.NatLab.Accounts;
using SipNat.NatLab.Servers;

namespace SipNat.NatLab.Commands;

/// <summary><c>accounts</c>: one server with many accounts, and Kamailio as their registrar.</summary>
internal static class AccountsCommand
{
    private const int MaxCount = 10_000;

    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true };

    private static readonly Option<int> Count = new("--count") { Description = "how many accounts", DefaultValueFactory = _ => 1000 };
    private static readonly Option<double> Minutes = new("--minutes") { Description = "how long they are watched once all are registered", DefaultValueFactory = _ => 10 };
    private static readonly Option<int> Lease = new("--lease") { Description = "the lease that the registrar grants, in seconds", DefaultValueFactory = _ => 300 };
    private static readonly Option<FileInfo> Program = new("--program") { Description = "sipnat.dll", DefaultValueFactory = _ => new(DefaultProgram) };

    // The laboratory stands in tools/SipNat.NatLab/bin/CONFIGURATION/net10.0.
    private static string DefaultProgram => Path.GetFullPath(Path.Combine(
        AppContext.BaseDirectory, "..", "..", "..", "..", "..", "src", "SipNat.Server", "bin", new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name, "net10.0", "sipnat.dll"));

    public static Command Create()
    {
        var command = new Command("accounts", "Keeps many accounts registered with Kamailio through a NAT, and prints as JSON what it costs.") { Count, Minutes, Lease, Program };
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken stop)
    {
        var (count, minutes, lease) = (parsed.GetValue(Count), parsed.GetValue(Minutes), parsed.GetValue(Lease));
        if (count is < 1 or > MaxCount || minutes is <= 0 or > 1440 || lease is < 60 or > 86_400)
        {
            await Console.Error.WriteLineAsync($"--count is 1 to {MaxCount}, --minutes above 0 and at most 1440, --lease 60 to 86400.");
            return 2;
        }

        var program = parsed.GetValue(Program)!;
        if (!program.Exists)
        {
            await Console.Error.WriteLineAsync($"{program.FullName} is not built.");
            return 3;
        }

        var missing = await LabRequirements.CheckAsync([KamailioServer.Program]);
        if (missing.Count > 0)
        {
            await Console.Error.WriteLineAsync("Missing: " + string.Join("; ", missing));
            return 3;
        }

        var report = await new AccountLoad(program.FullName, count, TimeSpan.FromSeconds(lease), TimeSpan.FromMinutes(minutes)).RunAsync(stop);
        Console.Out.WriteLine(report.ToJsonString(Json));
        return 0;
    }
}
