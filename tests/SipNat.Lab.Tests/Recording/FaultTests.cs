using SipNat.Lab.Tests.Scene;
using SipNat.NatLab.Topology;

namespace SipNat.Lab.Tests.Recording;

/// <summary>Routers that meddle or forget.</summary>
public sealed class FaultTests
{
    [Theory]
    [InlineData(NatBehaviour.PortRestricted)]
    [InlineData(NatBehaviour.Symmetric)]
    public async Task Sip_alg_of_the_routers_costs_nothing(NatBehaviour left)
    {
        await using var lab = await Laboratory.CreateAsync(new() { Left = left, Alg = true, ForwardRight = Recorders.Forward });
        await using var server = await Recorders.StartAsync(lab);

        var call = await RecordedCall.RunAsync(lab, server, "--seconds", "3", "--sip-port", "5060");

        call.AssertComplete();
    }

    [Theory]
    [InlineData(NatBehaviour.PortRestricted)]
    [InlineData(NatBehaviour.Symmetric)]
    public async Task Mappings_that_live_5_s_survive_15_s_of_held_silence(NatBehaviour left)
    {
        await using var lab = await Laboratory.CreateAsync(
            new() { Left = left, Right = NatBehaviour.PortRestricted, ForwardRight = Recorders.Forward, UdpTimeout = TimeSpan.FromSeconds(5) });
        await using var server = await Recorders.StartAsync(lab, ("Nat:Keepalive", "00:00:03"));

        await using var client = ClientProcess.Start(
            lab.Host("hostA"), $"{lab.RightPublicAddress}:{ServerProcess.SipPort}",
            "--seconds", "18", "--hold-at", "1", "--resume-at", "16", "--no-rtcp", "--keepalive", "none", "--wait-bye", "20");
        await client.WaitForTextAsync("waiting up to");
        server.Terminate();
        var report = await client.ReportAsync();
        await server.WaitForExitAsync();
        var call = await RecordedCall.FinishAsync(client, server);

        call.AssertComplete();
        Assert.All(call.Audio, result => Assert.Equal(2, result.Runs.Count));
        Assert.Equal("BYE", Assert.Single(report.Requests, request => request.Method == "BYE").Method);
        Assert.All(report.Streams, stream => Assert.Contains(stream.RtpReceived.Concat(stream.RtcpReceived), source => source.Last > 14));
    }
}
