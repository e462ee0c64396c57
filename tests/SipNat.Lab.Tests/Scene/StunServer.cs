using SipNat.NatLab;
using SipNat.NatLab.Processes;

namespace SipNat.Lab.Tests.Scene;

/// <summary>coturn on both addresses of <c>srv</c>: STUN with RFC 5780.</summary>
internal static class StunServer
{
    public const string Address = "203.0.113.1:3478";

    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(10);

    public static async Task<LabProcess> StartAsync(NatLaboratory lab)
    {
        var process = lab.Host("srv").Start(
            "turnserver", "-n", "-L", "203.0.113.1", "-L", "203.0.113.2", "-S", "--no-tls", "--no-dtls", "--no-cli",
            "--log-file", "stdout", "--pidfile", Path.Combine(Path.GetTempPath(), $"{lab.Name}-turnserver.pid"));
        await process.WaitForTextAsync("Total General servers", StartLimit, TestContext.Current.CancellationToken);
        return process;
    }
}
