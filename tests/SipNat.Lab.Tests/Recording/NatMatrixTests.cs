using SipNat.Lab.Tests.Scene;
using SipNat.NatLab.Topology;

namespace SipNat.Lab.Tests.Recording;

/// <summary>Client and recorder behind real NAT of every kind: the recording is what was sent, sample by sample.</summary>
public sealed class NatMatrixTests
{
    [Theory]
    [InlineData(NatBehaviour.Open)]
    [InlineData(NatBehaviour.FullCone)]
    [InlineData(NatBehaviour.AddressRestricted)]
    [InlineData(NatBehaviour.PortRestricted)]
    [InlineData(NatBehaviour.Symmetric)]
    public Task Client_behind_a_nat_is_recorded_by_a_public_recorder(NatBehaviour left) => RecordAsync(left, NatBehaviour.Open);

    [Theory]
    [InlineData(NatBehaviour.FullCone)]
    [InlineData(NatBehaviour.AddressRestricted)]
    [InlineData(NatBehaviour.PortRestricted)]
    [InlineData(NatBehaviour.Symmetric)]
    public Task Public_client_is_recorded_behind_a_nat_with_a_forward(NatBehaviour right) => RecordAsync(NatBehaviour.Open, right);

    [Theory]
    [InlineData(NatBehaviour.FullCone, NatBehaviour.AddressRestricted)]
    [InlineData(NatBehaviour.AddressRestricted, NatBehaviour.FullCone)]
    [InlineData(NatBehaviour.PortRestricted, NatBehaviour.Symmetric)]
    [InlineData(NatBehaviour.Symmetric, NatBehaviour.PortRestricted)]
    [InlineData(NatBehaviour.Symmetric, NatBehaviour.Symmetric)]
    public Task Client_and_recorder_behind_nats_make_a_recording(NatBehaviour left, NatBehaviour right) => RecordAsync(left, right);

    [Fact]
    public Task Tcp_client_behind_a_nat_is_recorded_behind_a_nat() =>
        RecordAsync(NatBehaviour.Symmetric, NatBehaviour.PortRestricted, "--transport", "tcp", "--codec", "pcma");

    [Fact]
    public async Task Moved_and_held_client_behind_a_symmetric_nat_loses_nothing()
    {
        await using var lab = await Laboratory.CreateAsync(new() { Left = NatBehaviour.Symmetric, ForwardRight = Recorders.Forward });
        await using var server = await Recorders.StartAsync(lab);

        var call = await RecordedCall.RunAsync(lab, server, "--seconds", "5", "--move-at", "1", "--hold-at", "2", "--resume-at", "3.5");

        call.AssertComplete();
        Assert.All(call.Audio, result => Assert.Equal(2, result.Runs.Count));
        Assert.All(call.Client.Answers.Skip(2).Take(1), answer => Assert.Equal(2, answer.Split("a=inactive").Length - 1));
    }

    [Theory]
    [InlineData(NatBehaviour.Open, NatBehaviour.Symmetric)]
    [InlineData(NatBehaviour.PortRestricted, NatBehaviour.PortRestricted)]
    [InlineData(NatBehaviour.Symmetric, NatBehaviour.Symmetric)]
    public async Task Streams_that_are_inactive_at_first_are_recorded_once_they_send(NatBehaviour left, NatBehaviour right)
    {
        // The recorder's packets are the first on the path here, so its router makes a mapping of its own beside the forward.
        await using var lab = await Laboratory.CreateAsync(new() { Left = left, Right = right, ForwardRight = Recorders.Forward });
        await using var server = await Recorders.StartAsync(lab);

        var call = await RecordedCall.RunAsync(lab, server, "--seconds", "4", "--start-inactive", "--resume-at", "2");

        call.AssertComplete();
        Assert.Equal(2, call.Client.Answers[0].Split("a=inactive").Length - 1);
        Assert.Equal(2, call.Client.Answers[1].Split("a=recvonly").Length - 1);
    }

    [Fact]
    public async Task Full_cone_recorder_without_a_forward_needs_only_a_stun_server()
    {
        await using var lab = await Laboratory.CreateAsync(new() { Left = NatBehaviour.PortRestricted, Right = NatBehaviour.FullCone }, "turnserver");
        await using var stun = await StunServer.StartAsync(lab);
        await using var server = await Recorders.StartWithAsync(lab, ("Nat:StunServers:0", StunServer.Address));

        var call = await RecordedCall.RunAsync(lab, server, "--seconds", "3");

        call.AssertComplete();
        Assert.Contains("c=IN IP4 203.0.113.20", call.Client.Answers[0], StringComparison.Ordinal);
    }

    private static async Task RecordAsync(NatBehaviour left, NatBehaviour right, params string[] clientArguments)
    {
        await using var lab = await Laboratory.CreateAsync(new() { Left = left, Right = right, ForwardRight = Recorders.Forward });
        await using var server = await Recorders.StartAsync(lab);

        var call = await RecordedCall.RunAsync(lab, server, ["--seconds", "3", .. clientArguments]);

        call.AssertComplete();
        Assert.Contains($"c=IN IP4 {lab.RightPublicAddress}", call.Client.Answers[0], StringComparison.Ordinal);
        Assert.Contains($"@{lab.RightPublicAddress}", call.Client.Contact, StringComparison.Ordinal);
        Assert.All(call.Session.Streams, stream => Assert.StartsWith($"{lab.LeftPublicAddress}:", stream.Remote, StringComparison.Ordinal));
        Assert.All(call.Client.Streams, stream => Assert.NotEmpty(stream.RtpReceived.Concat(stream.RtcpReceived)));
    }
}
