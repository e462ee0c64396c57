using SipNat.NatLab;
using SipNat.NatLab.Processes;

namespace SipNat.Lab.Tests.Calls;

/// <summary>SIPp as the other side of one call: it fails where anything differs from its scenario.</summary>
internal sealed class SippPeer : IAsyncDisposable
{
    public const string Program = "sipp";

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(50);

    private readonly LabProcess _process;
    private readonly string _scenario;

    private SippPeer(LabProcess process, string scenario) => (_process, _scenario) = (process, scenario);

    /// <summary>Waits for a call.</summary>
    /// <param name="isTcp">Whether by TCP, and then by nothing else.</param>
    public static async Task<SippPeer> ListenAsync(LabHost host, SippScenario scenario, int port = 5060, bool isTcp = false)
    {
        var peer = Start(host, scenario, port, isTcp ? ["-t", "t1"] : []);
        await host.RunAsync("sh", ["-c", $"for i in $(seq 50); do ss -Hln{(isTcp ? "t" : "u")} 'sport = :{port}' | grep -q . && exit 0; sleep 0.1; done; exit 1"], stop: TestContext.Current.CancellationToken);
        return peer;
    }

    /// <summary>Calls.</summary>
    /// <param name="target">Address and port.</param>
    public static SippPeer Call(LabHost host, SippScenario scenario, string user, string target) => Start(host, scenario, 5060, [target, "-s", user]);

    /// <summary>Waits for the end of the scenario.</summary>
    public async Task AssertPassedAsync()
    {
        var exit = await _process.WaitForExitAsync(Limit, TestContext.Current.CancellationToken);
        if (exit != 0) throw _process.Failure($"ended with {exit}\n{File.ReadAllText(_scenario + ".log")}");
    }

    /// <summary>Every message of the call, in order; complete when the scenario is over.</summary>
    public string Messages => File.Exists(_scenario + ".log") ? File.ReadAllText(_scenario + ".log") : "";

    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        File.Delete(_scenario);
        File.Delete(_scenario + ".log");
    }

    private static SippPeer Start(LabHost host, SippScenario scenario, int port, string[] further)
    {
        var file = Path.Combine(Path.GetTempPath(), $"sipnat-sipp-{Guid.NewGuid():N}.xml");
        File.WriteAllText(file, scenario.ToString());
        return new(
            host.Start(
                Program, [
                    "-sf", file, "-i", $"{host.Address}", "-p", $"{port}", "-mi", $"{host.Address}", "-m", "1", "-nostdin", "-timeout", "45s", "-timeout_error",
                    "-trace_msg", "-message_file", file + ".log", "-trace_screen", "-screen_file", "/dev/null", .. further,
                ]),
            file);
    }
}
