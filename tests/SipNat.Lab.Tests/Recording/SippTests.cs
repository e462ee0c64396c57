using SipNat.Lab.Tests.Scene;
using SipNat.NatLab;

namespace SipNat.Lab.Tests.Recording;

/// <summary>SIPp as a client of another make, over UDP and TCP.</summary>
public sealed class SippTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    [Theory]
    [InlineData("u1")]
    [InlineData("t1")]
    public async Task Sipp_scenarios_pass(string transport)
    {
        await using var lab = await Laboratory.CreateAsync(new() { ForwardRight = Recorders.Forward }, "sipp");
        await using var server = await Recorders.StartAsync(lab);

        await RunAsync(lab, "options.xml", transport, calls: 1);
        await RunAsync(lab, "siprec.xml", transport, calls: 5);
        await RunAsync(lab, "broken-metadata.xml", transport, calls: 2);

        Assert.Equal(7, (await server.ListAsync()).Count(session => session.State == "complete"));
    }

    [Theory]
    [InlineData("u1")]
    [InlineData("t1")]
    public async Task Sender_outside_the_allowed_networks_gets_403(string transport)
    {
        await using var lab = await Laboratory.CreateAsync(new() { ForwardRight = Recorders.Forward }, "sipp");
        await using var server = await Recorders.StartAsync(lab, ("Sip:AllowedNetworks:0", "198.51.100.0/24"));

        await RunAsync(lab, "refused.xml", transport, calls: 1);

        Assert.Empty(await server.ListAsync());
        Assert.Contains("203.0.113.10", server.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rubbish_does_not_stop_the_recorder()
    {
        await using var lab = await Laboratory.CreateAsync(new() { ForwardRight = Recorders.Forward }, "sipp");
        await using var server = await Recorders.StartAsync(lab);
        var stop = TestContext.Current.CancellationToken;
        const string Rubbish =
            "for i in $(seq 200); do head -c $((i * 7)) /dev/urandom > /dev/udp/203.0.113.20/5060; done; " +
            "printf 'INVITE sip:x SIP/2.0\\r\\nVia: \\r\\n\\r\\n' > /dev/udp/203.0.113.20/5060; " +
            "printf 'INVITE sip:x SIP/2.0\\r\\nContent-Length: 99999999\\r\\n\\r\\n' > /dev/tcp/203.0.113.20/5060; " +
            "head -c 200000 /dev/urandom > /dev/tcp/203.0.113.20/5060 || true";

        await lab.Host("hostA").RunAsync("bash", ["-c", Rubbish], stop: stop);

        await RunAsync(lab, "siprec.xml", "u1", calls: 1);
        await RunAsync(lab, "siprec.xml", "t1", calls: 1);
    }

    private static async Task RunAsync(NatLaboratory lab, string scenario, string transport, int calls)
    {
        await using var sipp = lab.Host("hostA").Start(
            "sipp", $"{lab.RightPublicAddress}:{ServerProcess.SipPort}", "-sf", BuiltPrograms.Sipp(scenario), "-t", transport,
            "-i", lab.Host("hostA").Address.ToString(), "-m", $"{calls}", "-r", "10", "-nostdin", "-timeout", "15s", "-timeout_error", "-trace_screen", "-screen_file", "/dev/null");
        var exit = await sipp.WaitForExitAsync(Limit, TestContext.Current.CancellationToken);
        if (exit != 0) throw sipp.Failure($"ended with {exit}");
    }
}
