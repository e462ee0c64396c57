using System.Text.Json;
using SipNat.Lab.Tests.Scene;
using SipNat.NatLab;
using SipNat.NatLab.Topology;

namespace SipNat.Lab.Tests.Topology;

/// <summary><c>sipnat nat</c> behind the kernel's NAT, with coturn as the server of two addresses (RFC 5780).</summary>
public sealed class NatMeasurementTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private const string Independent = "endpoint-independent";
    private const string AddressAndPort = "address-and-port-dependent";

    // The kernel keeps ports unless it is told to choose at random. Behind a dependent mapping the address that a server
    // sees is not the one to send to, so that hairpinning cannot be told.
    [Theory]
    [InlineData(NatBehaviour.Open, "none", "none", null, true)]
    [InlineData(NatBehaviour.FullCone, Independent, Independent, false, true)]
    [InlineData(NatBehaviour.AddressRestricted, Independent, "address-dependent", false, true)]
    [InlineData(NatBehaviour.PortRestricted, Independent, AddressAndPort, false, true)]
    [InlineData(NatBehaviour.Symmetric, AddressAndPort, AddressAndPort, null, false)]
    public async Task Each_kind_of_nat_is_named(NatBehaviour behaviour, string mapping, string filtering, bool? hairpin, bool keepsPort)
    {
        await using var lab = await Laboratory.CreateAsync(new() { Left = behaviour, Right = NatBehaviour.Open }, "turnserver");
        await using var stun = await StunServer.StartAsync(lab);

        using var report = await MeasureAsync(lab);

        var ipv4 = report.RootElement.GetProperty("ipv4");
        Assert.Equal(
            ("open", mapping, filtering, hairpin, keepsPort),
            (
                report.RootElement.GetProperty("udp").GetString(),
                ipv4.GetProperty("mapping").GetString(),
                ipv4.GetProperty("filtering").GetString(),
                Flag(ipv4.GetProperty("hairpin")),
                Flag(ipv4.GetProperty("portPreservation"))));
        Assert.StartsWith($"{lab.LeftPublicAddress}:", ipv4.GetProperty("external").GetString(), StringComparison.Ordinal);
    }

    // The laboratory gives a fresh mapping and an established one the same lifetime.
    [Theory]
    [InlineData(NatBehaviour.PortRestricted)]
    [InlineData(NatBehaviour.Symmetric)]
    public async Task Lifetime_of_a_mapping_is_found_within_a_fifth(NatBehaviour behaviour)
    {
        var options = new TopologyOptions { Left = behaviour, Right = NatBehaviour.Open, UdpTimeout = TimeSpan.FromSeconds(10) };
        await using var lab = await Laboratory.CreateAsync(options, "turnserver");
        await using var stun = await StunServer.StartAsync(lab);

        using var report = await MeasureAsync(lab, "--lifetime");

        var ipv4 = report.RootElement.GetProperty("ipv4");
        Assert.InRange(ipv4.GetProperty("lifetimeSeconds").GetDouble(), 8, 12);
        Assert.InRange(ipv4.GetProperty("establishedLifetimeSeconds").GetDouble(), 8, 12);
    }

    private static async Task<JsonDocument> MeasureAsync(NatLaboratory lab, params string[] arguments)
    {
        var process = lab.Host("hostA").Start(
            LabRequirements.Find("dotnet") ?? "dotnet",
            [BuiltPrograms.Server, "nat", "--stun", StunServer.Address, "--stun", "203.0.113.2:3478", "--json", .. arguments]);
        return await process.WaitForExitAsync(Limit, TestContext.Current.CancellationToken) == 0
            ? JsonDocument.Parse(process.Output)
            : throw process.Failure("did not end with 0");
    }

    private static bool? Flag(JsonElement value) => value.ValueKind is JsonValueKind.Null ? null : value.GetBoolean();
}
