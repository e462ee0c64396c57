using SipNat.Lab.Tests.Scene;
using SipNat.NatLab.Topology;

namespace SipNat.Lab.Tests.Ice;

/// <summary>rtpengine as the ICE peer of a recording, with RTP and RTCP on one port.</summary>
public sealed class RtpengineTests
{
    private const int NgPort = 22_222;
    private const int Frames = 150;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData(NatBehaviour.Open)]
    [InlineData(NatBehaviour.PortRestricted)]
    [InlineData(NatBehaviour.Symmetric)]
    public async Task Media_of_rtpengine_take_the_path_that_ICE_found(NatBehaviour left)
    {
        await using var lab = await Laboratory.CreateAsync(new() { Left = left, Right = NatBehaviour.Open }, "rtpengine", "python3");
        var stop = TestContext.Current.CancellationToken;
        await using var server = await Recorders.StartAsync(lab);
        var host = lab.Host("hostA");
        await using var rtpengine = host.Start(
            "rtpengine", "--table=-1", $"--interface={host.Address}", $"--listen-ng=127.0.0.1:{NgPort}", "--foreground", "--log-stderr",
            "--port-min=30000", "--port-max=30099", $"--pidfile=/tmp/{lab.Name}-rtpengine.pid", "--no-redis-required");
        await rtpengine.WaitForTextAsync("Startup complete", Limit, stop);
        var script = Path.Combine(AppContext.BaseDirectory, "Ice", "peers", "rtpengine_session.py");
        await using var session = host.Start(
            "python3", script, "--local", $"{host.Address}", "--server", $"{lab.RightPublicAddress}", "--ng", $"{NgPort}", "--call-id", "engine", "--frames", $"{Frames}");
        if (await session.WaitForExitAsync(Limit, stop) != 0) throw session.Failure("failed");

        var recording = await server.WaitForRecordingAsync("engine");
        var stream = Assert.Single(recording.Streams);
        Assert.Equal((Frames, 0), (stream.Packets, stream.Lost));
        Assert.NotNull(stream.Path);
        Assert.Equal($"{lab.LeftPublicAddress}", stream.Path.Remote.Split(':')[0]);
        Assert.Equal(left is NatBehaviour.Open ? "host" : "peer-reflexive", stream.Path.RemoteKind);
        Assert.Equal(["metadata-missing"], recording.Findings.Select(f => f.Code));
    }
}
