using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using SipNat.NatLab.Processes;
using SipNat.NatLab.Topology;

namespace SipNat.NatLab.Accounts;

/// <summary>Has one <c>serve</c> keep many accounts registered with Kamailio, and measures what that costs both.</summary>
/// <param name="program">The built <c>sipnat.dll</c>.</param>
internal sealed class AccountLoad(string program, int count, TimeSpan lease, TimeSpan steady)
{
    private const double MicroAllowance = 1e-9;
    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan FarewellLimit = TimeSpan.FromMinutes(1);

    public async Task<JsonObject> RunAsync(CancellationToken stop)
    {
        await using var lab = await NatLaboratory.CreateAsync(new() { Left = NatBehaviour.PortRestricted }, stop);
        await using var registrar = await LoadRegistrar.StartAsync(lab, lease, stop);
        var folder = Directory.CreateTempSubdirectory($"{lab.Name}-accounts");
        try
        {
            var settings = Path.Combine(folder.FullName, "appsettings.json");
            await File.WriteAllTextAsync(settings, Settings(folder.FullName), stop);
            await using var server = lab.Host("hostA").Start("dotnet", program, "serve", "--config", settings);
            return await MeasureAsync(server, registrar, stop);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private string Settings(string folder)
    {
        var accounts = new JsonArray();
        for (var i = 0; i < count; i++)
        {
            accounts.Add(new JsonObject { ["Uri"] = $"sip:u{i}@{LoadRegistrar.Address}", ["Password"] = LoadRegistrar.Password });
        }

        var document = new JsonObject
        {
            ["Accounts"] = accounts,
            ["Recording"] = new JsonObject { ["Directory"] = Path.Combine(folder, "recordings"), ["Database"] = $"Data Source={Path.Combine(folder, "catalogue.db")}" },
        };
        return document.ToJsonString(new JsonSerializerOptions { WriteIndented = true });
    }

    private async Task<JsonObject> MeasureAsync(LabProcess server, LoadRegistrar registrar, CancellationToken stop)
    {
        var limit = TimeSpan.FromSeconds(60 + (count / 10.0));
        var watch = Stopwatch.StartNew();
        var saved = 0;
        while (saved < count)
        {
            if (server.HasExited || watch.Elapsed > limit) throw server.Failure($"registered {saved} of {count} accounts in {watch.Elapsed.TotalSeconds:F0} s");

            await Task.Delay(Poll, stop);
            saved = registrar.Read().Where(static entry => entry.Kind == 'S').DistinctBy(static entry => entry.User).Count();
        }

        var start = registrar.Read();
        // The Contact is registered a second time, with what the registrar saw.
        await Task.Delay(TimeSpan.FromSeconds(10), stop);
        var (before, clock) = (ProcessUse.Of(server.Id), Stopwatch.StartNew());
        var registrarBefore = ProcessUse.OfTree(registrar.Id);
        var from = registrar.Read().Max(static entry => entry.At);
        await Task.Delay(steady, stop);
        var (after, elapsed) = (ProcessUse.Of(server.Id), clock.Elapsed);
        var registrarAfter = ProcessUse.OfTree(registrar.Id);
        var steadyEntries = registrar.Read().Where(entry => entry.At > from).ToList();
        server.Terminate();
        var exitCode = await server.WaitForExitAsync(FarewellLimit, stop);
        return new()
        {
            ["exitCode"] = exitCode,
            ["accounts"] = count,
            ["leaseSeconds"] = lease.TotalSeconds,
            ["start"] = new JsonObject
            {
                ["seconds"] = Math.Round(start.Max(static entry => entry.At) - start.Min(static entry => entry.At), 1),
                ["registers"] = start.Count(static entry => entry.Kind == 'R'),
                ["registersPerSecond"] = Rates(start, start.Min(static entry => entry.At), start.Max(static entry => entry.At)),
            },
            ["steady"] = new JsonObject
            {
                ["seconds"] = Math.Round(elapsed.TotalSeconds, 1),
                ["registers"] = steadyEntries.Count(static entry => entry.Kind == 'R'),
                ["questions"] = steadyEntries.Count(static entry => entry.Kind == 'F'),
                ["accountsRefreshed"] = steadyEntries.Where(static entry => entry.Kind == 'S').DistinctBy(static entry => entry.User).Count(),
                ["registersPerSecond"] = Rates(steadyEntries, from, from + elapsed.TotalSeconds),
                ["cpuPercentOfOneCore"] = Math.Round(100 * (after.Processor - before.Processor) / elapsed, 2),
                ["residentMegabytes"] = Math.Round(after.ResidentBytes / 1e6, 1),
                ["registrarCpuPercentOfOneCore"] = Math.Round(100 * (registrarAfter.Processor - registrarBefore.Processor) / elapsed, 2),
            },
        };
    }

    // How many REGISTERs came in each second.
    private static JsonObject Rates(IReadOnlyList<RegistrarEntry> entries, double from, double until)
    {
        var seconds = new int[Math.Max(1, (int)Math.Ceiling(until - from + MicroAllowance))];
        foreach (var entry in entries.Where(static entry => entry.Kind == 'R'))
        {
            var second = (int)(entry.At - from);
            if (second >= 0 && second < seconds.Length) seconds[second]++;
        }

        var histogram = new JsonObject();
        foreach (var group in seconds.GroupBy(static rate => rate).OrderBy(static group => group.Key)) histogram[group.Key.ToString(CultureInfo.InvariantCulture)] = group.Count();
        return new() { ["mean"] = Math.Round(seconds.Average(), 2), ["most"] = seconds.Max(), ["secondsByRate"] = histogram };
    }
}
