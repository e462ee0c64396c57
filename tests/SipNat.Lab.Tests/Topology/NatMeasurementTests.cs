using System.Text.Json;
using SipNat.Lab.Tests.Scene;
using SipNat.NatLab;
using SipNat.NatLab.Servers;
using SipNat.NatLab.Topology;

namespace SipNat.Lab.Tests.Topology;

/// <summary><c>sipnat nat</c> behind the kernel's NAT, with coturn as the server of two addresses (RFC 5780).</summary>
[Collection(nameof(Alone))]
public sealed class NatMeasurementTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private const string Independent = "endpoint-independent";
    private const string AddressAndPort = "address-and-port-dependent";

    // The kernel keeps ports unless it is told to choose at random. Behind a dependent mapping the address that a server
    // sees is not the one to send to, so that hairpinning cannot be told.
    [Theory]
    [InlineData(NatBehaviour.Open, "none", "none", null, true, 0)]
    [InlineData(NatBehaviour.FullCone, Independent, Independent, false, true, 1)]
    [InlineData(NatBehaviour.AddressRestricted, Independent, "address-dependent", false, true, 1)]
    [InlineData(NatBehaviour.PortRestricted, Independent, AddressAndPort, false, true, 1)]
    [InlineData(NatBehaviour.Symmetric, AddressAndPort, AddressAndPort, null, false, 1)]
    [InlineData(NatBehaviour.Double, Independent, AddressAndPort, false, true, 2)]
    public async Task Each_kind_of_nat_is_named(NatBehaviour behaviour, string mapping, string filtering, bool? hairpin, bool keepsPort, int layers)
    {
        await using var lab = await Laboratory.CreateAsync(new() { Left = behaviour, Right = NatBehaviour.Open }, CoturnServer.Program);
        await using var stun = await StunServer.StartAsync(lab);

        using var report = await MeasureAsync(lab);

        var ipv4 = report.RootElement.GetProperty("ipv4");
        Assert.Equal(
            ("open", mapping, filtering, hairpin, keepsPort, layers),
            (
                report.RootElement.GetProperty("udp").GetString(),
                ipv4.GetProperty("mapping").GetString(),
                ipv4.GetProperty("filtering").GetString(),
                Flag(ipv4.GetProperty("hairpin")),
                Flag(ipv4.GetProperty("portPreservation")),
                ipv4.GetProperty("natLayers").GetInt32()));
        Assert.StartsWith($"{lab.LeftPublicAddress}:", ipv4.GetProperty("external").GetString(), StringComparison.Ordinal);
    }

    // coturn's own client is asked in the same laboratory.
    [Theory]
    [InlineData(NatBehaviour.FullCone)]
    [InlineData(NatBehaviour.AddressRestricted)]
    [InlineData(NatBehaviour.PortRestricted)]
    [InlineData(NatBehaviour.Symmetric)]
    public async Task The_verdict_is_that_of_coturns_client(NatBehaviour behaviour)
    {
        await using var lab = await Laboratory.CreateAsync(new() { Left = behaviour, Right = NatBehaviour.Open }, CoturnServer.Program, "turnutils_natdiscovery");
        await using var stun = await StunServer.StartAsync(lab);

        var discovery = await lab.Host("hostA").RunAsync(
            "turnutils_natdiscovery", ["-m", "-f", "-p", "3478", "203.0.113.1"], stop: TestContext.Current.CancellationToken);
        using var report = await MeasureAsync(lab);

        var ipv4 = report.RootElement.GetProperty("ipv4");
        Assert.Equal(
            discovery.Split('\n').Where(line => line.StartsWith("NAT with", StringComparison.Ordinal)),
            [$"NAT with {Title(ipv4, "mapping")} Mapping!", $"NAT with {Title(ipv4, "filtering")} Filtering!"]);
    }

    [Theory]
    [InlineData(NatBehaviour.FullCone)]
    [InlineData(NatBehaviour.PortRestricted)]
    public async Task A_hairpin_is_found(NatBehaviour behaviour)
    {
        await using var lab = await Laboratory.CreateAsync(new() { Left = behaviour, Right = NatBehaviour.Open, Hairpin = true }, CoturnServer.Program);
        await using var stun = await StunServer.StartAsync(lab);

        using var report = await MeasureAsync(lab);

        Assert.True(report.RootElement.GetProperty("ipv4").GetProperty("hairpin").GetBoolean());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Lost_fragments_are_noticed(bool areDropped)
    {
        await using var lab = await Laboratory.CreateAsync(new() { Right = NatBehaviour.Open, DropFragments = areDropped }, CoturnServer.Program);
        await using var stun = await StunServer.StartAsync(lab);

        using var report = await MeasureAsync(lab);

        var fragments = report.RootElement.GetProperty("ipv4").GetProperty("fragments");
        Assert.Equal((!areDropped, !areDropped), (Flag(fragments.GetProperty("in")), Flag(fragments.GetProperty("out"))));
    }

    // The exit code says that the answer is negative, or that nobody was there to give one.
    [Theory]
    [InlineData(true, "blocked", 1)]
    [InlineData(false, "inconclusive", 3)]
    public async Task Udp_is_blocked_where_the_servers_answer_over_tcp_alone(bool isServerUp, string udp, int exitCode)
    {
        await using var lab = await Laboratory.CreateAsync(new() { Left = NatBehaviour.UdpBlocked, Right = NatBehaviour.Open }, CoturnServer.Program);
        await using var stun = isServerUp ? await StunServer.StartAsync(lab) : null;

        using var report = await MeasureAsync(lab, exitCode, "--fast");

        Assert.Equal(
            (udp, udp),
            (report.RootElement.GetProperty("udp").GetString(), report.RootElement.GetProperty("ipv4").GetProperty("udp").GetString()));
    }

    // The kernel's gateway (nf_nat_sip) translates the answers back, and far too much of them.
    [Theory]
    [InlineData(false, "none")]
    [InlineData(true, "detected")]
    public async Task The_kernels_sip_gateway_is_noticed(bool alg, string verdict)
    {
        await using var lab = await Laboratory.CreateAsync(new() { Right = NatBehaviour.Open, Alg = alg }, CoturnServer.Program, KamailioServer.Program);
        await using var stun = await StunServer.StartAsync(lab);
        await using var sip = await KamailioServer.StartAsync(lab, TestContext.Current.CancellationToken);

        using var report = await MeasureAsync(lab, "--fast", "--sip", "203.0.113.1");

        var evidence = report.RootElement.GetProperty("algEvidence").EnumerateArray().Select(text => text.GetString()!).ToList();
        Assert.Equal((verdict, alg ? 4 : 0), (report.RootElement.GetProperty("alg").GetString(), evidence.Count));
        Assert.Equal(alg ? 3 : 0, evidence.Count(text => text.Contains("saw our own address 192.168.1.100", StringComparison.Ordinal)));
        Assert.Equal(alg, evidence.Exists(text => text.Contains("From was sent as sip:probe@192.168.1.100 and came back as sip:probe@192.168.1.100:5060", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData(NatBehaviour.PortRestricted)]
    [InlineData(NatBehaviour.Symmetric)]
    public async Task Lifetimes_of_a_fresh_and_of_an_established_mapping_are_found_within_a_fifth(NatBehaviour behaviour)
    {
        var options = new TopologyOptions
        {
            Left = behaviour,
            Right = NatBehaviour.Open,
            UdpTimeout = TimeSpan.FromSeconds(7),
            UdpStreamTimeout = TimeSpan.FromSeconds(10),
        };
        await using var lab = await Laboratory.CreateAsync(options, CoturnServer.Program);
        await using var stun = await StunServer.StartAsync(lab);

        using var report = await MeasureAsync(lab, "--lifetime");

        var ipv4 = report.RootElement.GetProperty("ipv4");
        Assert.InRange(ipv4.GetProperty("lifetimeSeconds").GetDouble(), 5.6, 8.4);
        Assert.InRange(ipv4.GetProperty("establishedLifetimeSeconds").GetDouble(), 8, 12);
    }

    // coturn with a certificate that vouches for itself. Two families of verdicts: where UDP is blocked the relay over TCP
    // and TLS is what is left, and a wrong password is an answer.
    [Theory]
    [InlineData(NatBehaviour.Symmetric, "secret", true, true, true)]
    [InlineData(NatBehaviour.UdpBlocked, "secret", false, true, true)]
    [InlineData(NatBehaviour.Symmetric, "wrong", null, null, null)]
    public async Task Relays_are_asked_for_over_each_transport(NatBehaviour behaviour, string password, bool? udp, bool? tcp, bool? tls)
    {
        await using var lab = await Laboratory.CreateAsync(new() { Left = behaviour, Right = NatBehaviour.Open }, CoturnServer.Program);
        var folder = Directory.CreateTempSubdirectory("sipnat-turn");
        try
        {
            var (certificate, key) = ServerCertificate.Write(folder, "203.0.113.1");
            await using var server = await CoturnServer.StartAsync(
                lab, TestContext.Current.CancellationToken, "-a", "-u", "lab:secret", "-r", "example.org", "--cert", certificate, "--pkey", key);

            using var report = await MeasureAsync(
                lab, behaviour is NatBehaviour.UdpBlocked ? 1 : 0,
                "--fast", "--turn", "turn:203.0.113.1", "--turn", "turns:203.0.113.1", "--turn-username", "lab", "--turn-password", password, "--turn-ca", certificate);

            var turn = report.RootElement.GetProperty("turn");
            Assert.Equal((udp, tcp, tls), (Flag(turn.GetProperty("udp")), Flag(turn.GetProperty("tcp")), Flag(turn.GetProperty("tls"))));
            Assert.Contains(
                password == "wrong" ? "lends no relay (401): check its username and password." : "A relay can be had over",
                report.RootElement.GetProperty("advice").ToString(),
                StringComparison.Ordinal);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    // A STUN server of one address does not know RESPONSE-PORT.
    [Fact]
    public async Task Lifetimes_are_found_by_a_relay_where_no_server_knows_response_port()
    {
        var options = new TopologyOptions { Left = NatBehaviour.Symmetric, Right = NatBehaviour.Open, UdpTimeout = TimeSpan.FromSeconds(8) };
        await using var lab = await Laboratory.CreateAsync(options, CoturnServer.Program);
        await using var server = await CoturnServer.StartAsync(
            lab, TestContext.Current.CancellationToken, "--no-rfc5780", "-a", "-u", "lab:secret", "-r", "example.org", "--no-tls");

        using var report = await MeasureAsync(lab, "--lifetime", "--turn", "turn:203.0.113.1?transport=udp", "--turn-username", "lab", "--turn-password", "secret");

        var ipv4 = report.RootElement.GetProperty("ipv4");
        Assert.Equal(("inconclusive", true), (ipv4.GetProperty("filtering").GetString(), Flag(ipv4.GetProperty("mappingVaries"))));
        Assert.InRange(ipv4.GetProperty("lifetimeSeconds").GetDouble(), 6.4, 9.6);
        Assert.InRange(ipv4.GetProperty("establishedLifetimeSeconds").GetDouble(), 6.4, 9.6);
    }

    private static Task<JsonDocument> MeasureAsync(NatLaboratory lab, params string[] arguments) => MeasureAsync(lab, 0, arguments);

    private static async Task<JsonDocument> MeasureAsync(NatLaboratory lab, int exitCode, params string[] arguments)
    {
        var process = lab.Host("hostA").Start(
            LabRequirements.Find("dotnet") ?? "dotnet",
            [BuiltPrograms.Server, "nat", "--stun", CoturnServer.Address, "--stun", CoturnServer.OtherAddress, "--json", .. arguments]);
        return await process.WaitForExitAsync(Limit, TestContext.Current.CancellationToken) == exitCode
            ? JsonDocument.Parse(process.Output)
            : throw process.Failure($"did not end with {exitCode}");
    }

    private static bool? Flag(JsonElement value) => value.ValueKind is JsonValueKind.Null ? null : value.GetBoolean();

    // As coturn writes the words of RFC 5780.
    private static string Title(JsonElement family, string property) => family.GetProperty(property).GetString() switch
    {
        Independent => "Endpoint Independent",
        "address-dependent" => "Address Dependent",
        AddressAndPort => "Address and Port Dependent",
        var other => $"({other})",
    };
}
