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
    public static Task<LabProcess> StartAsync(NatLaboratory lab, CancellationToken stop, params IReadOnlyList<string> arguments) =>
        StartAsync(lab, ["-L", Host(Address), "-L", Host(OtherAddress), .. arguments.Count > 0 ? arguments : ["-S", "--no-tls"]], "", stop);

    /// <summary>One on each address, that know nothing of each other and die alone.</summary>
    public static async Task<(LabProcess First, LabProcess Other)> StartTwoAsync(NatLaboratory lab, CancellationToken stop, params IReadOnlyList<string> arguments) => (
        await StartAsync(lab, ["-L", Host(Address), .. arguments], "1", stop),
        await StartAsync(lab, ["-L", Host(OtherAddress), .. arguments], "2", stop));

    private static string Host(string server) => server[..server.IndexOf(':', StringComparison.Ordinal)];

    private static async Task<LabProcess> StartAsync(NatLaboratory lab, IEnumerable<string> arguments, string name, CancellationToken stop)
    {
        var process = lab.Host("srv").Start(
            Program, [
                "-n", "--no-dtls", "--no-cli", "--log-file", "stdout",
                "--pidfile", Path.Combine(Path.GetTempPath(), $"{lab.Name}-turnserver{name}.pid"),
                .. arguments,
            ]);
        await process.WaitForTextAsync("Total General servers", StartLimit, stop);
        return process;
    }
}
