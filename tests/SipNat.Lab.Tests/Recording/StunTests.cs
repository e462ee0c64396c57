using System.Net;
using SipNat.Lab.Tests.Scene;
using SipNat.NatLab.Topology;

namespace SipNat.Lab.Tests.Recording;

/// <summary>A recorder that learns its public address from a STUN server.</summary>
public sealed class StunTests
{
    [Fact]
    public async Task Address_comes_from_stun_and_ports_from_the_forward_also_after_the_address_changed()
    {
        await using var lab = await Laboratory.CreateAsync(
            new() { Left = NatBehaviour.PortRestricted, Right = NatBehaviour.Symmetric, ForwardRight = Recorders.Forward }, "turnserver");
        await using var stun = await StunServer.StartAsync(lab);
        await using var server = await Recorders.StartWithAsync(
            lab, ("Nat:ForwardedPorts", "Same"), ("Nat:StunServers:0", StunServer.Address), ("Nat:StunServers:1", "203.0.113.2:3478"), ("Nat:Keepalive", "00:00:02"));

        var before = await RecordedCall.RunAsync(lab, server, "--seconds", "2");
        await lab.Router("natB").RenumberAsync(IPAddress.Parse("203.0.113.21"), TestContext.Current.CancellationToken);
        await Task.Delay(TimeSpan.FromSeconds(5), TestContext.Current.CancellationToken);
        var after = await RecordedCall.RunAsync(lab, server, "--seconds", "2");

        before.AssertComplete();
        after.AssertComplete();
        AssertAdvertised(before, "203.0.113.20");
        AssertAdvertised(after, "203.0.113.21");
    }

    [Fact]
    public async Task Answer_does_not_wait_for_a_silent_stun_server()
    {
        await using var lab = await Laboratory.CreateAsync(new() { ForwardRight = Recorders.Forward });
        await using var server = await Recorders.StartWithAsync(lab, ("Nat:StunServers:0", "203.0.113.99:3478"));
        await using var client = ClientProcess.Start(lab.Host("hostA"), $"{lab.RightPublicAddress}:{ServerProcess.SipPort}", "--seconds", "0");

        var report = await client.ReportAsync();

        Assert.Equal(200, report.Status);
        Assert.InRange(report.AnswerMilliseconds!.Value, 0, 500);
    }

    private static void AssertAdvertised(RecordedCall call, string address)
    {
        Assert.Contains($"c=IN IP4 {address}\r\n", call.Client.Answers[0], StringComparison.Ordinal);
        Assert.Contains($"@{address}", call.Client.Contact, StringComparison.Ordinal);
        Assert.All(call.Session.Streams, stream => Assert.StartsWith($"{address}:", stream.Advertised, StringComparison.Ordinal));
        Assert.All(call.Session.Streams, stream => Assert.Equal(Port(stream.Local!), Port(stream.Advertised!)));
    }

    private static int Port(string endPoint) => IPEndPoint.Parse(endPoint).Port;
}
