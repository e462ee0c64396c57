using System.Globalization;

namespace SipNat.Bench.Load;

/// <summary>
/// How long a core of this machine was not idle, whoever ran there: beside its processes the interrupts, and with them the
/// kernel's work on what it receives, which no process is charged for. What the machine's host took is not counted.
/// </summary>
internal sealed class CoreMeter(int core)
{
    // USER_HZ, the unit of /proc/stat.
    private const int TicksPerSecond = 100;

    // Columns after the name: user, nice, system, idle, iowait, irq, softirq, steal.
    private const int Idle = 4;
    private const int WaitsForDisk = 5;
    private const int Stolen = 8;

    /// <summary>Idle since the machine was started. The kernel measures this time, while it only samples the other ones.</summary>
    public TimeSpan IdleTime
    {
        get
        {
            foreach (var line in File.ReadLines("/proc/stat"))
            {
                if (!line.StartsWith($"cpu{core} ", StringComparison.Ordinal)) continue;

                var columns = line.Split(' ');
                return TimeSpan.FromSeconds((double)(Read(columns, Idle) + Read(columns, WaitsForDisk) + Read(columns, Stolen)) / TicksPerSecond);
            }

            throw new InvalidDataException($"This machine has no core {core}.");
        }
    }

    private static long Read(string[] columns, int column) => long.Parse(columns[column], CultureInfo.InvariantCulture);
}
