using System.Diagnostics;
using SipNat.Lab.Tests.Scene;
using SipNat.NatLab;

namespace SipNat.Lab.Tests.Recording;

/// <summary>A recorder that opens its ports at the router by itself; nobody has configured a forward or an address.</summary>
public sealed class PortMappingTests
{
    private const string External = $"{MappingDaemon.PublicNetwork}.20";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(200);

    [Theory]
    [InlineData("PCP")]
    [InlineData("NAT-PMP")]
    [InlineData("UPnP")]
    public async Task Sip_and_media_are_reached_from_outside_and_nothing_stays_open_after_the_end(string protocol)
    {
        await using var lab = await CreateAsync();
        await using var daemon = await MappingDaemon.StartAsync(lab, protocol);
        await using var server = await StartAsync(lab);
        var open = await WaitForPortsAsync(daemon, server);

        var call = await RecordedCall.RunAsync(lab, server, "--seconds", "2");
        server.Terminate();
        await server.WaitForExitAsync();

        call.AssertComplete();
        Assert.Contains($"@{External}:{ServerProcess.SipPort}", call.Client.Contact, StringComparison.Ordinal);
        Assert.All(call.Session.Streams, stream => Assert.StartsWith($"{External}:", stream.Advertised, StringComparison.Ordinal));
        Assert.All(call.Session.Streams, stream => Assert.Equal($"the router opened {stream.Advertised} for this port ({protocol})", stream.Why));
        Assert.Contains($"TCP {ServerProcess.SipPort}->10.0.0.100:{ServerProcess.SipPort}", open);
        Assert.Empty(await daemon.ListAsync());
    }

    [Theory]
    [InlineData("PCP")]
    [InlineData("NAT-PMP")]
    public async Task A_router_that_restarts_is_asked_again(string protocol)
    {
        await using var lab = await CreateAsync();
        await using var daemon = await MappingDaemon.StartAsync(lab, protocol);
        await using var server = await StartAsync(lab);
        await WaitForPortsAsync(daemon, server);

        await daemon.RestartAsync();
        await WaitForPortsAsync(daemon, server);

        (await RecordedCall.RunAsync(lab, server, "--seconds", "2")).AssertComplete();
        Assert.Contains($"The router has lost its table of ports (told by {protocol})", server.Log, StringComparison.Ordinal);
    }

    private static Task<NatLaboratory> CreateAsync() =>
        Laboratory.CreateAsync(new() { PublicNetwork = MappingDaemon.PublicNetwork }, "miniupnpd", "upnpc");

    private static Task<ServerProcess> StartAsync(NatLaboratory lab) => Recorders.StartWithAsync(lab, ("Nat:PortMapping", "Auto"));

    // SIP by both transports, and the first pairs of media ports.
    private static async Task<IReadOnlyList<string>> WaitForPortsAsync(MappingDaemon daemon, ServerProcess server)
    {
        var wanted = new[] { ("UDP", ServerProcess.SipPort), ("TCP", ServerProcess.SipPort) }
            .Concat(Enumerable.Range(ServerProcess.FirstMediaPort, 16).Select(port => ("UDP", port)))
            .Select(port => $"{port.Item1} {port.Item2}->10.0.0.100:{port.Item2}").ToList();
        var clock = Stopwatch.StartNew();
        while (true)
        {
            var open = await daemon.ListAsync();
            if (wanted.All(open.Contains)) return open;

            Assert.True(clock.Elapsed < Limit, $"Open are {string.Join(", ", open)}\n{server.Log}");
            await Task.Delay(Poll, TestContext.Current.CancellationToken);
        }
    }
}
