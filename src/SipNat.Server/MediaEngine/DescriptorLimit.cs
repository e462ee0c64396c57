using System.Globalization;

namespace SipNat.Server.MediaEngine;

/// <summary>How many files and sockets this process may have open. The runtime has raised the limit as far as it may when it started.</summary>
public static class DescriptorLimit
{
    /// <summary>What SIP, HTTP, the catalogue and the program itself have open at most, by a wide margin.</summary>
    public const int Reserve = 512;

    /// <summary>A stream has two sockets, for RTP and RTCP, and a file.</summary>
    public const int PerStream = 3;

    private const string File = "/proc/self/limits";
    private const string Line = "Max open files";

    /// <summary>The limit; null where the system does not tell, or has none.</summary>
    public static int? Current
    {
        get
        {
            try
            {
                return System.IO.File.ReadLines(File).Where(line => line.StartsWith(Line, StringComparison.Ordinal)).Select(Read).FirstOrDefault();
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                return null;
            }
        }
    }

    /// <summary>How many streams a limit has room for; null where there is no limit.</summary>
    public static int? StreamsOf(int? limit) => limit is { } known ? Math.Max((known - Reserve) / PerStream, 1) : null;

    // The name, then the soft limit, the hard one and the unit.
    internal static int? Read(string line) =>
        line[Line.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries) is [var soft, ..]
        && int.TryParse(soft, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) ? limit : null;
}
