using System.Diagnostics;

namespace SipNat.Bench.Compare;

/// <summary>
/// Runs this program once more in a network namespace of its own, where its packets meet no firewall, no capture and no
/// port of anybody else. It takes root, and <c>unshare</c> and <c>ip</c>.
/// </summary>
public static class NetworkNamespace
{
    // The namespace's view of the devices is a file system that has to be mounted for a moment; nobody outside sees it.
    private const string Script =
        """
        ip link set lo up || exit 2
        if [ -n "$1" ]; then
            mount -t sysfs sysfs /sys && echo "$1" > /sys/class/net/lo/queues/rx-0/rps_cpus && umount /sys || exit 2
        fi
        shift
        exec "$@"
        """;

    private static readonly string[] Unshare = ["unshare", "--net", "--mount"];

    /// <summary>Whether this process may make one.</summary>
    public static async Task<bool> IsPossibleAsync(CancellationToken stop) =>
        OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess && await RunAsync([.. Unshare, "sh", "-c", "ip link set lo up"], stop) == 0;

    /// <summary>Runs this program there, and gives its exit code.</summary>
    /// <param name="arguments">Of its command line.</param>
    /// <param name="receivingCore">The core on which the kernel does the work of receiving; null: where the sender runs, as it is on a loopback.</param>
    public static Task<int> RunSelfAsync(IReadOnlyList<string> arguments, int? receivingCore, CancellationToken stop) => RunAsync(
        [.. Unshare, "sh", "-c", Script, "sh", receivingCore is { } core ? MaskOf(core) : "", "dotnet", typeof(NetworkNamespace).Assembly.Location, .. arguments],
        stop);

    /// <summary>A set of one core as <c>rps_cpus</c> has it: hexadecimal words of 32 bits, the highest first.</summary>
    public static string MaskOf(int core) => string.Concat([$"{1u << (core % 32):x}", .. Enumerable.Repeat(",00000000", core / 32)]);

    private static async Task<int> RunAsync(IReadOnlyList<string> command, CancellationToken stop)
    {
        using var process = Process.Start(new ProcessStartInfo(command[0], command.Skip(1)) { UseShellExecute = false })!;
        try
        {
            await process.WaitForExitAsync(stop);
        }
        catch (OperationCanceledException)
        {
            // It ends what it has started itself; Ctrl-C has reached it too.
            using var kill = Process.Start("kill", ["-TERM", $"{process.Id}"]);
            await process.WaitForExitAsync(CancellationToken.None);
            throw;
        }

        return process.ExitCode;
    }
}
