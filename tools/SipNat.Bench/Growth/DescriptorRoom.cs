using System.Globalization;

namespace SipNat.Bench.Growth;

/// <summary>How many streams the files and sockets of one process have room for.</summary>
internal static class DescriptorRoom
{
    // Sockets for RTP and for RTCP, and a file. The recorder opens its ports in pairs ahead of any offer, so that
    // rtcp-mux saves none.
    private const int PerStream = 3;

    // What it keeps for itself: SIP, HTTP, the catalogue, the runtime.
    private const int Reserve = 512;

    /// <summary>Why so many streams find no room; null where they do, or the limit is not known.</summary>
    public static string? Refusal(int streams)
    {
        if (HardLimit() is not { } limit || (limit - Reserve) / PerStream is var room && streams <= room) return null;

        return $"not measured: the hard limit of {limit} descriptors has room for {room} streams (two sockets and a file each)";
    }

    // "Max open files", the soft limit, the hard one, the unit: the runtime raises the soft one by itself.
    private static int? HardLimit()
    {
        var line = File.ReadLines("/proc/self/limits").FirstOrDefault(line => line.StartsWith("Max open files", StringComparison.Ordinal));
        return line?.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [_, _, _, _, var hard, ..]
            && int.TryParse(hard, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) ? limit : null;
    }
}
