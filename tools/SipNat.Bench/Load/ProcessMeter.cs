using System.ComponentModel;
using System.Globalization;
using System.Runtime.InteropServices;

namespace SipNat.Bench.Load;

/// <summary>CPU time and memory of another process of this machine (Linux).</summary>
internal sealed partial class ProcessMeter(int processId)
{
    private const int KibiByte = 1024;

    // The kernel's id of the clock that counts what all threads of a process have run (CPUCLOCK_SCHED).
    private const int ScheduledClock = 2;

    /// <summary>Time on a core since the process began, user and kernel, exact and not sampled by ticks.</summary>
    public TimeSpan CpuTime
    {
        get
        {
            if (GetTime((~processId << 3) | ScheduledClock, out var time) != 0) throw new Win32Exception();
            return TimeSpan.FromSeconds(time.Seconds) + TimeSpan.FromMicroseconds(time.Nanoseconds / 1000.0);
        }
    }

    /// <summary>Memory that is resident now, in bytes.</summary>
    public long Resident => Read("VmRSS:");

    /// <summary>What of it is no file: heaps and stacks, in bytes.</summary>
    public long Anonymous => Read("RssAnon:");

    /// <summary>The most that ever was, in bytes.</summary>
    public long MostResident => Read("VmHWM:");

    private long Read(string name)
    {
        foreach (var line in File.ReadLines($"/proc/{processId}/status"))
        {
            if (!line.StartsWith(name, StringComparison.Ordinal)) continue;

            return long.Parse(line[name.Length..].Replace("kB", "", StringComparison.Ordinal).Trim(), CultureInfo.InvariantCulture) * KibiByte;
        }

        throw new InvalidDataException($"/proc/{processId}/status has no {name}");
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime", SetLastError = true)]
    private static partial int GetTime(int clock, out TimeSpec time);

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
