using SipNat.NatLab.Processes;

namespace SipNat.NatLab.Servers;

/// <summary>coturn on both addresses of <c>srv</c>: STUN over UDP and TCP, with RFC 5780.</summary>
public static class CoturnServer
{
    public const string Program = "turnserver";
    public const string Address = "203.0.113.1:3478";
    public const string OtherAddress = "203.0.113.2:3478";

    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(20);

    /// <param name="lab">Where it runs.</param>
    /// <param name="arguments">Beside those that any laboratory needs; without any it is a STUN server alone.</param>
    public static async Task<LabProcess> StartAsync(NatLaboratory lab, CancellationToken stop, params IReadOnlyList<string> arguments)
    {
        var process = lab.Host("srv").Start(
            Program, [
                "-n", "-L", "203.0.113.1", "-L", "203.0.113.2", "--no-dtls", "--no-cli", "--log-file", "stdout",
                "--pidfile", Path.Combine(Path.GetTempPath(), $"{lab.Name}-turnserver.pid"),
                .. arguments.Count > 0 ? arguments : ["-S", "--no-tls"],
            ]);
        await process.WaitForTextAsync("Total General servers", StartLimit, stop);
        return process;
    }
}
