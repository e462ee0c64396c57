using SipNat.Lab.Tests.Scene;
using SipNat.NatLab.Servers;
using SipNat.NatLab.Topology;

namespace SipNat.Lab.Tests.Recording;

/// <summary>A recorder that finds out by itself how soon its router forgets.</summary>
[Collection(nameof(Alone))]
public sealed class LifetimeTests
{
    private static readonly TimeSpan MeasurementLimit = TimeSpan.FromSeconds(35);

    // The kernel keeps the port of a mapping that ended, so that nothing but a measurement can tell. The router lets in only
    // whom the recorder has sent to in the last 6 s; during the hold the client sends nothing.
    [Fact]
    public async Task Mappings_that_live_6_s_are_measured_and_outlive_a_hold_without_any_setting()
    {
        var options = new TopologyOptions
        {
            Left = NatBehaviour.Open,
            Right = NatBehaviour.PortRestricted,
            ForwardRight = [new(ServerProcess.SipPort, ServerProcess.SipPort)],
            UdpTimeout = TimeSpan.FromSeconds(6),
        };
        await using var lab = await Laboratory.CreateAsync(options, CoturnServer.Program);
        await using var stun = await StunServer.StartAsync(lab);
        await using var server = await Recorders.StartWithAsync(lab, ("Nat:StunServers:0", CoturnServer.Address), ("Nat:StunServers:1", CoturnServer.OtherAddress));

        await server.WaitForLogAsync("silent mappings last 6 s (measured)", MeasurementLimit);
        var call = await RecordedCall.RunAsync(lab, server, "--seconds", "12", "--hold-at", "1", "--resume-at", "10", "--no-rtcp", "--keepalive", "none");

        // The client's first packet may be at the router before the recorder's.
        Assert.Empty(call.Client.Defects);
        Assert.Equal(2, call.Audio.Count);
        Assert.All(call.Audio, result => Assert.InRange(result.Runs[0].Wrong, 0, 160));
        Assert.All(call.Audio, result => Assert.Equal((2, 0), (result.Runs.Count, result.Runs[^1].Wrong)));
        Assert.All(call.Session.Streams, stream => Assert.StartsWith($"{lab.RightPublicAddress}:", stream.Advertised, StringComparison.Ordinal));
        Assert.Matches(@"Keepalive every 3\.[1-6]–[34]\.\d s: silent mappings last 6 s \(measured\)", server.Log);
    }
}
