using System.Collections.Concurrent;
using SipNat.NatLab;
using SipNat.NatLab.Topology;

namespace SipNat.Lab.Tests.Scene;

/// <summary>Builds a laboratory for one test, or skips the test with the missing thing named.</summary>
internal static class Laboratory
{
    // With this value of SIPNAT_LAB a missing thing is a failure.
    private const string Required = "required";

    private static readonly ConcurrentDictionary<string, IReadOnlyList<string>> Checked = new(StringComparer.Ordinal);

    public static async Task<NatLaboratory> CreateAsync(TopologyOptions options, params string[] tools)
    {
        await RequireAsync(tools);
        return await NatLaboratory.CreateAsync(options, TestContext.Current.CancellationToken);
    }

    public static async Task RequireAsync(params string[] tools)
    {
        var key = string.Join(' ', tools);
        if (!Checked.TryGetValue(key, out var missing)) Checked[key] = missing = await LabRequirements.CheckAsync(tools);
        if (missing.Count == 0) return;

        var text = "The laboratory needs " + string.Join("; ", missing);
        if (Environment.GetEnvironmentVariable("SIPNAT_LAB") == Required) Assert.Fail(text);
        Assert.Skip(text);
    }
}
