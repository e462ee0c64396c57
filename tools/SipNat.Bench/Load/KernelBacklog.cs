using System.Globalization;

namespace SipNat.Bench.Load;

/// <summary>What the kernel drops between network and socket, which no socket counts (<c>net.core.netdev_max_backlog</c>).</summary>
internal static class KernelBacklog
{
    /// <summary>Packets dropped since the machine was started, on all cores.</summary>
    public static long Dropped => File.ReadLines("/proc/net/softnet_stat")
        .Sum(line => long.Parse(line.Split(' ')[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture));
}
