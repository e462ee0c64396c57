using SipNat.Lab.Tests.Scene;
using SipNat.NatLab.Topology;

namespace SipNat.Lab.Tests.Recording;

/// <summary>Two offices with the same private network: the client's SDP names a machine beside the recorder.</summary>
public sealed class OverlapTests
{
    [Theory]
    [InlineData(NatBehaviour.PortRestricted)]
    [InlineData(NatBehaviour.Symmetric)]
    public async Task Not_one_packet_reaches_the_neighbour_that_has_the_clients_address(NatBehaviour left)
    {
        await using var lab = await Laboratory.CreateAsync(new() { Left = left, Overlap = true, ForwardRight = Recorders.Forward });
        await using var server = await Recorders.StartAsync(lab);
        var stop = TestContext.Current.CancellationToken;
        var packets = await lab.Host("nearB").CountAsync("meta protocol ip", stop);
        var questions = await lab.Host("nearB").CountAsync($"arp daddr ip {lab.Host("nearB").Address}", stop);

        var call = await RecordedCall.RunAsync(lab, server, "--seconds", "3", "--hold-at", "1", "--resume-at", "2");

        call.AssertComplete();
        Assert.Equal(lab.Host("nearB").Address, lab.Host("hostA").Address);
        Assert.StartsWith($"{lab.Host("nearB").Address}:", call.Client.Streams[0].Local, StringComparison.Ordinal);
        Assert.Equal(0, await packets.ReadAsync(stop));
        Assert.Equal(0, await questions.ReadAsync(stop));
    }
}
