using SipNat.Bench.Siprec;
using SipNat.Lab.Tests.Scene;
using SipNat.NatLab.Topology;

namespace SipNat.Lab.Tests.Recording;

/// <summary>What the recorder asks in the dialog reaches a client whose Contact is a private address behind its NAT.</summary>
public sealed class RecorderRequestTests
{
    [Theory]
    [InlineData(NatBehaviour.Open, "udp")]
    [InlineData(NatBehaviour.FullCone, "udp")]
    [InlineData(NatBehaviour.AddressRestricted, "udp")]
    [InlineData(NatBehaviour.PortRestricted, "udp")]
    [InlineData(NatBehaviour.Symmetric, "udp")]
    [InlineData(NatBehaviour.Symmetric, "tcp")]
    public async Task Question_after_silence_and_bye_of_a_draining_recorder_arrive(NatBehaviour left, string transport)
    {
        await using var lab = await Laboratory.CreateAsync(new() { Left = left, ForwardRight = Recorders.Forward });
        await using var server = await Recorders.StartAsync(lab, ("Recording:SilenceTimeout", "00:00:02"));
        await using var client = ClientProcess.Start(
            lab.Host("hostA"), $"{lab.RightPublicAddress}:{ServerProcess.SipPort}",
            "--transport", transport, "--seconds", "1", "--no-rtcp", "--keepalive", "none", "--wait-bye", "30");

        await client.WaitForTextAsync("<- OPTIONS");
        server.Terminate();
        var report = await client.ReportAsync();
        var exit = await server.WaitForExitAsync();

        Assert.Equal(SessionEnd.Recorder, report.EndedBy);
        Assert.Equal("BYE", report.Requests[^1].Method);
        Assert.All(report.Requests, request => Assert.Equal(200, request.Answered));
        Assert.All(report.Requests, request => Assert.Equal($"{lab.RightPublicAddress}:{ServerProcess.SipPort}", request.From));
        Assert.Equal(0, exit);
        var session = Assert.Single(await server.ListAsync());
        Assert.Equal("complete", session.State);
    }

    [Fact]
    public async Task Client_that_vanished_is_asked_and_its_recording_is_closed()
    {
        await using var lab = await Laboratory.CreateAsync(new() { ForwardRight = Recorders.Forward });
        await using var server = await Recorders.StartAsync(lab, ("Recording:SilenceTimeout", "00:00:01"));
        await using (var client = ClientProcess.Start(lab.Host("hostA"), $"{lab.RightPublicAddress}:{ServerProcess.SipPort}", "--seconds", "20", "--call-id", "vanished"))
        {
            await client.WaitForTextAsync("stream 2 goes to");
            await Task.Delay(TimeSpan.FromSeconds(1), TestContext.Current.CancellationToken);
            client.Kill();
        }

        var session = await server.WaitForRecordingAsync("vanished", TimeSpan.FromSeconds(45));

        Assert.All(session.Streams, stream => Assert.InRange(stream.Packets, 40, 70));
    }
}
