using SipNat.Lab.Tests.Scene;
using SipNat.NatLab.Topology;

namespace SipNat.Lab.Tests.Topology;

/// <summary>Each router is what it claims to be, judged by coturn's RFC 5780 client.</summary>
public sealed class NatBehaviourTests
{
    private const string IndependentMapping = "NAT with Endpoint Independent Mapping!";
    private const string DependentMapping = "NAT with Address and Port Dependent Mapping!";
    private const string IndependentFiltering = "NAT with Endpoint Independent Filtering!";
    private const string AddressFiltering = "NAT with Address Dependent Filtering!";
    private const string AddressAndPortFiltering = "NAT with Address and Port Dependent Filtering!";

    [Theory]
    [InlineData(NatBehaviour.FullCone, IndependentMapping, IndependentFiltering)]
    [InlineData(NatBehaviour.AddressRestricted, IndependentMapping, AddressFiltering)]
    [InlineData(NatBehaviour.PortRestricted, IndependentMapping, AddressAndPortFiltering)]
    [InlineData(NatBehaviour.Symmetric, DependentMapping, AddressAndPortFiltering)]
    public async Task Router_behaves_as_named(NatBehaviour behaviour, string mapping, string filtering)
    {
        await using var lab = await Laboratory.CreateAsync(new() { Left = behaviour, Right = NatBehaviour.Open }, "turnserver", "turnutils_natdiscovery");
        await using var stun = await StunServer.StartAsync(lab);

        var discovery = await lab.Host("hostA").RunAsync(
            "turnutils_natdiscovery", ["-m", "-f", "-p", "3478", "203.0.113.1"], stop: TestContext.Current.CancellationToken);

        Assert.Equal([mapping, filtering], discovery.Split('\n').Where(line => line.StartsWith("NAT with", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData(NatBehaviour.FullCone)]
    [InlineData(NatBehaviour.Symmetric)]
    public async Task Forwarded_ports_lead_to_the_right_host_over_udp_and_tcp(NatBehaviour behaviour)
    {
        await using var lab = await Laboratory.CreateAsync(new() { Left = NatBehaviour.Open, Right = behaviour, ForwardRight = [new(5060, 5060), new(10000, 10099)] });
        var stop = TestContext.Current.CancellationToken;
        var udp = await lab.Host("hostB").CountAsync("udp dport 10042", stop);
        var tcp = await lab.Host("hostB").CountAsync("tcp dport 5060", stop);

        await lab.Host("hostA").RunAsync("bash", ["-c", "echo hello > /dev/udp/203.0.113.20/10042; echo > /dev/tcp/203.0.113.20/5060 || true"], stop: stop);

        Assert.Equal(1, await udp.ReadAsync(stop));
        Assert.Equal(1, await tcp.ReadAsync(stop));
    }

    [Fact]
    public async Task Overlapping_networks_hold_the_same_address_twice()
    {
        await using var lab = await Laboratory.CreateAsync(new() { Overlap = true });

        Assert.Equal(lab.Host("hostA").Address, lab.Host("nearB").Address);
        Assert.NotEqual(lab.LeftPublicAddress, lab.RightPublicAddress);
    }

    [Fact]
    public async Task Mapping_ends_after_the_lifetime_that_was_set()
    {
        await using var lab = await Laboratory.CreateAsync(new() { UdpTimeout = TimeSpan.FromSeconds(2) });
        var stop = TestContext.Current.CancellationToken;
        var router = lab.Router("natA");

        await lab.Host("hostA").RunAsync("bash", ["-c", "echo hello > /dev/udp/203.0.113.1/4000"], stop: stop);
        var fresh = await router.ListConntrackAsync(stop);
        await Task.Delay(TimeSpan.FromSeconds(3), stop);
        var expired = await router.ListConntrackAsync(stop);

        Assert.Contains("dport=4000", fresh, StringComparison.Ordinal);
        Assert.DoesNotContain("dport=4000", expired, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Renumbered_router_is_seen_with_its_new_address()
    {
        await using var lab = await Laboratory.CreateAsync(new());
        var stop = TestContext.Current.CancellationToken;
        var seen = await lab.Host("srv").CountAsync("ip saddr 203.0.113.21 udp dport 4000", stop);

        await lab.Router("natB").RenumberAsync(System.Net.IPAddress.Parse("203.0.113.21"), stop);
        await lab.Host("hostB").RunAsync("bash", ["-c", "echo hello > /dev/udp/203.0.113.1/4000"], stop: stop);

        Assert.Equal(1, await seen.ReadAsync(stop));
        Assert.Equal("203.0.113.21", lab.RightPublicAddress.ToString());
    }

    [Fact]
    public async Task Rebooted_router_makes_another_mapping()
    {
        await using var lab = await Laboratory.CreateAsync(new());
        var stop = TestContext.Current.CancellationToken;
        var host = lab.Host("hostA");
        string[] send = ["-c", "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('', 4000)); s.sendto(b'hello', ('203.0.113.1', 9999))"];
        await host.RunAsync("python3", send, stop: stop);
        var before = await lab.Router("natA").ListConntrackAsync(stop);

        await lab.Router("natA").RebootAsync(TimeSpan.FromSeconds(1), stop);
        await host.RunAsync("python3", send, stop: stop);

        var after = (await lab.Router("natA").ListConntrackAsync(stop)).Split('\n').Single(line => line.Contains($"src={host.Address} ", StringComparison.Ordinal));
        Assert.Contains("dst=203.0.113.10 sport=9999 dport=4000", before, StringComparison.Ordinal);
        Assert.Contains("dst=203.0.113.10 sport=9999", after, StringComparison.Ordinal);
        Assert.DoesNotContain("sport=9999 dport=4000", after, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Router_that_drops_one_direction_lets_the_other_through()
    {
        await using var lab = await Laboratory.CreateAsync(new() { Left = NatBehaviour.FullCone });
        var stop = TestContext.Current.CancellationToken;
        var inside = await lab.Host("hostA").CountAsync("udp dport 4000", stop);
        var outside = await lab.Host("srv").CountAsync("udp dport 4000", stop);
        await lab.Router("natA").DropAsync("iifname wan udp dport 4000", stop);

        for (var round = 0; round < 2; round++)
        {
            await lab.Host("hostA").RunAsync("bash", ["-c", "echo hello > /dev/udp/203.0.113.1/4000"], stop: stop);
            await lab.Host("srv").RunAsync("bash", ["-c", "echo hello > /dev/udp/203.0.113.10/4000"], stop: stop);
            Assert.Equal((round, round + 1), (await inside.ReadAsync(stop), await outside.ReadAsync(stop)));
            if (round == 0) await lab.Router("natA").StopDroppingAsync(stop);
        }
    }

    [Fact]
    public async Task Nothing_is_left_after_a_laboratory()
    {
        string name;
        await using (var lab = await Laboratory.CreateAsync(new()))
        {
            name = lab.Name;
            lab.Host("hostA").Start("sleep", "600");
        }

        var namespaces = await SipNat.NatLab.Processes.ShortCommand.RunAsync("ip", ["netns", "list"], stop: TestContext.Current.CancellationToken);
        Assert.DoesNotContain(name, namespaces, StringComparison.Ordinal);
    }
}
