using System.Globalization;

namespace SipNat.Server.MediaEngine;

/// <summary>Packets that the kernel dropped before any socket saw them: no counter of a socket has these.</summary>
internal static class KernelDrops
{
    private const string File = "/proc/net/softnet_stat";
    private const int DroppedColumn = 1;

    /// <summary>
    /// Of all cores, since the machine started: its backlog (net.core.netdev_max_backlog) was full. Null where the system
    /// does not tell.
    /// </summary>
    public static long? Backlog
    {
        get
        {
            try
            {
                return System.IO.File.ReadLines(File).Sum(Read);
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                return null;
            }
        }
    }

    // One line for each core: packets, dropped and others, in hexadecimal.
    internal static long Read(string line)
    {
        var columns = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return columns.Length > DroppedColumn && long.TryParse(columns[DroppedColumn], NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var dropped) ? dropped : 0;
    }
}
