using System.Diagnostics;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace SipNat.Bench.Sip;

/// <summary>When a datagram came, by the kernel's clock on Linux: a client that shares its core with a busy sender reads late.</summary>
internal static partial class KernelArrival
{
    private const nuint TakeTimeOfLast = 0x8907; // SIOCGSTAMPNS

    /// <summary>Asked for once, the kernel notes times.</summary>
    public static void SwitchOn(Socket socket) => _ = OfLast(socket);

    /// <summary>When the datagram came that was read last, as a time stamp of <see cref="Stopwatch"/>; elsewhere than on 64-bit Linux, now.</summary>
    public static long OfLast(Socket socket)
    {
        var now = Stopwatch.GetTimestamp();
        if (!OperatingSystem.IsLinux() || !Environment.Is64BitProcess || Ask((int)socket.Handle, TakeTimeOfLast, out var at) != 0) return now;

        var age = DateTime.UtcNow - DateTime.UnixEpoch - (TimeSpan.FromSeconds(at.Seconds) + TimeSpan.FromMicroseconds(at.Nanoseconds / 1000));
        return age > TimeSpan.Zero ? now - (long)(age.TotalSeconds * Stopwatch.Frequency) : now;
    }

    [LibraryImport("libc", EntryPoint = "ioctl")]
    private static partial int Ask(int socket, nuint question, out KernelTime answer);

    private struct KernelTime
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
