using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization;
using SipNat.NatLab.Processes;

namespace SipNat.NatLab.Commands;

/// <summary><c>status</c>: the hosts of a laboratory, their addresses and how many processes run on each.</summary>
internal static class StatusCommand
{
    private static readonly Option<string> Name = LabName.Create();
    private static readonly Option<bool> Json = new("--json") { Description = "one JSON document on standard output" };

    public static Command Create()
    {
        var command = new Command("status", "Lists the hosts of the laboratory. Exit code 1: it is not up.") { Name, Json };
        command.SetAction((parsed, _) => PrintAsync(parsed.GetValue(Name)!, parsed.GetValue(Json)));
        return command;
    }

    public static async Task<int> PrintAsync(string name, bool json)
    {
        var hosts = new List<HostStatus>();
        foreach (var networkNamespace in await LabNetwork.ListNamespacesAsync(name)) hosts.Add(await ReadAsync(networkNamespace, name));
        hosts.Sort((left, right) => string.CompareOrdinal(left.Host, right.Host));
        if (json) Console.Out.WriteLine(JsonSerializer.Serialize(new LabStatus(1, name, hosts), StatusJson.Default.LabStatus));
        else hosts.ForEach(host => Console.Out.WriteLine($"{host.Host,-6} {host.Namespace,-20} {string.Join(" ", host.Addresses),-34} {host.Processes} processes"));
        return hosts.Count > 0 ? 0 : 1;
    }

    private static async Task<HostStatus> ReadAsync(string networkNamespace, string name)
    {
        var addresses = await ShortCommand.RunAsync("ip", ["-n", networkNamespace, "-4", "-o", "addr", "show", "scope", "global"]);
        var processes = await ShortCommand.RunAsync("ip", ["netns", "pids", networkNamespace]);
        return new(
            networkNamespace[(name.Length + 1)..],
            networkNamespace,
            [.. addresses.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[3])],
            processes.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }
}

/// <summary>The JSON document of <c>status</c>.</summary>
internal sealed record LabStatus(int Schema, string Name, IReadOnlyList<HostStatus> Hosts);

/// <summary>One namespace of a laboratory; addresses with their prefix length.</summary>
internal sealed record HostStatus(string Host, string Namespace, IReadOnlyList<string> Addresses, int Processes);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(LabStatus))]
internal sealed partial class StatusJson : JsonSerializerContext;
