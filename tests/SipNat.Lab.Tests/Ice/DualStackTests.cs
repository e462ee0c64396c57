using SipNat.Lab.Tests.Scene;
using SipNat.NatLab;
using SipNat.NatLab.Topology;

namespace SipNat.Lab.Tests.Ice;

/// <summary>
/// Two networks whose NATs let no media of IPv4 through, and which IPv6 connects: a client that comes in by IPv4 is
/// recorded by IPv6.
/// </summary>
public sealed class DualStackTests
{
    private const int Frames = 100;
    private const string OurIPv6 = "2001:db8:b::100";
    private const string TheirIPv6 = "2001:db8:a::100";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData("offered", "")]
    [InlineData("late", "--late-offer")]
    public async Task Media_take_IPv6_where_IPv4_is_for_signalling_only(string callId, string argument)
    {
        await using var lab = await Laboratory.CreateAsync(
            new() { Left = NatBehaviour.Symmetric, Right = NatBehaviour.PortRestricted, ForwardRight = [new(ServerProcess.SipPort, ServerProcess.SipPort)] },
            "/usr/bin/python3",
            LabRequirements.Aioice);
        await AddIPv6Async(lab);
        await using var server = await Recorders.StartWithAsync(lab);
        var host = lab.Host("hostA");
        var script = Path.Combine(AppContext.BaseDirectory, "Ice", "peers", "aioice_session.py");
        string[] arguments = [script, "--local", $"{host.Address}", "--server", $"{lab.RightPublicAddress}", "--call-id", callId, "--frames", $"{Frames}", .. argument.Length > 0 ? [argument] : Array.Empty<string>()];
        await using var session = host.Start("/usr/bin/python3", arguments);
        if (await session.WaitForExitAsync(Limit, TestContext.Current.CancellationToken) != 0) throw session.Failure("failed");

        var recording = await server.WaitForRecordingAsync(callId);
        var stream = Assert.Single(recording.Streams);
        Assert.Equal((Frames, 0), (stream.Packets, stream.Lost));
        Assert.Equal((OurIPv6, "host", TheirIPv6, "host"), (HostOf(stream.Path!.Local), stream.Path.LocalKind, HostOf(stream.Path.Remote), stream.Path.RemoteKind));
        Assert.Equal(["metadata-missing"], recording.Findings.Select(f => f.Code));
    }

    // The routers do by IPv6 what routers do there: they forward.
    private static async Task AddIPv6Async(NatLaboratory lab)
    {
        await RunAsync(lab.Host("hostA"), $"ip -6 addr add {TheirIPv6}/64 dev eth0 nodad; ip -6 route add default via 2001:db8:a::1");
        await RunAsync(lab.Host("hostB"), $"ip -6 addr add {OurIPv6}/64 dev eth0 nodad; ip -6 route add default via 2001:db8:b::1");
        await RunAsync(lab.Router("natA").Host, RouterOf("a", "10", "b", "20"));
        await RunAsync(lab.Router("natB").Host, RouterOf("b", "20", "a", "10"));
    }

    private static string RouterOf(string inside, string here, string there, string peer) =>
        $"sysctl -qw net.ipv6.conf.all.forwarding=1; ip -6 addr add 2001:db8:{inside}::1/64 dev lan nodad; " +
        $"ip -6 addr add 2001:db8:f::{here}/64 dev wan nodad; ip -6 route add 2001:db8:{there}::/64 via 2001:db8:f::{peer}";

    private static Task RunAsync(LabHost host, string commands) =>
        host.RunAsync("sh", ["-ec", $"sysctl -qw net.ipv6.conf.all.disable_ipv6=0; {commands}"], stop: TestContext.Current.CancellationToken);

    private static string HostOf(string address) => address[1..address.IndexOf(']', StringComparison.Ordinal)];
}
